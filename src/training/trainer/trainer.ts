import { platform } from "#platform";
import type { Dataset } from "../../data/dataset.ts";
import type { Feeds } from "../../engine/session.ts";
import { encodeModel } from "../../formats/onnx/index.ts";
import { type Model, withParameters } from "../../graph/model.ts";
import type { WidthDiagnosis } from "../../growth/examine/diagnose.ts";
import type { WidthScore } from "../../growth/plan/score.ts";
import type { Width } from "../../growth/plan/width.ts";
import type { ShrinkChoice } from "../../growth/shrink/shrink-choice.ts";
import { inEvaluation } from "../../ops/rewrites/evaluation.ts";
import { checkOptionNames } from "../../tensor/known-options.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type Compilation, compileModel, recompile, releaseCompilation } from "../compilation/compilation.ts";
import type { Evaluation } from "../compilation/evaluator.ts";
import { feedsOf, firstWorkingBatch, type Given, headOf } from "../compilation/probe.ts";
import { type DiagnoseOptions, diagnoseNames, diagnoseWidths } from "../examine/evidence.ts";
import { Feeding } from "../graphs/feeding.ts";
import { costOf, flopsPerExample, StepFlops } from "../graphs/flops.ts";
import { encodeCheckpoint } from "../history/checkpoint.ts";
import { addCheckpoint } from "../history/checkpoint-folder.ts";
import { withMasks } from "../history/dropout-masks.ts";
import { lineagesOf } from "../history/lineage.ts";
import { openCheckpoint, type ResumeOptions } from "../history/open-checkpoint.ts";
import type { FitResult, GrowthRecord, ShrinkRecord } from "../history/record.ts";
import { rolledBack } from "../history/rollback.ts";
import { charged, noProgress, type Progress, type TrainerState, updated } from "../history/state.ts";
import { Sample, type SampleOptions, sampleNames } from "../measure/sample.ts";
import { type ScoreRequest, scoreNames, scoreWidths } from "../measure/score-widths.ts";
import type { Metric } from "../metrics/metric.ts";
import type { DueGrowth } from "../policy/growth-schedule.ts";
import type { ControllerState } from "../policy/state.ts";
import { growingFlops } from "../resize/growing-flops.ts";
import { countGrown } from "../resize/grown-count.ts";
import { shrinkNow } from "../resize/shrink.ts";
import { type Growing, type ResizedModel, withVariables } from "../resize/size-change.ts";
import { type WidenOptions, widenNow, widenRequest } from "../resize/widen.ts";
import { rateAt } from "../schedules/index.ts";
import { checkOptions, type TrainerOptions, type TrainerSettings } from "../settings/options.ts";
import { type MetricChoice, metricsOfTerms, type Watched, watchedOf } from "../settings/term-metrics.ts";
import { faultOf, judgeWeights, lossDiverged, weightsDiverged } from "./divergence.ts";
import { type FitOptions, runFit } from "./fit.ts";
import type { LoopTrainer } from "./loop-trainer.ts";
import { Mutex } from "./mutex.ts";
import { Run } from "./run.ts";
import { type RunOptions, runNames } from "./run-options.ts";

/** Trains a model and widens it while it trains. */
export class Trainer implements LoopTrainer {
  readonly settings: TrainerSettings;
  /** The figures of an evaluation besides the loss. Of several losses, those of each come with its name in front. */
  readonly metrics: readonly Watched[];
  readonly #metrics: readonly (readonly Metric[])[];
  #compiled: Compilation;
  #model: Model;
  #progress: Progress;
  #kept: TrainerState | undefined;
  readonly #stepFlops: StepFlops;
  readonly #turns = new Mutex();
  /** The last training batch, to measure growth on. */
  #lastBatch: Feeds | undefined;
  /** Whether the weights have changed since a loss was last seen to be finite. */
  #unjudged = false;
  /** One data set at a time is trained on. */
  #feeding: Feeding | undefined;

  private constructor(
    settings: TrainerSettings,
    metrics: MetricChoice | undefined,
    compiled: Compilation,
    state: Omit<TrainerState, "learner">,
  ) {
    this.settings = settings;
    this.#metrics = metricsOfTerms(settings, metrics);
    this.metrics = watchedOf(settings, this.#metrics);
    this.#compiled = compiled;
    this.#model = state.model;
    this.#progress = state.progress;
    this.#kept = state.kept;
    this.#stepFlops = new StepFlops(settings.optimizer);
  }

  /**
   * A trainer for a model built by `nn` or read from a file. Throws `ARGUMENT` for options that make no sense,
   * `UNSUPPORTED_OPERATOR` for a model that cannot be differentiated.
   */
  static async create(model: Model, options: TrainerOptions = {}): Promise<Trainer> {
    const settings = checkOptions(options, model);
    const compiled = await compileModel(model, settings);
    return new Trainer(settings, options.metrics, compiled, { model, progress: noProgress });
  }

  /** Resumes from a folder of `saveCheckpoint` or the bytes of `checkpoint`. Throws `CHECKPOINT_MISSING` or `CHECKPOINT_CORRUPT`. */
  static async resume(source: string | Uint8Array, options: ResumeOptions = {}): Promise<Trainer> {
    const { settings, state } = await openCheckpoint(source, options);
    const compiled = await compileModel(state.model, settings, state.learner);
    return new Trainer(settings, options.metrics, compiled, state);
  }

  /** The model as it is now. */
  get model(): Model {
    const { variables } = this.#compiled.learner.state();
    return withParameters(this.#model, new Map([...this.#model.graph.parameters, ...variables]));
  }

  /** Every width of the model, whether it can grow, and why not. */
  get widths(): readonly Width[] {
    return this.#compiled.widths;
  }

  /** What was assumed of the model's output and axes, in sentences. */
  get notes(): readonly string[] {
    return this.#compiled.program.notes;
  }

  get progress(): Progress {
    return this.#progress;
  }

  /** Updates done. */
  get step(): number {
    return this.#progress.step;
  }

  /** Growths so far, oldest first. */
  get growths(): readonly GrowthRecord[] {
    return this.#progress.growths;
  }

  /** Shrinks so far, oldest first. */
  get shrinks(): readonly ShrinkRecord[] {
    return this.#progress.shrinks;
  }

  /** Entries of the trained parameters. */
  get parameterCount(): number {
    return this.parametersAfter([]);
  }

  /** The same after these growths; an upper bound if two of the widths share an axis. */
  parametersAfter(growths: readonly DueGrowth[]): number {
    return countGrown(this.#compiled, this.#model, growths);
  }

  /** What one more example adds to a training step, forward and backward. */
  get flopsPerExample(): number {
    return flopsPerExample(costOf(this.#compiled, this.#lastBatch));
  }

  /** Trains until steps or epochs are done, or something stops it. Throws `ARGUMENT`, `DIVERGED`, and `BUSY` during another fit. */
  fit(data: Dataset, options: FitOptions): Promise<FitResult> {
    return runFit(this, data, options);
  }

  /** The same as a sequence of events, to watch, pause, step through or stop; see {@link Run}. Throws `ARGUMENT` at once. */
  run(data: Dataset, options: RunOptions): Run {
    checkOptionNames("run", options, runNames);
    return new Run(this, data, options);
  }

  /**
   * One update on the next batch of `data`. Returns the batch's loss before the update. Throws `DIVERGED` if it is
   * not finite; the weights of the last finite loss are kept.
   */
  trainStep(data: Dataset): Promise<{ readonly loss: number; readonly size: number }> {
    return this.#turns.take(async () => {
      const { feeds, size } = this.#begin(data).batch(this.#progress);
      const { step } = this;
      this.#lastBatch = feeds;
      const loss = await this.#compiled.learner.step(this.#withMasks(feeds, this.widths), step);
      this.#unjudged = Number.isFinite(loss);
      if (!this.#unjudged) throw lossDiverged(step, loss, rateAt(this.settings.optimizer.learningRate, step));
      const paid = charged(this.#progress, "training", this.#stepFlops.of(size, this.#compiled, feeds));
      this.#progress = updated(paid, size, data.count);
      return { loss, size };
    });
  }

  /** Prepares to train on `data`. */
  #begin(data: Dataset): Feeding {
    if (this.#feeding?.data === data) return this.#feeding;
    if (this.#progress.offset >= data.count) this.#progress = { ...this.#progress, offset: 0 };
    this.#feeding = new Feeding(this.#compiled.program, data, this.settings);
    this.#stepFlops.forget();
    this.#lastBatch = this.#feeding.batch(this.#progress).feeds;
    return this.#feeding;
  }

  /** FLOPs of the next update on `data`. */
  nextStepFlops(data: Dataset): number {
    const size = this.#begin(data).sizeAt(this.#progress.offset);
    return this.#stepFlops.of(size, this.#compiled, this.#lastBatch);
  }

  /** FLOPs of measuring a growth, for a network of the present size. */
  async growingFlops(): Promise<number> {
    return growingFlops(this.#compiled, this.#compiled, await this.#probe(), this.settings);
  }

  /**
   * Checks the last update, which no loss has judged yet. If it ruined the weights, restores those of the last finite
   * loss and throws `DIVERGED`. `fit`, `widen`, `save` and `checkpoint` do this themselves.
   */
  settle(): Promise<void> {
    return this.#turns.take(() => this.#settle());
  }

  async #settle(): Promise<void> {
    const batch = this.#lastBatch;
    if (!this.#unjudged || batch === undefined) return;
    const { fault, mended } = await judgeWeights(this.#compiled, batch, {
      masked: this.#withMasks(batch, this.widths),
      step: this.step,
    });
    this.#unjudged = fault !== undefined && !mended;
    if (fault !== undefined) throw weightsDiverged(this.step, fault, mended);
  }

  /** Loss and metrics over a data set, without dropout and with running statistics. */
  evaluate(data: Dataset, { batchSize = 256 }: { batchSize?: number } = {}): Promise<Evaluation> {
    return this.#turns.take(() =>
      this.#compiled.evaluator.evaluate(this.#compiled.learner.variables, data, this.#metrics, batchSize),
    );
  }

  /** The output [batch, ...]; of several trained outputs, the first. Throws `SHAPE_MISMATCH`. */
  async predict(given: Given): Promise<Tensor> {
    const [first = ""] = this.#compiled.program.outputs;
    return (await this.predictAll(given))[first] as Tensor;
  }

  /** Every trained output by name, as {@link Trainer.predict} gives the first. */
  predictAll(given: Given): Promise<Feeds> {
    return this.#turns.take(() => {
      const { evaluator, learner, program } = this.#compiled;
      return evaluator.predict(learner.variables, feedsOf(program, given));
    });
  }

  /**
   * Widens a layer by `by` units without changing what the network computes, and measures it on the last training
   * batch (or a synthetic one before training). The optimizer's state grows too. Throws `UNKNOWN_WIDTH`, `ARGUMENT` or
   * `NOT_GROWABLE`, and then nothing has changed, and `DIVERGED` as {@link settle} does.
   */
  widen(width: string, options: WidenOptions): Promise<GrowthRecord> {
    return this.#turns.take(async () => {
      await this.#settle();
      const evaluation = await this.#probe();
      const now = await widenNow(this.#growing, {
        ...widenRequest(width, options, this.#now),
        born: lineagesOf(this.#progress).get(width)?.next,
        probe: { evaluation, training: (grown) => this.#withMasks(evaluation, grown) },
      });
      return this.#resized(now, { growths: [...this.growths, now.record] });
    });
  }

  /**
   * Removes units from a layer, such as those that are dead, and merges identical ones. Chooses and measures on the first
   * 256 examples of `data`, else on the last training batch (or a synthetic one). The optimizer's state shrinks too.
   * Only a choice by importance, or of collapsing units, may change what the network computes; the record says how
   * far. Throws `UNKNOWN_WIDTH`, `ARGUMENT` or `NOT_SHRINKABLE`, and then nothing has changed, and `DIVERGED`.
   */
  shrink(width: string, choice: ShrinkChoice, data?: Dataset): Promise<ShrinkRecord> {
    return this.#turns.take(async () => {
      await this.#settle();
      const evaluation = await this.#probe(data);
      const { growths, shrinks } = this.#progress;
      const probe = { evaluation, training: this.#withMasks(evaluation, this.widths) };
      const now = await shrinkNow(this.#growing, width, { choice, probe, growths });
      return this.#resized(now, { shrinks: [...shrinks, now.record] });
    });
  }

  get #growing(): Growing {
    return { model: this.#model, compiled: this.#compiled, step: this.step, settings: this.settings };
  }

  #resized<R extends GrowthRecord | ShrinkRecord>(now: ResizedModel<R>, progress: Partial<Progress>): R {
    this.#model = now.model;
    this.#compiled = now.compiled;
    this.#progress = { ...charged(this.#progress, "growing", now.record.flops), ...progress };
    return now.record;
  }

  /**
   * Predicts, on a sample of `data`, how much the best new units of each width would lower the loss. Changes nothing;
   * the scores include their cost. Throws `UNKNOWN_WIDTH`, `ARGUMENT`.
   */
  score(data: Dataset, options: ScoreRequest & SampleOptions = {}): Promise<readonly WidthScore[]> {
    checkOptionNames("score", options, { ...scoreNames, ...sampleNames });
    const sample = new Sample(data, options, this.#now);
    return this.#turns.take(() => {
      const { settings } = this;
      const { widths, measurements: compiled, learner } = this.#compiled;
      const model = withVariables(this.#model, Object.entries(learner.variables));
      return scoreWidths({ model, widths, settings, compiled }, sample, options, settings.seed);
    });
  }

  /** Dead, identical and collapsing units of every width that can grow, on one batch of `data` (or the last one trained on). */
  diagnose(data?: Dataset, options: DiagnoseOptions = {}): Promise<readonly WidthDiagnosis[]> {
    checkOptionNames("diagnose", options, diagnoseNames);
    return this.#turns.take(async () => {
      const batch = await this.#probe(data, options.batchSize);
      return diagnoseWidths(this.#compiled, batch, this.#withMasks(batch, this.widths), options);
    });
  }

  /**
   * Writes the model, as it is now, as a plain ONNX inference model that any ONNX tool opens. Node only. Throws
   * `DIVERGED` as {@link settle} does, and then writes nothing.
   */
  async save(path: string): Promise<void> {
    await this.settle();
    await platform.writeFile(path, this.toBytes());
  }

  /** The bytes that `save` writes. Throws `DIVERGED` for weights that are not finite. */
  toBytes(): Uint8Array {
    const fault = faultOf(this.#compiled.learner.variables);
    if (fault !== undefined) throw weightsDiverged(this.step, fault, false);
    return encodeModel(inEvaluation(this.model));
  }

  /** Adds a checkpoint to a folder and returns its path; a crash at any moment leaves the last one readable. Node only. */
  async saveCheckpoint(folder: string): Promise<string> {
    return addCheckpoint(folder, this.step, await this.checkpoint());
  }

  /** Everything that {@link Trainer.resume} needs, as bytes. Throws `DIVERGED` as {@link settle} does. */
  async checkpoint(): Promise<Uint8Array> {
    await this.settle();
    return encodeCheckpoint({ settings: this.settings, state: this.state() });
  }

  /** A copy of everything that training changes. */
  state(): TrainerState {
    const learner = this.#compiled.learner.state();
    return { model: this.model, learner, progress: this.#progress, kept: this.#kept };
  }

  /** The state to which the current trial of a growth, if any, returns if it fails. */
  get kept(): TrainerState | undefined {
    return this.#kept;
  }

  /** For the growth controller: its state, the state that it keeps to return to, and FLOPs that it spent on scores. */
  remember(controller: ControllerState, kept: TrainerState | undefined, scoring = 0): void {
    this.#progress = { ...charged(this.#progress, "scoring", scoring), controller };
    this.#kept = kept;
  }

  /** Restores a state of this run, such as the best so far; compiles again if its graph differs. */
  async restore(state: TrainerState): Promise<void> {
    this.#compiled = await recompile(this.#compiled, this.#model, state, this.settings);
    this.#model = state.model;
    this.#progress = state.progress;
    this.#kept = state.kept;
    this.#unjudged = true;
  }

  /** Restores the weights (and widths) of an earlier state of this run, but keeps the present progress. */
  async restoreWeights(state: TrainerState): Promise<void> {
    const { growths, shrinks } = state.progress;
    await this.restore({ ...state, progress: { ...this.#progress, growths, shrinks }, kept: undefined });
  }

  /**
   * Undoes a trial: continues from an earlier state of this run bit for bit as if nothing had been done since, but
   * keeps count of the cost. `progress.flops` still counts what was spent, and `progress.rollbacks` says what was tried.
   * {@link settle} before taking the state, so that a later divergence has good weights to return to. Throws
   * `ARGUMENT` for a state that is not an earlier one of this run, and then nothing has changed.
   */
  rollback(state: TrainerState): Promise<void> {
    return this.#turns.take(() =>
      this.restore({ ...state, progress: rolledBack(this.#progress, state.progress) }),
    );
  }

  /** Frees the engine's memory. The trainer must not be used afterwards. */
  dispose(): Promise<void> {
    return this.#turns.take(() => releaseCompilation(this.#compiled));
  }

  /** What seeded draws depend on at this moment. */
  get #now(): { readonly seed: number; readonly step: number } {
    return { seed: this.settings.seed, step: this.step };
  }

  async #probe(data?: Dataset, size = 256): Promise<Feeds> {
    if (data !== undefined) return headOf(this.#compiled.program, data, size);
    return this.#lastBatch ?? firstWorkingBatch(this.#compiled, this.settings);
  }

  #withMasks(feeds: Feeds, widths: readonly Width[]): Feeds {
    const at = { ...this.#now, lineages: lineagesOf(this.#progress) };
    return withMasks(this.#compiled.program, widths, feeds, at);
  }
}
