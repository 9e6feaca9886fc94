/**
 * How far two machines may be apart after some eighty steps. Their matrix products add in different orders (AVX with
 * fused multiply-add here, 128-bit wasm without there), so that gradients differ in the last bits; Adam divides a
 * gradient by its own size, and so hands on the *relative* error even of a tiny one, at most one learning rate (1e-2)
 * a step. Seen: 2e-6 for losses, 5e-5 for weights. A tenfold margin is still twenty times less than one
 * entry missing one step.
 */
export const tolerance = { loss: 2e-5, weight: 5e-4 };

/** Prints each check as it is made, and counts those that failed. */
export function makeVerdict(print) {
  let failed = 0;
  const check = (what, holds, figures) => {
    if (!holds) failed += 1;
    print(`${holds ? "ok    " : "FAILED"} ${what}${figures === undefined ? "" : `: ${figures}`}`);
  };
  return {
    check,
    get failed() {
      return failed;
    },
    /** Same bits everywhere. Everything that a story tells survives JSON bit for bit, -0 apart. */
    same(what, one, other) {
      const holds = JSON.stringify(one) === JSON.stringify(other);
      check(what, holds, holds ? undefined : `${brief(one)} is not ${brief(other)}`);
    },
    /** Same to rounding: losses of each step, weights and evaluation at the end. */
    close(what, one, other) {
      const loss = farthest(one.losses, other.losses);
      const weight = Math.max(
        ...Object.keys({ ...one.weights, ...other.weights }).map((name) =>
          farthest(one.weights[name], other.weights[name]),
        ),
      );
      const evaluated = Math.abs(one.evaluation.loss - other.evaluation.loss);
      // One example on the border of two classes may fall to either side.
      const accuracy =
        Math.abs(one.evaluation.accuracy - other.evaluation.accuracy) * one.evaluation.examples;
      check(
        what,
        loss <= tolerance.loss && weight <= tolerance.weight && evaluated <= tolerance.loss && accuracy < 1.5,
        `losses within ${short(loss)}, weights within ${short(weight)}, evaluation within ${short(evaluated)}, ` +
          `${Math.round(accuracy)} examples judged differently`,
      );
    },
  };
}

/** Largest difference of two lists; NaN where they do not match, so that no tolerance lets it pass. */
export function farthest(one = [], other = []) {
  if (one.length !== other.length || one.length === 0) return Number.NaN;
  return one.reduce((most, value, index) => Math.max(most, Math.abs(value - other[index])), 0);
}

const brief = (value) => JSON.stringify(value)?.slice(0, 120);
const short = (value) => value.toExponential(1);
