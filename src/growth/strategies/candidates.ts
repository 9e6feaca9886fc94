import { EspalierError } from "../../tensor/errors.ts";
import { type Fill, fillOne, forNewUnits, keepZero } from "../plan/fills.ts";
import type { TrialUnits, WidthProbe } from "../plan/probe.ts";
import { refusesPartial, type Strategy } from "../plan/strategy.ts";

/** Incoming directions drawn for one growth, unless more units than that are requested. */
export const defaultCandidates = 128;

/** U(-a, a) with He's variance 2 / fan-in: as good a direction as a normal draw, in a quarter of the time. */
const fillDirections: Fill = (request) => {
  const width = 2 * Math.sqrt(6 / request.slices.length);
  const draws = new Float32Array(request.slices.length);
  forNewUnits(request, (unit) => {
    request.random(unit).fillUniform(draws);
    request.slices.map(unit, (_, index) => width * ((draws[index] as number) - 0.5));
  });
};

const fills = { incoming: fillDirections, outgoing: keepZero, shift: keepZero, scale: fillOne } as const;

/** A candidate, by the number of its draw, and what it promises. */
export interface Promised {
  readonly draw: number;
  /** The decrease of the loss ½‖dL/dΩ‖² / E[h²] that its best outgoing weights give, to second order in them. */
  readonly gain: number;
}

/**
 * The measurements of the first `count` candidates, and which they are. One that is not finite on the data makes the
 * loss of all NaN: it is left out, and the others are measured again. Throws `NOT_GROWABLE` if fewer than `least` are
 * left.
 */
export async function measureFinite<T>(
  probe: WidthProbe,
  { count, least }: { readonly count: number; readonly least: number },
  measure: (draws: readonly number[]) => Promise<T>,
  holds: (measured: T, unit: number) => boolean,
): Promise<{ readonly draws: readonly number[]; readonly measured: T }> {
  let draws = firstDraws(count);
  while (draws.length >= least) {
    const measured = await measure(draws);
    const finite = draws.filter((_, unit) => holds(measured, unit));
    if (finite.length === draws.length) return { draws, measured };
    draws = finite;
  }
  throw tooFew(probe, { count, least });
}

/** The predicted gain of each of `count` candidates, best first. Throws `NOT_GROWABLE` if fewer than `least` are finite. */
export async function promises(
  probe: WidthProbe,
  { count, least, seed }: { readonly count: number; readonly least: number; readonly seed: number },
): Promise<readonly Promised[]> {
  const { draws, measured } = await measureFinite(
    probe,
    { count, least },
    (some) => probe.respond(trialOf(some, seed)),
    ({ activationSquares }, unit) => Number.isFinite(activationSquares[unit]),
  );
  const { gradientSquares, activationSquares } = measured;
  const promised = draws.map((draw, unit): Promised => {
    const activation = activationSquares[unit] as number;
    return { draw, gain: activation > 0 ? (gradientSquares[unit] as number) / (2 * activation) : 0 };
  });
  const judged = promised.filter(({ gain }) => Number.isFinite(gain));
  if (judged.length < least) throw tooFew(probe, { count, least });
  return judged.sort((a, b) => b.gain - a.gain || a.draw - b.draw);
}

function tooFew(
  { width }: WidthProbe,
  { count, least }: { readonly count: number; readonly least: number },
): EspalierError {
  return new EspalierError("NOT_GROWABLE", {
    thing: `candidates of ${width.id}`,
    rule: `of ${count} drawn, at least ${least} must have finite activations and gradients on the data`,
    remedy: "Look at the loss: if it is not finite, the network has diverged.",
  });
}

/** The candidates with these draws as trial units. */
export function trialOf(draws: readonly number[], seed: number): TrialUnits {
  return { count: draws.length, seed, strategy: fills, choice: { picks: draws } };
}

/** The draws of the first `count` candidates. */
export const firstDraws = (count: number) => Array.from({ length: count }, (_, index) => index);

/** The strategy `candidates` with `count` candidates to choose from. */
export function bestOf(count: number): Strategy {
  return {
    name: count === defaultCandidates ? "candidates" : `candidates:${count}`,
    summary: `the best of ${count} random directions by gradient per activation; zero outgoing weights, zero bias`,
    source:
      "docs/theory.md, in which it beat every other arm; after GradMax's argument (Evci et al., ICLR 2022)",
    preserves: true,
    refuses: refusesPartial,
    async choose(probe, { by, seed }) {
      const promised = await promises(probe, { count: Math.max(count, by), least: by, seed });
      return { picks: promised.slice(0, by).map(({ draw }) => draw) };
    },
    ...fills,
  };
}

/**
 * Draws N signed, fan-in-scaled directions and keeps those whose outgoing weights have the largest gradient norm per unit
 * of activation norm, through the true activation. Not limited by any rank.
 */
export const candidates: Strategy = bestOf(defaultCandidates);
