import { int } from "../../graph/model.ts";
import { addBounds, magnitude, relativeBound, sumRoundoff, unitRoundoff } from "../rules/bounds.ts";
import type { GradientCall, RoundingCall } from "../rules/operator.ts";

type Emitter = Pick<GradientCall, "graph">;

/** The steps of normalizing over `axes`; every value but `centered` has size 1 on them. */
export interface Normalized {
  /** x - mean */
  readonly centered: string;
  readonly mean: string;
  /** Population variance. */
  readonly variance: string;
  /** 1 / sqrt(variance + epsilon) */
  readonly inverse: string;
}

export function meanOver(call: Emitter, value: string, axes: readonly number[]): string {
  return call.graph.emit("ReduceMean", [value, call.graph.vector(axes)], { keepdims: int(1) });
}

export function multiply(call: Emitter, a: string, b: string): string {
  return call.graph.emit("Mul", [a, b]);
}

/** 1 / sqrt(variance + epsilon) */
export function inverseDeviation(call: Emitter, variance: string, epsilon: number): string {
  const shifted = call.graph.emit("Add", [variance, call.graph.scalar(epsilon)]);
  return call.graph.emit("Reciprocal", [call.graph.emit("Sqrt", [shifted])]);
}

export function normalize(call: Emitter, x: string, axes: readonly number[], epsilon: number): Normalized {
  const mean = meanOver(call, x, axes);
  const centered = call.graph.emit("Sub", [x, mean]);
  const variance = meanOver(call, multiply(call, centered, centered), axes);
  return { centered, mean, variance, inverse: inverseDeviation(call, variance, epsilon) };
}

/**
 * dL/dx of x̂ = (x - mean)·inverse, from g = dL/dx̂:
 * inverse·(g - mean(g) - centered·inverse²·mean(g·centered)).
 */
export function normalizedGradient(
  call: Emitter,
  { centered, inverse }: Normalized,
  g: string,
  axes: readonly number[],
): string {
  const { graph } = call;
  const square = multiply(call, inverse, inverse);
  const along = multiply(call, meanOver(call, multiply(call, g, centered), axes), square);
  const level = graph.emit("Sub", [g, meanOver(call, g, axes)]);
  return multiply(call, graph.emit("Sub", [level, multiply(call, centered, along)]), inverse);
}

/**
 * A bound on the error of x̂ computed in float32 from x with error at most `bound`. Allows for a variance
 * computed as mean(x²) - mean², as ONNX Runtime's LayerNormalization does.
 */
export function normalizedBound(
  call: RoundingCall,
  x: string,
  parts: Normalized,
  axes: readonly number[],
  epsilon: number,
): string {
  const { graph } = call;
  const bound = call.inputBounds[0];
  const gamma = sumRoundoff(call, x, axes);
  const size = magnitude(call, x);
  const centered = magnitude(call, parts.centered);
  const ofMean = addBounds(
    call,
    multiply(call, gamma, meanOver(call, size, axes)),
    bound === undefined ? undefined : meanOver(call, bound, axes),
  ) as string;
  const roundings = relativeBound(
    call,
    graph.emit("Add", [size, magnitude(call, parts.mean)]),
    4 * unitRoundoff,
  );
  const ofCentered = addBounds(call, addBounds(call, ofMean, bound), roundings) as string;
  const twice = graph.emit("Add", [centered, ofCentered]);
  const ofVariance = graph.emit("Add", [
    multiply(call, multiply(call, gamma, graph.scalar(6)), meanOver(call, multiply(call, size, size), axes)),
    multiply(call, graph.scalar(2), meanOver(call, multiply(call, twice, ofCentered), axes)),
  ]);
  // |a^-½ - b^-½| <= ½·|a - b|·min(a, b)^-1½
  const least = graph.emit("Max", [graph.emit("Sub", [parts.variance, ofVariance]), graph.scalar(0)]);
  const steepest = inverseDeviation(call, least, epsilon * (1 - 8 * unitRoundoff));
  const cube = multiply(call, multiply(call, steepest, steepest), steepest);
  const ofInverse = graph.emit("Add", [
    multiply(call, cube, multiply(call, ofVariance, graph.scalar(0.5))),
    multiply(call, steepest, graph.scalar(8 * unitRoundoff)),
  ]);
  return graph.emit("Add", [multiply(call, steepest, ofCentered), multiply(call, centered, ofInverse)]);
}

export const epsilonOf = (call: { float(name: string, otherwise: number): number }) =>
  Math.fround(call.float("epsilon", 1e-5));
