import { percent, plural, significant } from "../report/drawing/figures.ts";
import type { Against, LineSummary } from "./analyze.ts";
import type { Estimate } from "./statistics/bootstrap.ts";

/** What a ratio of costs says: "saves" or "loses" if its whole interval is on one side of 1. */
export type Verdict = "saves" | "loses" | "undecided";

export function verdictOf({ low, high }: Estimate): Verdict {
  if (high < 1) return "saves";
  return low > 1 ? "loses" : "undecided";
}

/** A line's story in sentences, each drawn from its numbers. */
export interface Finding {
  readonly name: string;
  readonly flops: Verdict;
  readonly seconds: Verdict;
  readonly text: string;
  /** The ways in which it loses to the reference, one sentence each. */
  readonly losses: readonly string[];
}

export function findingsOf(lines: readonly LineSummary[], reference: string): readonly Finding[] {
  return lines.flatMap(({ name, against }) =>
    against === undefined ? [] : [finding(name, against, reference)],
  );
}

function finding(name: string, against: Against, reference: string): Finding {
  const [headline] = against.toTarget;
  const { pairs, lossAtEqualFlops } = against;
  const { flops, seconds, reached } = headline as Against["toTarget"][number];
  const inFlops = verdictOf(flops);
  const inSeconds = verdictOf(seconds);
  const arrival =
    reached === pairs ? `all ${plural(pairs, "seed")}` : `${reached} of ${plural(pairs, "seed")}`;
  const cost = Number.isFinite(flops.value)
    ? `${costText(flops, "FLOPs", inFlops)} and ${costText(seconds, "seconds", inSeconds)}`
    : "so that the median seed never did, at any cost";
  const text = `"${name}" reached the best validation loss of "${reference}" on ${arrival}, ${cost}. For the same FLOPs its loss was ${ratioText(lossAtEqualFlops)} of the reference's.`;
  const losses = [
    ...(!Number.isFinite(flops.value)
      ? [`it did not reach the loss of "${reference}" on ${pairs - reached} of ${plural(pairs, "seed")}`]
      : []),
    ...(inFlops === "loses" && Number.isFinite(flops.value)
      ? [`it took ${ratioText(flops)} of the FLOPs`]
      : []),
    ...(inSeconds === "loses" && Number.isFinite(seconds.value)
      ? [`it took ${ratioText(seconds)} of the seconds`]
      : []),
    ...(verdictOf(lossAtEqualFlops) === "loses"
      ? [`for the same FLOPs its loss was ${ratioText(lossAtEqualFlops)} of the reference's`]
      : []),
    ...againstTheGrain(against),
  ];
  return { name, flops: inFlops, seconds: inSeconds, text, losses };
}

/** Even an arm that saves may lose on some seeds. */
function againstTheGrain({ pairs, winsInFlops }: Against): readonly string[] {
  const lost = Math.round((1 - winsInFlops.value) * pairs);
  if (lost === 0 || winsInFlops.value < 0.5) return [];
  return [`on ${lost} of ${plural(pairs, "seed")} (${percent(lost / pairs)}) it took no fewer FLOPs`];
}

const costText = (ratio: Estimate, unit: string, verdict: Verdict) =>
  `at ${ratioText(ratio)} of its ${unit} (${verdict === "undecided" ? "undecided" : `it ${verdict}`})`;

/** "0.74 (0.66 to 0.85)"; ∞ if the median run never arrived. */
export function ratioText({ value, low, high }: Estimate): string {
  if (Number.isNaN(value)) return "–";
  return `${shortRatio(value)} (${shortRatio(low)} to ${shortRatio(high)})`;
}

export const shortRatio = (value: number) =>
  Number.isFinite(value) ? significant(value, value < 1 ? 2 : 3) : "∞";
