import { EspalierError } from "../../tensor/errors.ts";
import type { Stack } from "../architecture/structure.ts";
import type { Growing, GrownTensor } from "./growing.ts";

/**
 * Inserts a copy of each layer in `after` behind it, silenced: what it adds to the stream is zero. Layers are numbered as
 * they were before. Fields with an entry for each layer are written out, as classes compute them from a layer's number.
 */
export function deepen(growing: Growing, after: readonly number[]): void {
  if (after.length === 0) return;
  const { stacks, fields, sizes } = growing.structure;
  refuseUnknownFields(growing);
  for (const stack of stacks) {
    const wrong = after.find((index) => index >= stack.count);
    if (wrong === undefined) continue;
    throw new EspalierError("ARGUMENT", {
      thing: "depth",
      rule: `can grow after layers 0 to ${stack.count - 1}`,
      received: wrong,
    });
  }
  const lists = new Map<string, readonly string[]>();
  for (const stack of stacks) {
    growing.tensors = withCopies(growing, stack, after);
    for (const [key, entries] of Object.entries(stack.lists)) {
      lists.set(
        key,
        entries.flatMap((entry, index) => [entry, ...after.filter((one) => one === index).map(() => entry)]),
      );
    }
  }
  const layers = (sizes.layers as number) + after.length;
  const counts = Object.fromEntries((fields.layers ?? []).map((key) => [key, layers]));
  growing.configure({ ...Object.fromEntries(lists), ...counts });
  growing.steps.push({
    field: fields.layers?.[0] as string,
    from: sizes.layers as number,
    to: layers,
    method: "silent layers",
  });
}

function withCopies(growing: Growing, stack: Stack, after: readonly number[]) {
  const { prefix, once } = stack;
  const tensors = new Map<string, GrownTensor>();
  for (const tensor of growing.tensors.values()) {
    const rest = tensor.name.startsWith(prefix) ? tensor.name.slice(prefix.length) : "";
    const [, digits = "", inner = ""] = /^(\d+)\.(.*)$/s.exec(rest) ?? [];
    if (digits === "") {
      tensors.set(tensor.name, tensor);
      continue;
    }
    const index = Number(digits);
    const moved = index + after.filter((one) => one < index).length;
    const copies = once?.test(inner) === true ? 0 : after.filter((one) => one === index).length;
    for (let copy = 0; copy <= copies; copy++) {
      const name = `${prefix}${moved + copy}.${inner}`;
      const constant = constantOf(stack, inner, copy, copies);
      const value = (constant ?? 0) - growing.offsetOf(tensor.name);
      const stages =
        constant === undefined ? tensor.stages : [...tensor.stages, { kind: "constant" as const, value }];
      tensors.set(name, { ...tensor, name, stages });
    }
  }
  return tensors;
}

/** The one value of all entries of a parameter in the `copy`-th new layer; undefined if it keeps the old values. */
function constantOf(
  { silenced, postNorm }: Stack,
  inner: string,
  copy: number,
  copies: number,
): number | undefined {
  const isOf = (norm: string | undefined) => inner === `${norm}.weight` || inner === `${norm}.bias`;
  const plain = inner.endsWith(".weight") ? 1 : 0;
  if (isOf(postNorm?.last)) return copy < copies ? plain : undefined;
  if (copy === 0) return undefined;
  if (isOf(postNorm?.inner)) return plain;
  return silenced.test(inner) ? 0 : undefined;
}

/** A field that speaks of layers and that nobody here knows may mean anything once layers have other numbers. */
function refuseUnknownFields({ config, family }: Growing): void {
  const unknown = config
    .keys()
    .find((key) => /layer|nextn/i.test(key) && !family.layerFields.includes(key) && !isHarmless(key));
  const value = unknown === undefined ? undefined : config.values[unknown];
  if (unknown === undefined || value === null || value === 0 || value === false) return;
  throw new EspalierError("CONFIG", {
    thing: `${config.thing}: ${unknown}`,
    rule: "must not depend on layers for depth to grow, and its name speaks of them",
    received: value,
    remedy: "Remove it if the class has no use for it, or widen the model instead.",
  });
}

const isHarmless = (key: string) => /layer_?norm|layerdrop|layer_scale/i.test(key);
