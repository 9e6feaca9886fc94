import { encodeModel } from "../../formats/onnx/index.ts";
import type { Model } from "../../graph/model.ts";
import { identicalUnits } from "../../growth/examine/diagnose.ts";
import { findWidths, widthOf } from "../../growth/find/widths.ts";
import type { Width } from "../../growth/plan/width.ts";
import { applyShrink, type Drop, dropsTo, dropUnits } from "../../growth/shrink/shrink-apply.ts";
import { planShrink, type ShrinkRequest } from "../../growth/shrink/shrink-plan.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { type Tensor, textsOf } from "../../tensor/tensor.ts";

/** A model and the widths found in it. */
export interface WithWidths {
  readonly model: Model;
  readonly widths: readonly Width[];
}

/**
 * Why two models compute the same for all inputs, if rules prove it; empty if only runs can show it. Either they are the
 * same graph with the same weights, or the larger one becomes the other, byte for byte, when the rules of `shrink` remove
 * its additional units: those whose outgoing weights are zero, or cancel among identical units, or whose values change
 * nothing.
 */
export function exactByRule(before: WithWidths, after: WithWidths): string {
  const [smaller, larger] = weights(before.model) <= weights(after.model) ? [before, after] : [after, before];
  if (same(before.model, after.model)) return "they are the same graph with the same weights";
  const sizes = new Map(smaller.widths.map(({ id, size }) => [id, size]));
  let todo = larger.widths.flatMap(({ id, size }) => {
    const kept = sizes.get(id) ?? size;
    return kept < size ? [{ id, kept, count: size - kept }] : [];
  });
  const gone = todo.map(({ id, count }) => `${count} of ${id}`);
  const drop = dropInto(smaller.model);
  let shrunk = larger;
  // New units may feed other new ones, and can be removed once those are gone.
  while (todo.length > 0) {
    const left = todo.filter(({ id, kept }) => {
      const next = without(shrunk, { id, kept }, drop);
      if (next !== undefined) shrunk = { model: next, widths: findWidths(next) };
      return next === undefined;
    });
    if (left.length === todo.length) return "";
    todo = left;
  }
  if (gone.length === 0 || !same(shrunk.model, smaller.model)) return "";
  return `new units (${gone.join(", ")}) add nothing as long as they are finite, and the rest is the same weights`;
}

/** Compares in place: of a parameter that becomes the other model's, no copy is made, as models may fill half the memory. */
function dropInto({ graph }: Model): Drop {
  return (tensor, edit, plan, merging) => {
    const wanted = graph.parameters.get(edit.parameter);
    const isThere = wanted !== undefined && dropsTo(tensor, edit, plan, wanted);
    return isThere ? wanted : dropUnits(tensor, edit, plan, merging);
  };
}

/** The model without the units from `kept` on; undefined if no rule allows removing them. */
function without(
  { model, widths }: WithWidths,
  { id, kept }: { readonly id: string; readonly kept: number },
  drop: Drop,
): Model | undefined {
  try {
    const width = widthOf(widths, id);
    const isNew = (unit: number) => unit >= kept;
    const alike = identicalUnits(width, model.graph.parameters)
      .map((group) => group.filter(isNew))
      .filter(({ length }) => length > 1);
    const shrink = (whole: Model, now: Width, request: ShrinkRequest) =>
      applyShrink(whole, planShrink(whole, now, request), drop);
    const removed = (whole: Model, now: Width) =>
      shrink(whole, now, { remove: Array.from({ length: now.size - kept }, (_, at) => kept + at) });
    if (alike.length === 0) return removed(model, width);
    // Identical units contribute nothing only together.
    const merged = shrink(model, width, { merge: alike });
    return removed(merged, widthOf(findWidths(merged), id));
  } catch (error) {
    if (error instanceof EspalierError) return undefined;
    throw error;
  }
}

function weights({ graph }: Model): number {
  return [...graph.parameters.values()].reduce((sum, { data }) => sum + data.length, 0);
}

/** Whether two models are written as the same bytes, except for documentation. */
function same(a: Model, b: Model): boolean {
  const [left, right] = [a.graph.parameters, b.graph.parameters];
  if (left.size !== right.size) return false;
  for (const [name, tensor] of left) {
    const other = right.get(name);
    if (other === undefined || !sameTensor(tensor, other)) return false;
  }
  return sameBytes(bytesOf(a), bytesOf(b));
}

function sameTensor(a: Tensor, b: Tensor): boolean {
  if (a.dtype !== b.dtype || a.dims.join() !== b.dims.join()) return false;
  if (a.dtype === "string") return textsOf(a).join("\0") === textsOf(b).join("\0");
  const bytes = ({ data }: Tensor) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return a.data === b.data || sameBytes(bytes(a), bytes(b));
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}

/** All but the parameters, which may be too large to encode. */
function bytesOf({ graph, irVersion, opsets }: Model): Uint8Array {
  const bare = { ...graph, parameters: new Map() };
  return encodeModel({ graph: bare, irVersion, opsets, producer: "", metadata: new Map() });
}
