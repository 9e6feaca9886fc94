import type { Graph, Notes } from "./model.ts";

/** Metadata key for a parameter that its exporter wrote as a Constant node; kept from file to file. */
const key = "espalier.lifted";

/** The graph's parameter notes, with the addition that `names` were Constant nodes. */
export function noteLifted(graph: Graph, names: Iterable<string>): ReadonlyMap<string, Notes> {
  const notes = new Map(graph.parameterNotes);
  for (const name of names) {
    const old = notes.get(name);
    notes.set(name, { ...old, metadata: new Map([...(old?.metadata ?? []), [key, "Constant"]]) });
  }
  return notes;
}

/** Whether a parameter was a Constant node. */
export function wasLifted({ parameterNotes }: Graph, name: string): boolean {
  return parameterNotes?.get(name)?.metadata?.has(key) === true;
}
