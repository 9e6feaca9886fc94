import type { Dataset } from "../../data/dataset.ts";
import type { ScoreName } from "../../growth/scores/index.ts";
import type { GrowthRecord } from "../history/record.ts";
import type { TrainerState } from "../history/state.ts";
import { checkPolicy } from "../policy/check-policy.ts";
import { type DecisionOutcome, decide, type MeasuredScores } from "../policy/decide.ts";
import { memoryOf } from "../policy/losses.ts";
import type { GrowthPolicy } from "../policy/policy.ts";
import { type ControllerDecision, type ControllerState, newState } from "../policy/state.ts";
import type { LoopTrainer } from "./loop-trainer.ts";
import { observe } from "./observe.ts";

export interface ControllerOptions {
  readonly policy: GrowthPolicy;
  /** The training data: scores and new units are based on a sample of it. */
  readonly data: Dataset;
  /** For trials that are judged by it. */
  readonly validation?: Dataset | undefined;
  /** Updates at which the run is complete. Default: not known. */
  readonly steps?: number;
}

type Decided = Extract<DecisionOutcome, { readonly decision: unknown }>;

/**
 * Lets a trainer grow by a policy. Everything that it knows is in the trainer's progress, so a resumed run decides as an
 * uninterrupted one would. Between two updates: {@link GrowthController.next} and {@link GrowthController.carryOut} until there is
 * no decision; after each update {@link GrowthController.see}.
 */
export class GrowthController {
  readonly #trainer: LoopTrainer;
  readonly #options: ControllerOptions;
  readonly #memory: number;
  #decided: Decided | undefined;

  /**
   * Continues from the trainer's progress if that has a state of the same policy. Else the policy must suit the run; throws
   * `UNKNOWN_WIDTH`, `NOT_GROWABLE` or `ARGUMENT`, as {@link checkPolicy} does.
   */
  constructor(trainer: LoopTrainer, options: ControllerOptions) {
    const { policy, data, validation, steps = Number.POSITIVE_INFINITY } = options;
    this.#trainer = trainer;
    this.#options = options;
    const known = trainer.progress.controller;
    const goesOn = known !== undefined && JSON.stringify(known.policy) === JSON.stringify(policy);
    if (!goesOn) {
      const { widths, parameterCount: parameters, step } = trainer;
      const stepFlops = trainer.nextStepFlops(data);
      checkPolicy(policy, {
        widths,
        parameters,
        stepFlops,
        step,
        steps,
        validation: validation !== undefined,
      });
    }
    this.#memory = memoryOf(policy);
    if (goesOn) {
      // Without a state to return to there is no trial: the weights of another moment have been restored since.
      const open = known.open?.trial && trainer.kept === undefined ? undefined : known.open;
      // What JSON leaves out is restored in its place, so that equal states are equal texts.
      trainer.remember({ ...newState(policy), ...known, open }, trainer.kept);
      return;
    }
    const { step } = trainer;
    // If something grew at this step before there was a controller, it must not grow again.
    const handled = known === undefined && trainer.growths.at(-1)?.step === step ? step : -1;
    trainer.remember({ ...newState(policy, known?.decisions), since: step, handled }, undefined);
  }

  get state(): ControllerState {
    return this.#trainer.progress.controller as ControllerState;
  }

  /** Whether the budget is spent: no update may follow. */
  get over(): boolean {
    return this.state.over !== undefined;
  }

  /** Takes the loss of an update, and the seconds that it took. */
  see(loss: number, seconds: number): void {
    const { state } = this;
    const losses = this.#memory === 0 ? state.losses : [...state.losses, loss].slice(-this.#memory);
    const seen = { ...state, losses, seconds: state.seconds + this.#counted(seconds) };
    this.#trainer.remember(seen, this.#trainer.kept);
  }

  /** What is to be done before the next update; `last`: none follows. Scores cost FLOPs, which are charged at once. */
  async next(last = false): Promise<ControllerDecision | undefined> {
    const { policy, data, validation } = this.#options;
    const trainer = this.#trainer;
    let measured: MeasuredScores = {};
    for (;;) {
      const situation = observe(trainer, policy, data, last);
      const outcome = decide(this.state, situation, measured);
      if (outcome === undefined || "decision" in outcome) {
        this.#decided = outcome;
        return outcome?.decision;
      }
      switch (outcome.ask) {
        case "scores":
          measured = { ...measured, scores: await this.#score(outcome) };
          break;
        case "validation":
          measured = { ...measured, validation: (await trainer.evaluate(validation as Dataset)).loss };
          break;
        case "growing":
          measured = { ...measured, growingFlops: await trainer.growingFlops() };
      }
    }
  }

  /** Carries out the decision of {@link next}. Returns what has grown. */
  async carryOut(): Promise<readonly GrowthRecord[]> {
    if (this.#decided === undefined) return [];
    const { decision, state } = this.#decided;
    const { action } = decision;
    const trainer = this.#trainer;
    this.#decided = undefined;
    const started = performance.now();
    let { kept } = trainer;
    if (action === "undo" && kept !== undefined) await trainer.rollback(kept);
    if (action === "undo" || action === "keep") kept = undefined;
    if (action === "grow" && state.open?.trial) kept = await this.#keep();
    const grown = action === "grow" ? await this.#grow(decision) : [];
    const seconds = state.seconds + this.#counted((performance.now() - started) / 1000);
    trainer.remember({ ...state, seconds }, kept);
    return grown;
  }

  async #keep(): Promise<TrainerState> {
    await this.#trainer.settle();
    return this.#trainer.state();
  }

  async #grow({ growths }: ControllerDecision): Promise<readonly GrowthRecord[]> {
    const { policy, data } = this.#options;
    const { strategy } = policy;
    const records: GrowthRecord[] = [];
    for (const { width, by } of growths) {
      const options = { by, data, ...(strategy === undefined ? {} : { strategy }) };
      records.push(await this.#trainer.widen(width, options));
    }
    return records;
  }

  async #score({ widths, units }: Extract<DecisionOutcome, { readonly ask: "scores" }>) {
    const { policy, data } = this.#options;
    const method = "score" in policy ? (policy.score as ScoreName) : undefined;
    const request = { widths, units, ...(method === undefined ? {} : { method }) };
    const scores = await this.#trainer.score(data, request);
    const flops = scores.reduce((sum, { cost }) => sum + cost.flops, 0);
    const seconds = scores.reduce((sum, { cost }) => sum + cost.seconds, 0);
    const { state } = this;
    const scoringFlops = Math.max(state.scoringFlops, flops);
    this.#trainer.remember(
      { ...state, scoringFlops, seconds: state.seconds + this.#counted(seconds) },
      this.#trainer.kept,
      flops,
    );
    return scores;
  }

  /** Counts time only if it decides something: times are never the same twice. */
  #counted(seconds: number): number {
    const { policy } = this.#options;
    return "budget" in policy && policy.budget?.seconds !== undefined ? seconds : 0;
  }
}
