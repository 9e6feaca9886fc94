import { type Matrix, matrix, solveFlops, solveSymmetric, transposed } from "../plan/matrix.ts";
import type { Curvature, WidthProbe } from "../plan/probe.ts";
import { outgoingParts } from "../plan/probe.ts";
import type { Score } from "../plan/score.ts";
import { refusesPartial } from "../plan/strategy.ts";
import { defaultCandidates, measureFinite, trialOf } from "../strategies/candidates.ts";

/**
 * ½·(gᵀF⁻¹g after - before) of each candidate with K-FAC's factors F = E[h hᵀ] ⊗ E[g gᵀ]: the part of its gradient that
 * the old units do not explain, in the metric of both sides.
 */
export const sennScore: Score = {
  name: "senn",
  summary: `natural expansion score of the best of ${defaultCandidates} random directions, with K-FAC's factors`,
  source: "Mitchell et al., Self-expanding neural networks, 2023, section 3",
  refuses: (width) =>
    refusesPartial(width) ??
    (outgoingParts(width).length === 1 ? undefined : "curvature needs exactly one weight that reads it"),
  async gains(probe, { units, seed }) {
    const { measured } = await measureFinite(
      probe,
      { count: Math.max(defaultCandidates, units), least: 1 },
      (draws) => probe.curvature(trialOf(draws, seed)),
      ({ fanIn, trial }, unit) => Number.isFinite(trace(fanIn, trial[unit])),
    );
    return Array.from(naturalGains(measured, probe).sort()).reverse().slice(0, units);
  },
};

/** Letters: O columns of old units, T of one trial unit, M fan-out. */
function naturalGains({ fanIn, fanOut, gradient, old, trial }: Curvature, probe: WidthProbe): Float64Array {
  const columns = trial.flat();
  const moment = block(fanIn, old, old);
  const across = block(fanIn, columns, old);
  const explained = solveSymmetric(moment, across);
  const known = pick(gradient, old);
  probe.charge(solveFlops(old.length, columns.length) + 2 * gradient.rows * columns.length * old.length);
  let next = 0;
  return Float64Array.from(trial, (own) => {
    const first = next;
    next += own.length;
    // The part of the unit's activations that no linear combination of old ones gives, and the gradient along it.
    const rest = matrix(own.length, own.length);
    const unexplained = matrix(gradient.rows, own.length);
    for (let a = 0; a < own.length; a++) {
      const weights = row(explained, first + a);
      for (let b = 0; b < own.length; b++) {
        rest.data[a * own.length + b] = entry(fanIn, own[a], own[b]) - dot(weights, row(across, first + b));
      }
      for (let m = 0; m < gradient.rows; m++) {
        unexplained.data[m * own.length + a] = entry(gradient, m, own[a]) - dot(row(known, m), weights);
      }
    }
    const size = trace(fanIn, own);
    // A unit that the old ones explain completely would divide by zero.
    if (trace(rest) <= 1e-6 * size || size === 0) return 0;
    const byInput = solveSymmetric(rest, unexplained);
    const byOutput = solveSymmetric(fanOut, transposed(unexplained));
    let sum = 0;
    for (let m = 0; m < gradient.rows; m++) {
      for (let a = 0; a < own.length; a++) sum += entry(byInput, m, a) * entry(byOutput, a, m);
    }
    return sum / 2;
  });
}

const entry = ({ columns, data }: Matrix, at = 0, column = 0) => data[at * columns + column] as number;
const row = ({ columns, data }: Matrix, at: number) => data.subarray(at * columns, (at + 1) * columns);

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] as number) * (b[at] as number);
  return sum;
}

function trace(
  of: Matrix,
  columns: readonly number[] = Array.from({ length: of.rows }, (_, at) => at),
): number {
  return columns.reduce((sum, at) => sum + entry(of, at, at), 0);
}

function block(of: Matrix, rows: readonly number[], columns: readonly number[]): Matrix {
  const result = matrix(rows.length, columns.length);
  rows.forEach((from, at) => {
    columns.forEach((column, to) => {
      result.data[at * columns.length + to] = entry(of, from, column);
    });
  });
  return result;
}

const pick = (of: Matrix, columns: readonly number[]) =>
  block(
    of,
    Array.from({ length: of.rows }, (_, at) => at),
    columns,
  );
