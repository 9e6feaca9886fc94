import { EspalierError } from "../../tensor/errors.ts";
import type { Factor } from "./optimizer.ts";

/**
 * How the entries that a growth added are trained until they have grown up: as if each generation were a parameter group
 * with a separate learning rate and weight decay. Entries born before the first update are never newborn. A
 * learning rate that suits young weights wrecks a network that has converged, and weight decay shrinks the incoming
 * weights of a unit before its outgoing ones have moved away from zero.
 */
export interface Newborn {
  /** Updates over which their learning rate rises linearly, from 1/warmup of the schedule's at the first to all of it. */
  readonly warmup: number;
  /** Updates that they are young for: `rate` multiplies their learning rate, and their weights do not decay. */
  readonly youth: number;
  readonly rate: number;
}

/** See {@link Newborn}; every part may be left out. */
export interface NewbornOptions {
  /** Default 0: none. */
  readonly warmup?: number;
  /** Default 0. */
  readonly youth?: number;
  /** Default 1; 0 leaves young entries unchanged. Needs `youth`. */
  readonly rate?: number;
}

/** With defaults filled in; undefined if they treat newborns like all others. Throws `ARGUMENT`. */
export function newbornOf({ warmup = 0, youth = 0, rate = 1 }: NewbornOptions): Newborn | undefined {
  const refuse = (name: string, rule: string, received: unknown) =>
    new EspalierError("ARGUMENT", { thing: `newborn.${name}`, rule, received });
  for (const [name, steps] of Object.entries({ warmup, youth })) {
    if (!Number.isSafeInteger(steps) || steps < 0)
      throw refuse(name, "must be a whole number of updates, at least 0", steps);
  }
  if (!Number.isFinite(rate) || rate < 0) throw refuse("rate", "must be finite and not negative", rate);
  if (rate !== 1 && youth === 0)
    throw refuse("rate", "needs `youth`, the number of updates that it applies to", rate);
  return warmup === 0 && youth === 0 ? undefined : { warmup, youth, rate };
}

/** When an update happens. */
export interface UpdateTime {
  /** Updates done before it. */
  readonly step: number;
  /** As in `LearnerState.restart`. */
  readonly restart: number;
  /** The schedule's rate. */
  readonly learningRate: number;
}

/**
 * The value of a factor for entries born after `birth` updates. Moments are as old as the entry or the last restart,
 * whichever is younger; a newborn grows up only from its birth: a restart makes no entry new.
 */
export function factorAt(
  factor: Factor,
  birth: number,
  time: UpdateTime,
  newborn: Newborn | undefined,
): number {
  const { step, restart, learningRate } = time;
  const age = Math.max(1, step + 1 - Math.max(birth, restart));
  if (newborn === undefined || birth === 0) return factor.of(age, learningRate, 1);
  const { warmup, youth, rate } = newborn;
  const lived = Math.max(1, step + 1 - birth);
  const warm = lived < warmup ? lived / warmup : 1;
  const isYoung = lived <= youth;
  return factor.of(age, learningRate * warm * (isYoung ? rate : 1), isYoung ? 0 : 1);
}
