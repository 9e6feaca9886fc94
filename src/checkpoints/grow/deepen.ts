import { EspalierError } from "../../tensor/errors.ts";
import type { Stack } from "../architecture/structure.ts";
import type { Growing, GrownTensor } from "./growing.ts";

/** Layers to insert a new one after, by stack, as numbered before; those under "" are inserted in every stack. */
export type Insertions = ReadonlyMap<Stack["name"] | "", readonly number[]>;

/**
 * Inserts a silenced copy of each of these layers after it: it adds zero to the stream. Fields with an entry for each layer
 * are written out, because classes compute them from a layer's number.
 */
export function deepen(growing: Growing, insertions: Insertions): void {
  if (insertions.size === 0) return;
  const { stacks } = growing.structure;
  for (const name of insertions.keys()) {
    if (name === "" || stacks.some((stack) => stack.name === name)) continue;
    throw new EspalierError("ARGUMENT", {
      thing: `depth of the ${name}`,
      rule: "cannot grow: the model has no such stack of layers",
      received: name,
      remedy: "--deepen after=LAYERS deepens it.",
    });
  }
  refuseUnknownFields(growing);
  for (const { name } of stacks) {
    deepenStack(growing, name, [...(insertions.get("") ?? []), ...(insertions.get(name) ?? [])]);
  }
}

function deepenStack(growing: Growing, name: Stack["name"], after: readonly number[]): void {
  const { stacks, fields } = growing.structure;
  const stack = stacks.find((one) => one.name === name) as Stack;
  if (after.length === 0) return;
  const wrong = after.find((index) => index >= stack.count);
  if (wrong !== undefined) {
    throw new EspalierError("ARGUMENT", {
      thing: stacks.length === 1 ? "depth" : `depth of the ${name}`,
      rule: `can grow after layers 0 to ${stack.count - 1}`,
      received: wrong,
      ...(stacks.length === 1
        ? {}
        : {
            remedy: `--deepen ${stacks.map((one) => `${one.name}.after=…`).join(" or ")} deepens one stack.`,
          }),
    });
  }
  const cache = stacks.find((one) => one.name === stack.cachedBy);
  if (cache !== undefined && stack.count <= cache.count && stack.count + after.length > cache.count) {
    throw new EspalierError("NOT_GROWABLE", {
      thing: `depth of the ${name}`,
      rule: `must not exceed that of the ${cache.name} (${cache.count}), whose layers transformers counts when it makes the cache`,
      received: stack.count + after.length,
      remedy: `Deepen the ${cache.name} as well: --deepen after=LAYERS.`,
    });
  }
  growing.tensors = withCopies(growing, stack, after);
  const order = Array.from({ length: stack.count }, (_, index) => index).flatMap((index) => [
    index,
    ...after.filter((one) => one === index),
  ]);
  const lists = Object.entries(stack.lists).map(([key, inOrder]) => [key, inOrder(order)]);
  growing.renumberings.push(...(stack.listedHeads ?? []).map((key) => ({ key, after })));
  const layers = stack.count + after.length;
  const keys = fields[stack.size] ?? [];
  growing.configure({
    ...Object.fromEntries(lists),
    ...Object.fromEntries(keys.map((key) => [key, layers])),
  });
  growing.steps.push({ field: keys[0] as string, from: stack.count, to: layers, method: "silent layers" });
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
