import { sameLayout, unitLayout } from "../../graph/layout.ts";
import { type Attributes, ints, type Model, type Node } from "../../graph/model.ts";
import { inferTypes } from "../../ops/infer.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { Random } from "../../tensor/random.ts";
import { sizeOf, type Tensor, zeros } from "../../tensor/tensor.ts";
import type { Width, WidthAxis } from "../plan/width.ts";
import { maxEntries } from "./apply.ts";

export interface DeepenOptions {
  /** Blocks to add, one after the other. Default 1. */
  readonly by?: number;
  /** Units inside a block. Default: as many as the width has. */
  readonly hidden?: number;
  readonly seed: number;
}

/**
 * Adds residual blocks y = x + W₂·relu(W₁·x + b₁) + b₂ where the activations of a width are first read, with W₁ drawn
 * N(0, 2 / fan-in) and W₂ and both biases zero: the identity, to the last bit (docs/theory.md, Depth). Over the last axis of a
 * value a layer is a MatMul, over the channels of an image a 1×1 Conv. The new hidden width can be widened like any
 * other. Throws `NOT_GROWABLE` if the width is not one plain axis of an activation, and `ARGUMENT`.
 */
export function deepenModel(model: Model, width: Width, options: DeepenOptions): Model {
  const { by = 1, hidden = width.size } = options;
  for (const [name, value] of [
    ["by", by],
    ["hidden", hidden],
  ] as const) {
    if (Number.isSafeInteger(value) && value > 0) continue;
    throw new EspalierError("ARGUMENT", {
      thing: `deepening ${width.id}`,
      rule: `\`${name}\` must be a positive whole number`,
      received: value,
      remedy: "Give the number of blocks to add, e.g. { by: 1 }.",
    });
  }
  checkSize(width, by, hidden);
  const at = placeOf(model, width);
  let deeper = model;
  for (let block = 0; block < by; block++) {
    deeper = addBlock(deeper, width, block === 0 ? at : { ...at, value: lastBlock(deeper, width) }, {
      hidden,
      seed: options.seed,
    });
  }
  return deeper;
}

/** The most blocks that one call may add. */
const maxBlocks = 1000;

/** Throws `TOO_LARGE` before anything is allocated. */
function checkSize({ id, size }: Width, by: number, hidden: number): void {
  for (const [rule, received, most] of [
    [`may be deepened by at most ${maxBlocks} blocks at once`, by, maxBlocks],
    [`may get weights of at most ${maxEntries} entries`, size * hidden, maxEntries],
  ] as const) {
    if (received <= most) continue;
    throw new EspalierError("TOO_LARGE", {
      thing: `width "${id}"`,
      rule,
      received,
      remedy: "Add fewer blocks, or fewer hidden units.",
    });
  }
}

/** Where the first node that multiplies the width by a weight reads it. */
function placeOf(model: Model, width: Width): WidthAxis & { readonly rank: number } {
  const types = inferTypes(model.graph);
  for (const read of width.reads) {
    const type = types.get(read.value);
    const rank = type?.shape.length ?? 0;
    const plain = sameLayout(read.layout, unitLayout) && type?.dtype === "float32";
    if (plain && (read.axis === rank - 1 || (read.axis === 1 && rank > 2))) return { ...read, rank };
  }
  throw new EspalierError("NOT_GROWABLE", {
    thing: `width "${width.id}"`,
    rule: "has no place for a block: no activation has it as its last axis or as its channels",
    received: width.reads.map(({ value, axis }) => `${value}:${axis}`),
    remedy: "Deepen after another width.",
  });
}

function blockName(width: Width, number: number): string {
  return `${width.id}.block${number}`;
}

/** How many blocks a width has been given. */
function blocksOf(model: Model, width: Width): number {
  let count = 0;
  while (model.graph.parameters.has(`${blockName(width, count + 1)}.in.weight`)) count++;
  return count;
}

function lastBlock(model: Model, width: Width): string {
  return blockName(width, blocksOf(model, width));
}

/** Adds one block after a value; everything else that read the value reads the block. */
function addBlock(
  model: Model,
  width: Width,
  { value, axis, rank }: WidthAxis & { readonly rank: number },
  { hidden, seed }: { readonly hidden: number; readonly seed: number },
): Model {
  const name = blockName(width, blocksOf(model, width) + 1);
  const channels = axis !== rank - 1;
  const spatial = channels ? Array.from({ length: rank - 2 }, () => 1) : [];
  const weight = (units: number, fanIn: number) => (channels ? [units, fanIn, ...spatial] : [fanIn, units]);
  const first = weight(hidden, width.size);
  const draws = new Random(seed, `deepen ${name}`);
  const deviation = Math.sqrt(2 / width.size);
  const drawn = Float32Array.from({ length: sizeOf(first) }, () => deviation * draws.normal());
  const parameters: [string, Tensor][] = [
    [`${name}.in.weight`, { dtype: "float32", dims: first, data: drawn }],
    [`${name}.in.bias`, zeros("float32", [hidden])],
    [`${name}.out.weight`, zeros("float32", weight(width.size, hidden))],
    [`${name}.out.bias`, zeros("float32", [width.size])],
  ];
  const node = (
    op: string,
    output: string,
    inputs: readonly string[],
    attributes: Attributes = {},
  ): Node => ({
    name: output,
    op,
    domain: "",
    inputs,
    outputs: [output],
    attributes,
  });
  const layer = (part: "in" | "out", input: string): readonly Node[] => {
    const [w, b, y] = [`${name}.${part}.weight`, `${name}.${part}.bias`, `${name}.${part}`];
    if (channels) return [node("Conv", y, [input, w, b], { kernel_shape: ints(spatial) })];
    return [node("MatMul", `${y}.product`, [input, w]), node("Add", y, [`${y}.product`, b])];
  };
  const block = [
    ...layer("in", value),
    node("Relu", `${name}.relu`, [`${name}.in`]),
    ...layer("out", `${name}.relu`),
    node("Add", name, [value, `${name}.out`]),
  ];
  const { graph } = model;
  const source = graph.nodes.findIndex(({ outputs }) => outputs.includes(value));
  const readers = graph.nodes.map((reader) => ({
    ...reader,
    inputs: reader.inputs.map((input) => (input === value ? name : input)),
  }));
  const nodes = [...readers.slice(0, source + 1), ...block, ...readers.slice(source + 1)];
  return { ...model, graph: { ...graph, nodes, parameters: new Map([...graph.parameters, ...parameters]) } };
}
