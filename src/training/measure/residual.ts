import { type Matrix, matrix, solveSymmetric, transposed } from "../../growth/plan/matrix.ts";
import { rulesOrNone } from "../../ops/index.ts";
import { dependents, sweepGradients } from "../../ops/rules/sweep.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { float32, type Tensor } from "../../tensor/tensor.ts";
import { differentiate } from "../graphs/differentiate.ts";
import type { Mean, Measured } from "./measurement.ts";
import { pulledParameters } from "./pull.ts";
import { exampleCount, gram, siteOf } from "./site.ts";

/** Name of a gradient that is [fan-in, fan-out]; "gradient" is the transpose. */
export const fanInFirst = "gradient, fan-in first";

/** Largest fan-in whose second moments are computed: they have no sparse form, and inverting them takes cubic time. */
const most = 4096;

/** Second moments of what the weights on both sides read, and the gradient of the one that reads the width. */
export const momentsMeasured: Measured = {
  kind: "moments",
  write(program, width) {
    const incoming = siteOf(program, width, "incoming");
    const outgoing = siteOf(program, width, "outgoing");
    const { parameter } = outgoing.part;
    const gradient = differentiate(program.graph, program.loss, [parameter]).get(parameter) as string;
    return new Map([
      ["input", { value: gram(program, incoming.unfolded.rows), over: "sum" }],
      ["fan-in", { value: gram(program, outgoing.unfolded.rows), over: "sum" }],
      [outgoing.unfolded.fanInLast ? "gradient" : fanInFirst, { value: gradient, over: "mean" }],
    ]);
  },
};

/** Name of the input that takes dW. */
export const projectionInput = "measured projection";

/** The pull of V = -g - dW·h instead of the gradient: dW is fed, and V is not differentiated. */
export const residualMeasured: Measured = {
  kind: "residual pull",
  open: true,
  write(program, width) {
    const { graph, loss } = program;
    const forward = [...graph.nodes];
    const { node, part } = siteOf(program, width, "outgoing");
    const [read = ""] = node.inputs;
    const [y = ""] = node.outputs;
    const gradient = differentiate(graph, loss, [y]).get(y) as string;
    const projection = graph.input(projectionInput, graph.typeOf(part.parameter));
    const change = graph.emit(node.op, [read, projection], node.attributes);
    const mean = graph.emit("Div", [change, exampleCount(program)]);
    const wanted = graph.emit("Neg", [graph.emit("Add", [gradient, mean])]);
    const parameters = pulledParameters(width);
    const gradients = new Map([[y, wanted]]);
    sweepGradients(
      graph,
      forward,
      gradients,
      dependents(graph, forward, parameters, rulesOrNone),
      rulesOrNone,
    );
    return new Map(
      parameters.flatMap((name) => {
        const value = gradients.get(name);
        return value === undefined ? [] : [[`gradient ${name}`, { value, over: "mean" }] as const];
      }),
    );
  },
};

/** A mean of two axes as a matrix. */
export function matrixOf({ dims, data }: Mean): Matrix {
  const [rows = 1] = dims;
  return matrix(rows, data.length / rows, data);
}

/** The gradient of a weight as [fan-out, fan-in]. */
export function weightGradient(means: ReadonlyMap<string, Mean>): Matrix {
  const last = means.get("gradient");
  if (last !== undefined) return matrixOf(last);
  return transposed(matrixOf(means.get(fanInFirst) as Mean));
}

/**
 * The change dW of the reading weight that fits the wanted change of its outputs best, in the weight's own shape:
 * argmin E‖-g - dW·h‖² = -E[g hᵀ]·E[h hᵀ]⁻¹ (Verbockhaven et al., TINY, 2024, proposition 1).
 */
export function bestChange(means: ReadonlyMap<string, Mean>, dims: readonly number[]): Tensor<"float32"> {
  const moment = matrixOf(means.get("fan-in") as Mean);
  if (moment.rows > most) {
    throw new EspalierError("NOT_GROWABLE", {
      thing: "second moments",
      rule: `are computed only for a fan-in of at most ${most}`,
      received: moment.rows,
      remedy: "Use candidates instead.",
    });
  }
  const change = solveSymmetric(moment, weightGradient(means));
  const inOrder = means.has("gradient") ? change : transposed(change);
  return float32(
    dims,
    Float32Array.from(inOrder.data, (value) => -value),
  );
}
