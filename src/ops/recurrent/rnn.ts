import type { GraphBuilder } from "../../graph/builder.ts";
import { int } from "../../graph/model.ts";
import type { Operator } from "../rules/operator.ts";
import { type Cell, gradientRecurrent, roundingRecurrent, type Step } from "./recurrence.ts";
import { flopsRecurrent, flowRecurrent, inferRecurrent, sequenceAxes } from "./recurrent.ts";

/** Activations f with f(0) = 0. */
const throughZero: readonly string[] = ["Relu", "Tanh"];

/** h = f(X·Wᵀ + h·Rᵀ + Wb + Rb). */
function write(graph: GraphBuilder, step: Step): readonly string[] {
  const [h = ""] = step.states;
  const [f = ""] = step.activations;
  const recalled = graph.emit("Gemm", [h, step.recurrence], { transB: int(1) });
  return [graph.emit(f, [graph.emit("Add", [step.inputs, recalled])])];
}

const cell: Cell = {
  gates: 1,
  states: 1,
  zeroStays: (call) => call.strings("activations")?.every((name) => throughZero.includes(name)) ?? true,
  takesBias: () => false,
  activations: ["Tanh"],
  write,
};

/** The simple (Elman) recurrent layer over a sequence, in one or both directions. ONNX RNN-22. */
export const rnn: Operator = {
  infer: inferRecurrent(cell),
  gradient: gradientRecurrent(cell),
  sequences: sequenceAxes,
  zeroIfAbsent: [5],
  axes: flowRecurrent(cell),
  rounding: roundingRecurrent(cell),
  flops: flopsRecurrent(cell),
};
