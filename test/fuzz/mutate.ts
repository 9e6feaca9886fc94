import type { Random } from "../../src/tensor/random.ts";
import { type Entry, field, isMessage, type Message, type MessageType, serialize } from "./message.ts";

/** A field and its position. */
interface Spot {
  readonly parent: Message;
  readonly entry: Entry;
}

/** Changes a model's tree in place, somewhere. `donor` is another model to take parts from. */
type Mutation = (model: Message, random: Random, donor: Message) => void;

const pick = <T>(list: readonly T[], random: Random): T | undefined =>
  list.length === 0 ? undefined : list[random.integer(list.length)];

function spots(message: Message, into: Spot[] = []): Spot[] {
  for (const entry of message.entries) {
    into.push({ parent: message, entry });
    if (isMessage(entry.value)) spots(entry.value, into);
  }
  return into;
}

function messages(root: Message, type: MessageType): Message[] {
  const all = spots(root).flatMap(({ entry }) => (isMessage(entry.value) ? [entry.value] : []));
  return [root, ...all].filter((message) => message.type === type);
}

const cloneEntry = (entry: Entry): Entry => ({
  ...entry,
  value: isMessage(entry.value) ? cloneMessage(entry.value) : entry.value,
});

export const cloneMessage = ({ type, entries }: Message): Message => ({
  type,
  entries: entries.map(cloneEntry),
});

/** Numbers at limits: of bytes, int32, 2^53, int64, and small ones. */
const edges: readonly bigint[] = [
  0n,
  1n,
  2n,
  3n,
  7n,
  16n,
  20n,
  127n,
  128n,
  -1n,
  -2n,
  2n ** 20n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n,
  2n ** 40n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 62n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

const operators =
  "Relu Gemm MatMul Add Mul Conv ConvTranspose Reshape Flatten Transpose Concat Split Slice Gather Softmax Shape Pad Tile Expand Squeeze Unsqueeze ReduceMean BatchNormalization LayerNormalization MaxPool If Loop LSTM Range ConstantOfShape Constant Identity Dropout Resize Where Cast Quux".split(
    " ",
  );

const mutations: readonly Mutation[] = [
  function renumber(model, random) {
    const spot = pick(spots(model), random);
    if (spot !== undefined) spot.entry.number = random.integer(32);
  },
  function swapNumbers(model, random) {
    const parent = pick(spots(model), random)?.parent;
    const [a, b] = [pick(parent?.entries ?? [], random), pick(parent?.entries ?? [], random)];
    if (a !== undefined && b !== undefined) [a.number, b.number] = [b.number, a.number];
  },
  function rewire(model, random) {
    const spot = pick(spots(model), random);
    if (spot !== undefined) spot.entry.wire = random.integer(8);
  },
  function drop(model, random) {
    const spot = pick(spots(model), random);
    if (spot !== undefined) spot.parent.entries = spot.parent.entries.filter((entry) => entry !== spot.entry);
  },
  function repeat(model, random) {
    const spot = pick(spots(model), random);
    if (spot === undefined) return;
    const times = random.integer(8) === 0 ? 64 : 1;
    for (let index = 0; index < times; index++) spot.parent.entries.push(cloneEntry(spot.entry));
  },
  function reorder(model, random) {
    const parent = pick(spots(model), random)?.parent;
    if (parent === undefined) return;
    const { entries } = parent;
    parent.entries = Array.from(random.permutation(entries.length), (index) => entries[index] as Entry);
  },
  function spliceAlike(model, random, donor) {
    const spot = pick(spots(model), random);
    if (spot === undefined || !isMessage(spot.entry.value)) return;
    const other = pick(messages(donor, spot.entry.value.type), random);
    if (other !== undefined) spot.entry.value = cloneMessage(other);
  },
  function spliceAnything(model, random, donor) {
    const spot = pick(spots(model), random);
    const other = pick(spots(donor), random);
    if (spot !== undefined && other !== undefined) spot.entry.value = cloneEntry(other.entry).value;
  },
  function insertAlike(model, random, donor) {
    const parent = pick(spots(model), random)?.parent;
    const source = parent === undefined ? undefined : pick(messages(donor, parent.type), random);
    const entry = pick(source?.entries ?? [], random);
    if (entry !== undefined) parent?.entries.push(cloneEntry(entry));
  },
  function changeNumber(model, random) {
    const spot = pick(
      spots(model).filter(({ entry }) => typeof entry.value === "bigint"),
      random,
    );
    if (spot === undefined) return;
    const small = BigInt(random.integer(64)) - 8n;
    spot.entry.value = random.integer(2) === 0 ? small : (pick(edges, random) as bigint);
  },
  function changeDims(model, random) {
    const owners = [...messages(model, "Tensor"), ...messages(model, "Dimension")];
    const owner = pick(owners, random);
    const sizes =
      owner?.entries.filter((entry) => entry.number === 1 && typeof entry.value === "bigint") ?? [];
    const size = pick(sizes, random);
    if (size === undefined) return;
    const one = typeof size.value === "bigint" ? size.value : 0n;
    size.value =
      random.integer(3) === 0 ? (pick(edges, random) as bigint) : one + BigInt(random.integer(5)) - 2n;
  },
  function changeShapeOfTensor(model, random) {
    const tensor = pick(messages(model, "Tensor"), random);
    if (tensor === undefined) return;
    const rest = tensor.entries.filter((entry) => entry.number !== 1);
    const rank = random.integer(8) === 0 ? 20 : random.integer(5);
    const sizes = Array.from({ length: rank }, () => field(1, BigInt(random.integer(6))));
    tensor.entries = [...sizes, ...rest];
  },
  function rename(model, random) {
    const texts = spots(model).filter(({ entry }) => typeof entry.value === "string");
    const [to, from] = [pick(texts, random), pick(texts, random)];
    if (to !== undefined && from !== undefined) to.entry.value = from.entry.value;
  },
  function rewireNode(model, random) {
    // Cycles, dangling and duplicate names: an input or output takes the name of any other.
    const ends = messages(model, "Node").flatMap((node) => node.entries.filter(({ number }) => number <= 2));
    const [to, from] = [pick(ends, random), pick(ends, random)];
    if (to !== undefined && from !== undefined) to.value = from.value;
  },
  function dangle(model, random) {
    const texts = spots(model).filter(({ entry }) => typeof entry.value === "string");
    const spot = pick(texts, random);
    if (spot === undefined) return;
    spot.entry.value = pick(
      ["", "nowhere", "__proto__", "a+b*2", "7", "é\u0000", "x".repeat(70_000)],
      random,
    ) as string;
  },
  function changeOperator(model, random) {
    const op = pick(messages(model, "Node"), random)?.entries.find((entry) => entry.number === 4);
    if (op !== undefined) op.value = pick(operators, random) as string;
  },
  function padVarint(model, random) {
    const spot = pick(spots(model), random);
    if (spot === undefined) return;
    const bytes = random.integer(12);
    spot.entry.padding = random.integer(2) === 0 ? [bytes, 0] : [0, bytes];
  },
  function lieAboutLength(model, random) {
    const spot = pick(spots(model), random);
    if (spot !== undefined) spot.entry.lie = pick([-2, -1, 1, 2, 100, 2 ** 31, 2 ** 52], random) as number;
  },
  function nestInSubgraphs(model, random) {
    const graph = pick(messages(model, "Graph"), random);
    const node = graph?.entries.find((entry) => entry.number === 1);
    if (node === undefined || !isMessage(node.value)) return;
    const depth = random.integer(4) === 0 ? 40 : random.integer(4);
    for (let level = 0; level < depth; level++) {
      const inner: Message = { type: "Graph", entries: [cloneEntry(node)] };
      const attribute: Message = {
        type: "Attribute",
        entries: [field(1, "body"), field(6, inner), field(20, 5n)],
      };
      node.value = { type: "Node", entries: [field(4, "If"), field(5, attribute)] };
    }
  },
  function makeExternal(model, random) {
    const tensor = pick(messages(model, "Tensor"), random);
    const place: Message = { type: "Entry", entries: [field(1, "location"), field(2, "../x")] };
    tensor?.entries.push(field(13, place), field(14, BigInt(random.integer(3))));
  },
  function turnIntoCall(model, random) {
    const callee = pick(messages(model, "Function"), random);
    const node = pick(messages(model, "Node"), random);
    const nameOf = (number: number) => callee?.entries.find((entry) => entry.number === number)?.value ?? "";
    if (node === undefined || callee === undefined) return;
    const rest = node.entries.filter((entry) => entry.number !== 4 && entry.number !== 7);
    node.entries = [...rest, field(4, nameOf(1)), field(7, nameOf(10))];
  },
];

/** One to three mutations of the tree and, now and then, of the bytes. */
export function mutate(seed: Message, donor: Message, random: Random): Uint8Array {
  const model = cloneMessage(seed);
  const count = 1 + random.integer(3);
  for (let index = 0; index < count; index++) (pick(mutations, random) as Mutation)(model, random, donor);
  const bytes = serialize(model);
  if (random.integer(8) !== 0 || bytes.length === 0) return bytes;
  if (random.integer(4) === 0) return bytes.subarray(0, random.integer(bytes.length));
  for (let index = 0; index < 3; index++) bytes[random.integer(bytes.length)] = random.integer(256);
  return bytes;
}
