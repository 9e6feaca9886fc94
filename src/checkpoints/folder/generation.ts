import { editJson, spansOf } from "./json-text.ts";

export const generationName = "generation_config.json";

/** A list of [layer, head] in generation_config.json, and the layers after which new ones were inserted. */
export interface Renumbering {
  readonly key: string;
  readonly after: readonly number[];
}

/** The file with the old layers under their new numbers; Whisper reads word timestamps off such heads. Throws `FORMAT`. */
export function renumberLayers(bytes: Uint8Array, renumberings: readonly Renumbering[]): Uint8Array {
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  spansOf(text, generationName);
  const values = JSON.parse(text) as Readonly<Record<string, unknown>>;
  const edits = renumberings.flatMap(({ key, after }) => {
    const list = values[key];
    if (!Array.isArray(list)) return [];
    const moved = list.map(([layer, head]) => [layer + after.filter((one) => one < layer).length, head]);
    return [{ path: [key], text: JSON.stringify(moved) }];
  });
  return new TextEncoder().encode(editJson(text, edits, generationName));
}
