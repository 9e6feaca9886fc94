import { EspalierError } from "../../tensor/errors.ts";
import type { TrialUnits, WidthProbe } from "../probe.ts";
import { type Fill, fillOne, forNewUnits, keepZero, refusesPartial, type Strategy } from "../strategy.ts";

/** Incoming directions that are drawn for one growth, unless more units than that are asked for. */
export const defaultCandidates = 128;

/** U(-a, a) with He's variance 2 / fan-in: as good a direction as a normal one, and drawn in a quarter of the time. */
const fillDirections: Fill = (request) => {
  const width = 2 * Math.sqrt(6 / request.slices.length);
  const draws = new Float32Array(request.slices.length);
  forNewUnits(request, (unit) => {
    request.random(unit).fillUniform(draws);
    request.slices.map(unit, (_, index) => width * ((draws[index] as number) - 0.5));
  });
};

const fills = { incoming: fillDirections, outgoing: keepZero, shift: keepZero, scale: fillOne } as const;

/** What each of `count` candidates promises: the decrease of the loss ½‖dL/dΩ‖² / E[h²] that its best outgoing weights give, to second order in them. */
export async function promises(probe: WidthProbe, count: number, seed: number): Promise<Float64Array> {
  const { gradientSquares, activationSquares } = await probe.respond(trialOf(count, seed));
  return gradientSquares.map((square, unit) => {
    const activation = activationSquares[unit] as number;
    return activation > 0 ? square / (2 * activation) : 0;
  });
}

/** So many candidates as trial units, numbered from 0. */
export function trialOf(count: number, seed: number): TrialUnits {
  return {
    count,
    seed,
    strategy: fills,
    choice: { picks: Array.from({ length: count }, (_, index) => index) },
  };
}

/** Best of so many candidates; see {@link candidates}. */
export function bestOf(count: number): Strategy {
  return {
    name: count === defaultCandidates ? "candidates" : `candidates:${count}`,
    summary: `the best of ${count} random directions by gradient per activation; zero outgoing weights, zero bias`,
    source: "GROWTH.md, where it beat every other arm; after GradMax's argument (Evci et al., ICLR 2022)",
    preserves: true,
    refuses: refusesPartial,
    async choose(probe, { by, seed }) {
      const drawn = Math.max(count, by);
      const promise = await promises(probe, drawn, seed);
      if (promise.some((value) => !Number.isFinite(value))) {
        throw new EspalierError("ARGUMENT", {
          thing: `candidates of ${probe.width.id}`,
          rule: "must have finite gradients and activations on the data",
          received: "NaN or infinity",
          remedy: "Look at the loss: the network may have diverged.",
        });
      }
      const order = Array.from(promise.keys()).sort(
        (a, b) => (promise[b] as number) - (promise[a] as number) || a - b,
      );
      return { picks: order.slice(0, by) };
    },
    ...fills,
  };
}

/**
 * Draws N signed, fan-in-scaled directions and keeps those whose outgoing weights have the largest gradient norm per unit
 * of activation norm, through the true activation. Not limited by any rank.
 */
export const candidates: Strategy = bestOf(defaultCandidates);
