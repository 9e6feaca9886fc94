import type { RunPoint } from "../../report/record/run-record.ts";
import type { GrowthRecord } from "../../training/history/record.ts";
import type { ControllerDecision } from "../../training/policy/state.ts";
import type { Trainer } from "../../training/trainer/trainer.ts";
import type { CliIo } from "./io.ts";
import { ProgressBar, type ProgressState } from "./progress-bar.ts";

/** Feeds the progress bar from a recorder's events. */
export class LiveProgress {
  readonly #bar: ProgressBar;
  readonly #trainer: Trainer;
  readonly #steps: number;
  readonly #from: number;
  readonly #started = performance.now();
  #loss = Number.NaN;
  #examples = 0;
  readonly #tests: NonNullable<ProgressState["test"]>[] = [];
  #now = this.#started;

  constructor(io: CliIo, trainer: Trainer, steps: number) {
    this.#bar = new ProgressBar(io, steps === 0 ? 1 : trainer.step / steps);
    this.#trainer = trainer;
    this.#steps = steps;
    this.#from = trainer.step;
  }

  get #examplesPerSecond(): number {
    const seconds = (this.#now - this.#started) / 1000;
    return seconds > 0 ? this.#examples / seconds : 0;
  }

  step(info: { readonly step: number; readonly loss: number; readonly examples: number }): void {
    // Smoothed over about twenty batches, so that the number can be read.
    this.#loss = Number.isNaN(this.#loss) ? info.loss : 0.95 * this.#loss + 0.05 * info.loss;
    this.#examples += info.examples;
    this.#now = performance.now();
    this.#bar.update(this.#now, info.step / this.#steps, () => this.#state(info.step));
  }

  point({ step, test }: RunPoint): void {
    // The score of an untrained network is not worth showing.
    if (test !== undefined && step > 0) this.#tests.push({ step, scores: test });
  }

  note(text: string): void {
    this.#bar.note(text);
  }

  end(): void {
    this.#bar.clear();
  }

  #state(step: number) {
    // A rollback discarded the scores after the step it returned to.
    while ((this.#tests.at(-1)?.step ?? 0) > step) this.#tests.pop();
    const elapsed = (this.#now - this.#started) / 1000;
    const done = step - this.#from;
    return {
      step,
      steps: this.#steps,
      loss: this.#loss,
      test: this.#tests.at(-1),
      metric: this.#trainer.metrics[0]?.name,
      widths: Object.fromEntries(
        this.#trainer.widths.filter((width) => width.growable).map((width) => [width.id, width.size]),
      ),
      examplesPerSecond: this.#examplesPerSecond,
      secondsLeft: done > 0 ? (elapsed / done) * (this.#steps - step) : Number.NaN,
    };
  }
}

/** "step 500: grow hidden1 +16: every 500 updates; it is the turn of hidden1" */
export function decisionText({ step, action, growths, backTo, why }: ControllerDecision): string {
  const what = growths.map(({ width, by }) => ` ${width} +${by}`).join(",");
  return `step ${step}: ${action}${what}${backTo === undefined ? "" : `, back to step ${backTo}`}: ${why}`;
}

/** "step 500: hidden1 16 → 32, loss 0.4127 → 0.4127, outputs identical, 16 of 16 new units have a gradient, 4.6 ms" */
export function growthText(record: GrowthRecord): string {
  const { width, step, size, loss, output, newUnits, identicalUnits, pauseMs } = record;
  const learning = newUnits.filter(({ gradientNorm }) => gradientNorm > 0).length;
  const outputs = output.identical
    ? "outputs identical"
    : `outputs moved by at most ${output.maxDifference.toExponential(1)}, ${output.preserved ? "within" : "BEYOND"} rounding`;
  return [
    `step ${step}: ${width} ${size.before} → ${size.after}`,
    `loss ${loss.before.toFixed(4)} → ${loss.after.toFixed(4)}`,
    outputs,
    `${learning} of ${newUnits.length} new units have a gradient`,
    ...(identicalUnits.length > 0
      ? [`${identicalUnits.length} ${identicalUnits.length === 1 ? "group" : "groups"} identical`]
      : []),
    `${pauseMs.toFixed(1)} ms`,
  ].join(", ");
}
