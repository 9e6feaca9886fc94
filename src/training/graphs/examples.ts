import { type Dim, namesOf, type Shape } from "../../graph/dim.ts";
import type { Graph, Node, ValueType } from "../../graph/model.ts";
import { rulesOrNone } from "../../ops/index.ts";
import { inferTypes } from "../../ops/infer.ts";
import { Call } from "../../ops/rules/operator.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";

/**
 * Makes sure that no example affects another one's output, as far as the axis rules of the nodes and the names of sizes
 * show: nothing is summed, normalized or looked up along an axis of size `batch`, and no value has two such
 * axes. Throws `SHAPE_MISMATCH` for the first node that mixes examples.
 */
export function refuseMixing(graph: Graph, batch: readonly string[]): void {
  const types = inferTypes(graph);
  const counts = (dim: Dim | undefined) => typeof dim === "string" && batch.includes(dim);
  const symbols = new Set(graph.inputs.flatMap(({ shape }) => shape.flatMap(namesOf)));
  for (const node of graph.nodes) {
    const carried = node.inputs.flatMap((name, index) =>
      (types.get(name)?.shape ?? []).flatMap((dim, axis) => (counts(dim) ? [{ index, axis }] : [])),
    );
    const made = types.get(node.outputs[0] ?? "");
    if (carried.length === 0 || made === undefined || !isFloat(made.dtype)) continue;
    const why = mixes(node, carried, { types, graph }) ?? loses(made, counts, batch, symbols);
    if (why !== undefined) throw mixed(node, why);
  }
}

interface Place {
  readonly index: number;
  readonly axis: number;
}

/** How a node mixes examples along their axis, if its rule says so. */
function mixes(
  node: Node,
  carried: readonly Place[],
  { types, graph }: { readonly types: ReadonlyMap<string, ValueType>; readonly graph: Graph },
): string | undefined {
  const written = new Call(
    node,
    (name) => types.get(name),
    (name) => graph.parameters.get(name),
  );
  const rules = rulesOrNone(node);
  if (rules.moves) return undefined;
  const meant = rules.evaluation?.(written) ?? node;
  const call = new Call(
    meant,
    (name) => types.get(name),
    (name) => graph.parameters.get(name),
  );
  const { aggregates: pools = [], blocked = [] } = rules.axes(call);
  const sequences = rules.sequences?.(call) ?? [];
  const meets = (at: { side: string; index: number; axis: number }) =>
    at.side === "input" && carried.some(({ index, axis }) => index === at.index && axis === at.axis);
  if (sequences.some(meets)) return "it treats examples as the steps of a sequence";
  if (pools.some(({ at }) => meets(at))) return "it sums or normalizes over examples";
  return blocked.find(({ at, apart }) => !apart && meets(at)) === undefined
    ? undefined
    : "it works along the axis of examples";
}

/** How examples are lost or mixed by the shape of an output, if all of its sizes are known. */
function loses(
  { shape }: ValueType,
  counts: (dim: Dim) => boolean,
  batch: readonly string[],
  symbols: ReadonlySet<string>,
): string | undefined {
  if (shape.filter(counts).length > 1) return "it compares each example with each other one";
  const names = shape.flatMap(namesOf);
  if (names.some((name) => !symbols.has(name)) || names.some((name) => batch.includes(name)))
    return undefined;
  return "no part of its result belongs to a single example";
}

function mixed(node: Node, why: string): EspalierError {
  return new EspalierError("SHAPE_MISMATCH", {
    thing: `node "${node.name || node.outputs[0]}" (${node.op})`,
    rule: `must treat each example by itself, or the loss depends on which examples share a batch; ${why}`,
    received: node.inputs.filter((name) => name !== ""),
    remedy:
      'If examples are along another axis, say so (batchAxis: "name" or { input: axis }; --batch-axis NAME or INPUT=AXIS). To train it anyway, name the axis that is used now.',
  });
}

/** The only axis of a shape that counts examples; 0 if its sizes do not say. */
export function examplesAxis(shape: Shape, batch: readonly string[]): number {
  return Math.max(
    0,
    shape.findIndex((dim) => typeof dim === "string" && batch.includes(dim)),
  );
}
