import { EspalierError } from "../../tensor/errors.ts";
import type { Anchor, Sizes } from "../architecture/structure.ts";
import { byZeroOutgoing } from "./finder.ts";
import type { Growing, GrownTensor } from "./growing.ts";

/**
 * Grows the query heads and the key/value heads to these numbers, in up to three steps: key/value heads are
 * repeated (each query still reads the same keys and values), whole groups are added, queries are added to
 * every group. New heads have zero outgoing weights.
 */
export function widenHeads(growing: Growing, heads: number, kv: number): void {
  const { sizes, fields } = growing.structure;
  const [oldHeads, oldKv] = [sizes.heads as number, sizes.kv as number];
  const [headsField, kvField] = [fields.heads?.[0] as string, fields.kv?.[0] as string];
  if (heads === oldHeads && kv === oldKv) return;
  if (heads % kv !== 0) {
    throw new EspalierError("NOT_GROWABLE", {
      thing: headsField,
      rule: `must be a multiple of ${kvField} (${kv})`,
      received: heads,
      remedy: `The next that is: ${Math.ceil(heads / kv) * kv}.`,
    });
  }
  const times = repetitions(oldHeads, oldKv, heads, kv);
  if (times === undefined) {
    throw new EspalierError("NOT_GROWABLE", {
      thing: kvField,
      rule: `must be reached by repeating its ${oldKv} heads and by adding groups, none of which may lose queries`,
      received: { [headsField]: heads, [kvField]: kv },
      remedy: `Widen both by the same factor, or only ${kvField} by a divisor of ${oldHeads / oldKv}.`,
    });
  }
  if (times > 1) repeatGroups(growing, times);
  const groups = kv - oldKv * times;
  const added = (name: "kv" | "queries") =>
    growing.widths(
      name === "kv" ? kvField : headsField,
      growing.structure.anchors[name] as readonly Anchor[],
      byZeroOutgoing,
    );
  if (groups > 0) {
    for (const width of added("kv")) growing.widen(width, groups);
    const now = growing.structure.sizes as Required<Sizes>;
    setHeads(growing, (now.heads / now.kv) * (now.kv + groups), now.kv + groups);
  }
  const queries = heads / kv - (growing.structure.sizes.heads as number) / kv;
  if (queries > 0) {
    for (const width of added("queries")) growing.widen(width, queries);
    setHeads(growing, heads, kv);
  }
  const step = (field: string, from: number, to: number, method: "zero outgoing" | "heads repeated") => {
    if (from !== to) growing.steps.push({ field, from, to, method });
  };
  step(kvField, oldKv, oldKv * times, "heads repeated");
  step(kvField, oldKv * times, kv, "zero outgoing");
  step(headsField, oldHeads, heads, "zero outgoing");
}

/** The smallest repetition of key/value heads after which adding heads is enough. */
function repetitions(oldHeads: number, oldKv: number, heads: number, kv: number): number | undefined {
  const queries = oldHeads / oldKv;
  for (let times = 1; times <= queries && oldKv * times <= kv; times++) {
    if (queries % times === 0 && queries / times <= heads / kv) return times;
  }
  return undefined;
}

function setHeads(growing: Growing, heads: number, kv: number): void {
  const { fields, pinned } = growing.structure;
  const changes = [
    ...(fields.heads ?? []).map((key) => [key, heads]),
    ...(fields.kv ?? []).map((key) => [key, kv]),
  ];
  growing.configure({ ...pinned, ...Object.fromEntries(changes) });
}

/**
 * Repeats every key/value head `times` times in place, because query i reads head i / (queries per group).
 */
function repeatGroups(growing: Growing, times: number): void {
  const { sizes, anchors } = growing.structure;
  const [heads, kv, headDim] = [sizes.heads, sizes.kv, sizes.headDim] as [number, number, number];
  const size = kv * headDim;
  for (const { parameter } of anchors.kv ?? []) {
    const fused = parameter.includes("qkv_proj");
    const ranges = fused
      ? [
          [heads * headDim + size, heads * headDim + 2 * size],
          [heads * headDim, heads * headDim + size],
        ]
      : [[0, size]];
    const stem = parameter.replace(/(q|qkv)_proj\.weight$/, "");
    const names = fused ? ["qkv_proj"] : ["k_proj", "v_proj"];
    for (const name of names.flatMap((one) => [`${stem}${one}.weight`, `${stem}${one}.bias`])) {
      if (!growing.tensors.has(name)) continue;
      for (const [first, end] of ranges as [number, number][]) {
        const { dims } = growing.tensors.get(name) as GrownTensor;
        const grown = [(dims[0] as number) + (times - 1) * size, ...dims.slice(1)];
        growing.change(name, { kind: "repeat", axis: 0, inner: headDim, times, first, end }, grown);
      }
    }
  }
  setHeads(growing, heads, kv * times);
}
