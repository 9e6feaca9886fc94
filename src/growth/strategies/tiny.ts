import { EspalierError } from "../../tensor/errors.ts";
import { type Choice, encodeSide } from "../plan/choice.ts";
import { fillOne, keepZero } from "../plan/fills.ts";
import {
  type Eigenpair,
  eigenFlops,
  eigenpairs,
  type Matrix,
  matrix,
  solveFlops,
  solveSymmetric,
  timesTransposed,
} from "../plan/matrix.ts";
import { incomingParts, outgoingParts, type WidthProbe } from "../plan/probe.ts";
import { refusesPartial, type Strategy } from "../plan/strategy.ts";
import type { Width } from "../plan/width.ts";
import { directionsOf } from "./directions.ts";

/** Amplitudes that the line search tries, with A and Ω both negated too: their product is the same, but not through a ReLU. */
const amplitudes = [4, 2, 1, 0.5, 0.25, 0.125, 0.0625, 0.03125, 2 ** -7, 2 ** -10];

/** Why second moments of a width cannot be measured: there must be one weight on each side of it. */
export function refusesSeveral(width: Width): string | undefined {
  const single = incomingParts(width).length === 1 && outgoingParts(width).length === 1;
  return (
    refusesPartial(width) ??
    (single ? undefined : "second moments need exactly one weight that makes it and one that reads it")
  );
}

/** What the old units cannot do: singular values σ, squared, with their outgoing directions. */
export interface Expansion {
  /** E[V xᵀ]·S⁻¹: [outgoing entries, incoming entries]. */
  readonly solved: Matrix;
  /** Of E[V xᵀ]·S⁻¹·E[x Vᵀ], so that values are σ². */
  readonly pairs: readonly Eigenpair[];
}

export async function expansionOf(probe: WidthProbe): Promise<Expansion> {
  const { pull, inputMoment } = await probe.residual();
  const solved = solveSymmetric(inputMoment, pull);
  const pairs = eigenpairs(timesTransposed(solved, pull));
  probe.charge(
    solveFlops(pull.columns, pull.rows) + 2 * pull.rows ** 2 * pull.columns + eigenFlops(pull.rows),
  );
  return { solved, pairs };
}

/**
 * New units that do what the old ones cannot: with the residual V = -g - dW*·h, S = E[x xᵀ] and the singular values
 * S^(-½)·E[x Vᵀ] = U·Σ·Wᵀ, incoming weights S^(-½)·U·√Σ and outgoing ones √Σ·Wᵀ, both times the root of an amplitude that
 * a line search on the data finds. The activation is treated as linear around 0. Outputs move, deliberately.
 */
export const tiny: Strategy = {
  name: "tiny",
  summary:
    "the directions that the old units cannot follow, at the amplitude that lowers the loss most; changes the outputs",
  source: "Verbockhaven et al., Growing tiny networks: spotting expressivity bottlenecks, TMLR 2024",
  preserves: false,
  refuses: refusesSeveral,
  async choose(probe, { by }) {
    const { solved, pairs } = await expansionOf(probe);
    const chosen = directionsOf(probe.width, pairs, by, "tiny");
    const incoming = matrix(by, solved.columns);
    const outgoing = matrix(by, solved.rows);
    chosen.forEach(({ value, vector }, unit) => {
      const root = Math.sqrt(Math.sqrt(value));
      for (let entry = 0; entry < solved.rows; entry++) {
        const weight = vector[entry] as number;
        outgoing.data[unit * solved.rows + entry] = root * weight;
        // S^(-½)·u·√σ = S⁻¹·E[x Vᵀ]·w / √σ.
        for (let at = 0; at < solved.columns; at++) {
          const index = unit * solved.columns + at;
          incoming.data[index] =
            (incoming.data[index] as number) +
            (weight * (solved.data[entry * solved.columns + at] as number)) / root;
        }
      }
    });
    return bestScale(probe, by, (scale) => ({
      values: {
        ...encodeSide(incomingParts(probe.width), probe.entries, scaled(incoming, scale)),
        ...encodeSide(outgoingParts(probe.width), probe.entries, scaled(outgoing, scale)),
      },
    }));
  },
  incoming: keepZero,
  outgoing: keepZero,
  shift: keepZero,
  scale: fillOne,
};

async function bestScale(
  probe: WidthProbe,
  by: number,
  choiceAt: (scale: number) => Choice,
): Promise<Choice> {
  let best: { readonly loss: number; readonly choice: Choice } | undefined;
  for (const scale of amplitudes.flatMap((amplitude) => [Math.sqrt(amplitude), -Math.sqrt(amplitude)])) {
    const choice = choiceAt(scale);
    const loss = await probe.lossWith(choice, by);
    if (Number.isFinite(loss) && (best === undefined || loss < best.loss)) best = { loss, choice };
  }
  if (best !== undefined) return best.choice;
  throw new EspalierError("ARGUMENT", {
    thing: `widening ${probe.width.id} by tiny`,
    rule: "needs an amplitude at which the loss is finite",
    received: amplitudes,
    remedy: "Look at the loss: the network may have diverged.",
  });
}

function scaled({ rows, columns, data }: Matrix, factor: number): Matrix {
  return matrix(
    rows,
    columns,
    data.map((value) => factor * value),
  );
}
