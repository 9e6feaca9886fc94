import type { DueGrowth } from "./growth-schedule.ts";
import type { GrowthPolicy } from "./policy.ts";

/** What the controller did and why: a line of the run's record. */
export interface ControllerDecision {
  /** Updates done when it was made. */
  readonly step: number;
  /**
   * "grow": widths grew. "keep", "undo": a trial has ended. "skip": a moment passed without growth. "stop": growing has
   * ended, or the budget has, and with it the run.
   */
  readonly action: "grow" | "keep" | "undo" | "skip" | "stop";
  /** What grew, or was undone or kept. */
  readonly growths: readonly DueGrowth[];
  /** One sentence with the numbers that decided. */
  readonly why: string;
  /** The step that training returned to, for "undo". */
  readonly backTo?: number;
  /** The scores that were considered, best first. */
  readonly scores?: readonly ScoreSeen[];
  /** FLOPs spent by the run before it, including the scoring. */
  readonly flops: number;
}

/** What a score said of a width. */
export interface ScoreSeen {
  readonly width: string;
  readonly method: string;
  /** Predicted first-order decrease of the loss by the best new unit, in the units of the loss. */
  readonly best: number;
  /** The same by all the units to be added, for each FLOP, parameter or unit that they cost. */
  readonly perCost: number;
  /** Units that were to be added. */
  readonly by: number;
}

/** A growth whose effect is not known yet. */
export interface OpenGrowth {
  readonly step: number;
  readonly growths: readonly DueGrowth[];
  /** Smoothed loss before it; undefined if there had been no update. */
  readonly loss: number | undefined;
  /** The state before it, to continue from if it is undone. */
  readonly before: Pick<ControllerState, "losses" | "since" | "shares">;
  /** Whether it is to be judged by the policy's trial. */
  readonly trial: boolean;
}

/** A width whose growth was undone, and the step up to which it is left alone. */
export interface Barred {
  readonly until: number;
  /** Growths of it undone in a row. */
  readonly failures: number;
}

/** Everything that decisions depend on in addition to the network: plain data, part of the run's progress. */
export interface ControllerState {
  readonly policy: GrowthPolicy;
  /** Losses of the latest updates, oldest first: as many as the rules need, and none from before a growth. */
  readonly losses: readonly number[];
  /** Updates done at the last moment that was handled; -1 before the first. */
  readonly handled: number;
  /** Updates done at the last growth; 0 before the first. */
  readonly since: number;
  /** Moments of the FLOP budget that have passed. */
  readonly shares: number;
  /** Where the next width of a round robin is looked for. */
  readonly turn: number;
  /** Growths that stayed, by width. */
  readonly grown: Readonly<Record<string, number>>;
  /** Moments at which something grew and stayed. */
  readonly growths: number;
  /** Relative decreases of the smoothed loss that growths brought, oldest first. */
  readonly gains: readonly number[];
  readonly open: OpenGrowth | undefined;
  readonly barred: Readonly<Record<string, Barred>>;
  /** Largest cost of a scoring so far, in FLOPs. */
  readonly scoringFlops: number;
  /** Why growing has ended; undefined while it continues. */
  readonly ended: string | undefined;
  /** Why the run has ended; undefined while its budget lasts. */
  readonly over: string | undefined;
  /** Seconds spent, if the budget limits them. */
  readonly seconds: number;
  readonly decisions: readonly ControllerDecision[];
}

/** The state before the first update under a policy. `past` are the decisions of an earlier one in this run. */
export function newState(policy: GrowthPolicy, past: readonly ControllerDecision[] = []): ControllerState {
  return {
    policy,
    losses: [],
    handled: -1,
    since: 0,
    shares: 0,
    turn: 0,
    grown: {},
    growths: 0,
    gains: [],
    open: undefined,
    barred: {},
    scoringFlops: 0,
    ended: undefined,
    over: undefined,
    seconds: 0,
    decisions: past,
  };
}
