import type { Model } from "../../graph/model.ts";
import { ParameterOrigins } from "./parameter-origin.ts";
import { constantsOf, trainableOf } from "./trainable.ts";

/** What a run does with the real numbers in a model's file. */
export interface ParameterSummary {
  /** Parameters that are trained, by name, and their numbers of entries. */
  readonly trained: readonly { readonly name: string; readonly entries: number }[];
  /** Parameters that could be trained and are not, and why: the user's wish, or what they are taken as. */
  readonly frozen: readonly { readonly name: string; readonly entries: number; readonly reason: string }[];
  /** Parameters that several nodes share, and how many do. */
  readonly tied: readonly { readonly name: string; readonly readers: number }[];
  /** Parameters that PyTorch trains and the file contains only as what its exporter computed from them. */
  readonly folded: readonly string[];
}

/** Lists what a run trains, leaves unchanged and ties; `frozen` are the names of the parameters left unchanged. */
export function parametersOf(model: Model, frozen: readonly string[]): ParameterSummary {
  const { parameters, nodes } = model.graph;
  const held = new Set(frozen);
  const constants = constantsOf(model);
  const readers = new Map<string, number>();
  for (const name of nodes.flatMap((node) => node.inputs)) readers.set(name, (readers.get(name) ?? 0) + 1);
  const all = trainableOf(model).map((name) => ({ name, entries: parameters.get(name)?.data.length ?? 0 }));
  const trained = all.filter(({ name }) => !held.has(name));
  return {
    trained,
    frozen: all
      .filter(({ name }) => held.has(name))
      .map((one) => ({ ...one, reason: constants.get(one.name) ?? "as asked" })),
    tied: trained
      .map(({ name }) => ({ name, readers: readers.get(name) ?? 0 }))
      .filter((one) => one.readers > 1),
    folded: new ParameterOrigins(model).folded,
  };
}

/** The same in a few lines for people. */
export function parametersText({ trained, frozen, tied, folded }: ParameterSummary): readonly string[] {
  const entries = (list: readonly { readonly entries: number }[]) =>
    list.reduce((sum, one) => sum + one.entries, 0).toLocaleString("en-US");
  const reasons = [...new Set(frozen.map(({ reason }) => reason))];
  return [
    `trained: ${trained.length} parameters of ${entries(trained)} numbers`,
    ...reasons.map((reason) => {
      const list = frozen.filter((one) => one.reason === reason);
      return `frozen (${reason}): ${shortened(list.map(({ name }) => name))}, ${entries(list)} numbers`;
    }),
    ...(tied.length === 0
      ? []
      : [`tied: ${shortened(tied.map(({ name, readers }) => `${name} (read ${readers} times)`))}`]),
    ...(folded.length === 0
      ? []
      : [`folded into others by the exporter, and not trained apart: ${shortened(folded)}`]),
  ];
}

function shortened(names: readonly string[]): string {
  const most = 6;
  return names.length > most
    ? `${names.slice(0, most).join(", ")} and ${names.length - most} more`
    : names.join(", ");
}
