import type { GraphBuilder } from "../../graph/builder.ts";
import { int } from "../../graph/model.ts";
import type { Operator } from "../rules/operator.ts";
import { type Cell, gradientRecurrent, parts, roundingRecurrent, type Step } from "./recurrence.ts";
import { flopsRecurrent, flowRecurrent, inferRecurrent, sequenceAxes } from "./recurrent.ts";

/**
 * c = f(z_f)·c + f(z_i)·g(z_c), h = f(z_o)·h(c), with z = X·Wᵀ + h·Rᵀ + Wb + Rb in the order i, o, f, c, and the
 * peepholes P_i·c and P_f·c of the old c, P_o·c of the new one.
 */
function write(graph: GraphBuilder, step: Step): readonly string[] {
  const [h, c] = step.states as [string, string];
  const [gate, candidate, squashed] = step.activations as [string, string, string];
  const sum = graph.emit("Add", [step.inputs, graph.emit("Gemm", [h, step.recurrence], { transB: int(1) })]);
  const [ofI, ofO, ofF, ofC] = parts(graph, sum, 4) as [string, string, string, string];
  const [peepI, peepO, peepF] = step.peepholes === undefined ? [] : parts(graph, step.peepholes, 3);
  const peep = (value: string, cell: string, weight: string | undefined) =>
    weight === undefined ? value : graph.emit("Add", [value, graph.emit("Mul", [cell, weight])]);
  const input = graph.emit(gate, [peep(ofI, c, peepI)]);
  const forget = graph.emit(gate, [peep(ofF, c, peepF)]);
  const kept = graph.emit("Mul", [forget, c]);
  const cell = graph.emit("Add", [kept, graph.emit("Mul", [input, graph.emit(candidate, [ofC])])]);
  const output = graph.emit(gate, [peep(ofO, cell, peepO)]);
  return [graph.emit("Mul", [output, graph.emit(squashed, [cell])]), cell];
}

const cell: Cell = {
  gates: 4,
  states: 2,
  zeroStays: (call) => call.strings("activations") === undefined,
  takesBias: () => false,
  activations: ["Sigmoid", "Tanh", "Tanh"],
  write,
};

/** Long short-term memory over a sequence, in one or both directions. ONNX LSTM-22. */
export const lstm: Operator = {
  infer: inferRecurrent(cell),
  gradient: gradientRecurrent(cell),
  sequences: sequenceAxes,
  zeroIfAbsent: [5, 6],
  axes: flowRecurrent(cell),
  rounding: roundingRecurrent(cell),
  flops: flopsRecurrent(cell),
};
