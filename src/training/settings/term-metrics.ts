import { EspalierError } from "../../tensor/errors.ts";
import { unknownName } from "../../tensor/unknown-name.ts";
import { isInModel, lossOf } from "../losses/index.ts";
import type { Metric } from "../metrics/metric.ts";
import { type Term, termsOf } from "./loss-terms.ts";
import type { TaskOptions } from "./task-options.ts";

/** Metrics of the only loss, or of several by name; those of a loss that is not named are its own. */
export type MetricChoice = readonly Metric[] | Readonly<Record<string, readonly Metric[]>>;

/** The metrics of each term. Throws `ARGUMENT` for a list if there are several, and for a name that none has. */
export function metricsOfTerms(task: TaskOptions, choice?: MetricChoice): readonly (readonly Metric[])[] {
  const terms = termsOf(task);
  if (isList(choice)) {
    if (terms.length === 1) return [choice];
    throw new EspalierError("ARGUMENT", {
      thing: "metrics",
      rule: "must say which of several losses they are for",
      received: choice.map(({ name }) => name),
      remedy: `For example metrics: { "${terms[0].name}": [metrics.accuracy()] }.`,
    });
  }
  const names = terms.map(({ name }) => name);
  const unknown = Object.keys(choice ?? {}).find((name) => !names.includes(name));
  if (unknown !== undefined) throw unknownName("ARGUMENT", "loss of metrics", unknown, names);
  return terms.map((term) => choice?.[term.name] ?? usual(term));
}

function isList(choice: MetricChoice | undefined): choice is readonly Metric[] {
  return Array.isArray(choice);
}

function usual({ loss }: Term): readonly Metric[] {
  return isInModel(loss) ? [] : lossOf(loss).metrics;
}

/** A figure that can be watched, and which of two is better. */
export type Watched = Pick<Metric, "name" | "better">;

/** The figures of an evaluation besides the loss: the metrics of each term and, of several terms, its loss. */
export function watchedOf(task: TaskOptions, metrics: readonly (readonly Metric[])[]): readonly Watched[] {
  const terms = termsOf(task);
  const each = (list: (at: number) => readonly Watched[]) =>
    terms.flatMap((term, at) =>
      list(at).map(({ name, better }): Watched => ({ name: scoreName(term, name), better })),
    );
  const losses: readonly Watched[] = terms.length === 1 ? [] : [{ name: "loss", better: "lower" }];
  return [...each((at) => metrics[at] ?? []), ...each(() => losses)];
}

/** What a term's loss or metric is called in an evaluation: "accuracy", or "species.accuracy" if there are several terms. */
export function scoreName({ name, alone }: Pick<Term, "name" | "alone">, score: string): string {
  return alone ? score : `${name}.${score}`;
}
