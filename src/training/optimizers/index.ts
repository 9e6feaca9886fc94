import { unknownName } from "../../tensor/unknown-name.ts";
import type { PlainOptions } from "../options/option-rules.ts";
import type { Schedule } from "../schedules/index.ts";
import { adagrad } from "./adagrad.ts";
import { adam, adamw } from "./adam.ts";
import { lion } from "./lion.ts";
import { muon } from "./muon.ts";
import type { Optimizer, OptimizerMaker } from "./optimizer.ts";
import { rmsprop } from "./rmsprop.ts";
import { sgd } from "./sgd.ts";

/** The one table of optimizers. */
export const optimizers = { sgd, adam, adamw, lion, rmsprop, adagrad, muon } as const;

export type OptimizerName = keyof typeof optimizers;

export const optimizerNames = Object.keys(optimizers) as OptimizerName[];

/** The function that makes an optimizer of the table. Throws `ARGUMENT` for other names, with `more` as a remedy. */
export function makerOf(name: string, more?: string): OptimizerMaker {
  if (Object.hasOwn(optimizers, name)) return optimizers[name as OptimizerName] as unknown as OptimizerMaker;
  throw unknownName("ARGUMENT", "optimizer", name, optimizerNames, more);
}

/** Makes an optimizer again from what a checkpoint or a command line says. Throws `ARGUMENT`. */
export function optimizerOf(
  name: string,
  options: PlainOptions,
  learningRate?: number | Schedule,
): Optimizer {
  const make = makerOf(name) as (options: Readonly<Record<string, unknown>>) => Optimizer;
  return make(learningRate === undefined ? options : { ...options, learningRate });
}
