import { encodeModel } from "../../formats/onnx/index.ts";
import type { Model } from "../../graph/model.ts";
import { findWidths, widthOf } from "../../growth/find/widths.ts";
import { applyShrink } from "../../growth/shrink/shrink-apply.ts";
import { planShrink } from "../../growth/shrink/shrink-plan.ts";
import { EspalierError } from "../../tensor/errors.ts";

/**
 * Why two models compute the same whatever the inputs are, as far as rules tell; empty where only runs can. They are the
 * same graph with the same weights, or the larger one becomes the other, byte for byte, when the rules of `shrink` take
 * out the units that it has in addition: those whose outgoing weights are zero, or that hold what changes nothing.
 */
export function exactByRule(before: Model, after: Model): string {
  if (sameBytes(before, after)) return "they are the same graph with the same weights";
  const [smaller, larger] = weights(before) <= weights(after) ? [before, after] : [after, before];
  const sizes = new Map(findWidths(smaller).map(({ id, size }) => [id, size]));
  let todo = findWidths(larger).flatMap(({ id, size }) => {
    const kept = sizes.get(id) ?? size;
    return kept < size ? [{ id, remove: Array.from({ length: size - kept }, (_, at) => kept + at) }] : [];
  });
  const gone = todo.map(({ id, remove }) => `${remove.length} of ${id}`);
  let shrunk = larger;
  // New units may feed other new ones: which can go once those are gone.
  while (todo.length > 0) {
    const left = todo.filter(({ id, remove }) => {
      const next = without(shrunk, id, remove);
      shrunk = next ?? shrunk;
      return next === undefined;
    });
    if (left.length === todo.length) return "";
    todo = left;
  }
  if (gone.length === 0 || !sameBytes(shrunk, smaller)) return "";
  return `new units (${gone.join(", ")}) add nothing as long as what they hold is finite, and the rest is the same weights`;
}

/** The model without these units; undefined where no rule lets them go. */
function without(model: Model, id: string, remove: readonly number[]): Model | undefined {
  try {
    return applyShrink(model, planShrink(model, widthOf(findWidths(model), id), { remove }));
  } catch (error) {
    if (error instanceof EspalierError) return undefined;
    throw error;
  }
}

function weights({ graph }: Model): number {
  return [...graph.parameters.values()].reduce((sum, { data }) => sum + data.length, 0);
}

/** Whether two models are written as the same bytes, but for remarks. */
function sameBytes(a: Model, b: Model): boolean {
  if (weights(a) !== weights(b)) return false;
  const [left, right] = [bytesOf(a), bytesOf(b)];
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

function bytesOf({ graph, irVersion, opsets }: Model): Uint8Array {
  return encodeModel({ graph, irVersion, opsets, producer: "", metadata: new Map() });
}
