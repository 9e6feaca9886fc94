import type { Model } from "../../graph/model.ts";
import { saveModel } from "../../models/model-file.ts";
import { htmlReport } from "../../report/html-report.ts";
import { jsonReport } from "../../report/json-report.ts";
import { diagnosisLine } from "../../report/record/metrics-history.ts";
import { decisionLine, growthLine, pointLine } from "../../report/record/metrics-lines.ts";
import type { RunDiagnosis, RunPoint, RunRecord } from "../../report/record/run-record.ts";
import type { GrowthRecord } from "../../training/history/record.ts";
import type { Progress } from "../../training/history/state.ts";
import type { ControllerDecision } from "../../training/policy/state.ts";
import type { Trainer } from "../../training/trainer/trainer.ts";
import type { RunConfig, RunFolder } from "./run-folder.ts";

export const metricsName = "metrics.jsonl";
export const checkpointsName = "checkpoints";
export const bestName = "best";
export const modelName = "model.onnx";
export const htmlName = "report.html";
export const jsonName = "report.json";

const arm = "run";

/** Writes a run's events into its folder as they happen. */
export class RunOutput {
  readonly #folder: RunFolder;
  readonly #trainer: Trainer;
  readonly #deployed: (network: Model) => Model;
  /** The newest checkpoint and its progress, so that no moment is saved twice. */
  #saved: { readonly progress: Progress; readonly path: string } | undefined;

  /** `deployed` turns the trained network into the model to write. */
  constructor(folder: RunFolder, trainer: Trainer, deployed: (network: Model) => Model) {
    this.#folder = folder;
    this.#trainer = trainer;
    this.#deployed = deployed;
  }

  /** Writes the configuration, and the metrics of an earlier part of the run. */
  async begin(config: RunConfig, metrics: string): Promise<void> {
    await this.#folder.writeConfig(config);
    await this.#folder.write(metricsName, metrics);
  }

  point(point: RunPoint): Promise<void> {
    return this.#folder.append(metricsName, pointLine(arm, point));
  }

  decision(decision: ControllerDecision): Promise<void> {
    return this.#folder.append(metricsName, decisionLine(arm, decision));
  }

  growth(record: GrowthRecord): Promise<void> {
    return this.#folder.append(metricsName, growthLine(arm, record));
  }

  diagnosis(diagnosis: RunDiagnosis): Promise<void> {
    return this.#folder.append(metricsName, diagnosisLine(arm, diagnosis));
  }

  /** Saves a checkpoint and returns its path. */
  async checkpoint(): Promise<string> {
    const { progress } = this.#trainer;
    if (this.#saved?.progress === progress) return this.#saved.path;
    const path = await this.#trainer.saveCheckpoint(this.#folder.file(checkpointsName));
    this.#saved = { progress, path };
    return path;
  }

  async best(): Promise<void> {
    await this.#trainer.saveCheckpoint(this.#folder.file(bestName));
  }

  /** Writes the model and the reports. */
  async finish(record: RunRecord): Promise<void> {
    await this.#trainer.settle();
    // Throws if weights are not finite.
    this.#trainer.toBytes();
    await saveModel(this.#deployed(this.#trainer.model), this.#folder.file(modelName));
    await this.#folder.write(jsonName, jsonReport(record));
    await this.#folder.write(htmlName, htmlReport(record));
  }
}
