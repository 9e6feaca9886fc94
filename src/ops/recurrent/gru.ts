import type { GraphBuilder } from "../../graph/builder.ts";
import { int } from "../../graph/model.ts";
import type { Call, Operator } from "../rules/operator.ts";
import { type Cell, gradientRecurrent, parts, roundingRecurrent, type Step } from "./recurrence.ts";
import { flopsRecurrent, flowRecurrent, inferRecurrent, sequenceAxes } from "./recurrent.ts";

const resetsAfter = (call: Call) => call.int("linear_before_reset", 0) !== 0;

/**
 * h = z·h + (1 - z)·n, where z and r are the update and reset gates and n the candidate: g(x_n + r·(h·Rnᵀ +
 * Rbn)) if linear_before_reset is set, else g(x_n + (r·h)·Rnᵀ + Rbn). The gates are in the order z, r, n.
 */
function write(graph: GraphBuilder, step: Step, call: Call): readonly string[] {
  const [h = ""] = step.states;
  const [gate, candidate] = step.activations as [string, string];
  const [ofZ, ofR, ofN] = parts(graph, step.inputs, 3) as [string, string, string];
  const through = (state: string, rows: string, bias: string | undefined) =>
    graph.emit("Gemm", [state, rows, ...(bias === undefined ? [] : [bias])], { transB: int(1) });
  const gated = (input: string, recalled: string) => graph.emit(gate, [graph.emit("Add", [input, recalled])]);
  let [update, recalled] = ["", ""];
  if (resetsAfter(call)) {
    const [toZ, toR, toN] = parts(graph, through(h, step.recurrence, step.bias), 3) as [
      string,
      string,
      string,
    ];
    update = gated(ofZ, toZ);
    recalled = graph.emit("Mul", [gated(ofR, toR), toN]);
  } else {
    const [rowsZ, rowsR, rowsN] = parts(graph, step.recurrence, 3, 0) as [string, string, string];
    update = gated(ofZ, through(h, rowsZ, undefined));
    const reset = gated(ofR, through(h, rowsR, undefined));
    recalled = through(graph.emit("Mul", [reset, h]), rowsN, undefined);
  }
  const fresh = graph.emit(candidate, [graph.emit("Add", [ofN, recalled])]);
  const kept = graph.emit("Mul", [update, h]);
  const rest = graph.emit("Sub", [graph.scalar(1), update]);
  return [graph.emit("Add", [graph.emit("Mul", [rest, fresh]), kept])];
}

const cell: Cell = {
  gates: 3,
  states: 1,
  zeroStays: (call) => call.strings("activations") === undefined,
  takesBias: resetsAfter,
  activations: ["Sigmoid", "Tanh"],
  write,
};

/** Gated recurrent unit over a sequence, in one or both directions. ONNX GRU-22. */
export const gru: Operator = {
  infer: inferRecurrent(cell),
  gradient: gradientRecurrent(cell),
  sequences: sequenceAxes,
  zeroIfAbsent: [5],
  axes: flowRecurrent(cell),
  rounding: roundingRecurrent(cell),
  flops: flopsRecurrent(cell),
};
