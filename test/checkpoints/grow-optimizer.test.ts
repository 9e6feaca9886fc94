import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inModuleOrder } from "../../src/checkpoints/optimizer/module-order.ts";
import { decodeSafetensors, encodeSafetensors } from "../../src/formats/safetensors.ts";
import { openTorchFile, torchFilePieces } from "../../src/formats/torch/torch-file.ts";
import { TorchTensor, type TorchValue } from "../../src/formats/torch/value.ts";
import { float32, sizeOf, type Tensor } from "../../src/tensor/tensor.ts";
import { runCli, withFolder } from "../cli-harness.ts";
import { tinyFolder } from "./tiny-folder.ts";

type Dict = ReadonlyMap<string | bigint, TorchValue>;

/** The first moment of a parameter in these tests, entry by entry; the second moment is its square. */
const firstMoment = (parameter: number, at: number) => Math.fround((parameter + 1) / 8 + at / 64);

const names = async (folder: string) => [
  ...decodeSafetensors(new Uint8Array(await readFile(join(folder, "model.safetensors")))).tensors.entries(),
];

/** Names and sizes in module order, grouped as by Trainer. */
async function grouped(folder: string) {
  const tensors = new Map(await names(folder));
  const ordered = inModuleOrder("llama", tensors.keys()) as readonly string[];
  const groups = [false, true].map((norm) => ordered.filter((name) => name.includes("norm") === norm));
  return groups.map((group) => group.map((name) => ({ name, dims: (tensors.get(name) as Tensor).dims })));
}

/** An optimizer.pt of AdamW in Trainer's two groups, of a model with these parameters. */
async function writeState(folder: string): Promise<string> {
  const groups = await grouped(folder);
  const contents: number[][] = [];
  const tensor = (dims: readonly number[], values: number[]) =>
    new TorchTensor("float32", dims, String(contents.push(values) - 1));
  const state = new Map<bigint, TorchValue>();
  groups.flat().forEach(({ dims }, id) => {
    const moments = Array.from({ length: sizeOf(dims) }, (_, at) => firstMoment(id, at));
    state.set(
      BigInt(id),
      new Map<string, TorchValue>([
        ["step", tensor([], [9])],
        ["exp_avg", tensor(dims, moments)],
        [
          "exp_avg_sq",
          tensor(
            dims,
            moments.map((one) => one ** 2),
          ),
        ],
      ]),
    );
  });
  let first = 0;
  const listed = groups.map((group): TorchValue => {
    const params = group.map(() => BigInt(first++));
    return new Map<string, TorchValue>([
      ["lr", 1e-3],
      ["params", params],
    ]);
  });
  const value = new Map<string, TorchValue>([
    ["state", state],
    ["param_groups", listed],
  ]);
  const path = join(folder, "optimizer.pt");
  const bytes = ({ storage }: TorchTensor) => [
    new Uint8Array(Float32Array.from(contents[Number(storage)] as number[]).buffer),
  ];
  await writeFile(path, Buffer.concat([...torchFilePieces(value, bytes)]));
  return path;
}

async function readState(path: string) {
  const bytes = new Uint8Array(await readFile(path));
  const { value, read } = openTorchFile(
    (offset, length) => bytes.slice(offset, offset + length),
    bytes.length,
  );
  const [state, groups] = [(value as Dict).get("state"), (value as Dict).get("param_groups")] as [
    Dict,
    Dict[],
  ];
  const values = (id: number, key: string) => {
    const tensor = (state.get(BigInt(id)) as Dict).get(key) as TorchTensor;
    return { dims: tensor.dims, data: [...new Float32Array(read(tensor, 0, sizeOf(tensor.dims)).buffer)] };
  };
  return { state, groups, values };
}

async function grow(old: string, out: string, ...options: string[]) {
  const { code, err, out: printed } = await runCli(["grow", old, "--out", out, ...options]);
  expect(err).toBe("");
  expect(code).toBe(0);
  return printed;
}

test("moments grow with their weights, by number and in Trainer's order", () =>
  withFolder(async (folder) => {
    const [old, out] = [join(folder, "old"), join(folder, "new")];
    await tinyFolder(old);
    const file = await writeState(old);
    await writeFile(join(old, "scheduler.pt"), "kept");
    const printed = await grow(
      old,
      out,
      "--optimizer",
      file,
      ...["--widen", "intermediate_size=+8", "--deepen", "after=0", "--vocab", "+3"],
    );
    expect(printed).toContain("optimizer state grown with the weights: optimizer.pt, scheduler.pt");
    expect(printed).toContain("two groups as Trainer makes them");
    expect(printed).not.toContain("left behind");
    expect(await readdir(out)).toContain("optimizer.pt");
    const [before, after] = [await grouped(old), await grouped(out)];
    const { state, groups, values } = await readState(join(out, "optimizer.pt"));
    expect(groups.map((group) => (group.get("params") as bigint[]).length)).toEqual(
      after.map(({ length }) => length),
    );
    // The new layer is number 1; the old 1 and 2 become 2 and 3.
    const renamed = (name: string) =>
      name.replace(/layers\.([12])/, (_, digit) => `layers.${Number(digit) + 1}`);
    const all = after.flat();
    const heirs = before.flat().map(({ name }) => all.findIndex((one) => one.name === renamed(name)));
    expect([...state.keys()].map(Number).sort((a, b) => a - b)).toEqual([...heirs].sort((a, b) => a - b));
    before.flat().forEach(({ name, dims }, id) => {
      const at = heirs[id] as number;
      const grown = (all[at] as { readonly dims: readonly number[] }).dims;
      const size = sizeOf(dims);
      const mean =
        Array.from({ length: size }, (_, entry) => Math.fround(firstMoment(id, entry) ** 2)).reduce(
          (sum, one) => sum + one,
          0,
        ) / size;
      const [columns, wide] = [dims.at(-1) as number, grown.at(-1) as number];
      const expected = Array.from({ length: sizeOf(grown) }, (_, entry) => {
        const [row, column] = [Math.floor(entry / wide), entry % wide];
        const isOld = column < columns && row * columns + column < size;
        return isOld ? firstMoment(id, row * columns + column) : undefined;
      });
      const [m, v] = [values(at, "exp_avg"), values(at, "exp_avg_sq")];
      expect([name, m.dims, v.dims]).toEqual([name, grown, grown]);
      expect(m.data).toEqual(expected.map((one) => one ?? 0));
      expect(v.data).toEqual(expected.map((one) => Math.fround(one === undefined ? mean : one ** 2)));
      expect(values(at, "step").data).toEqual([9]);
    });
  }));

test.each([
  ["hidden_size=x2,num_attention_heads=x2", 2, 4],
  ["hidden_size=36", Math.sqrt(36 / 24), 36 / 24],
])("moments of a stream of %s are divided as the gradient is", (widen, first, second) =>
  withFolder(async (folder) => {
    const [old, out] = [join(folder, "old"), join(folder, "new")];
    await tinyFolder(old);
    await grow(old, out, "--optimizer", await writeState(old), "--widen", widen);
    const { values } = await readState(join(out, "optimizer.pt"));
    // The embeddings are written to the stream: copied, or multiplied by √(36 / 24).
    const [m, v] = [values(0, "exp_avg"), values(0, "exp_avg_sq")];
    const wide = m.dims[1] as number;
    expect(m.data[wide + 3]).toBeCloseTo(firstMoment(0, 24 + 3) / first, 5);
    expect(v.data[wide + 3]).toBeCloseTo(firstMoment(0, 24 + 3) ** 2 / second, 4);
    // The weights that read it have the same gradient as before.
    expect(values(1, "exp_avg").data[wide + 3]).toBeCloseTo(firstMoment(1, 24 + 3), 5);
  }),
);

test("the same by name, from safetensors", () =>
  withFolder(async (folder) => {
    const [old, out] = [join(folder, "old"), join(folder, "new")];
    await tinyFolder(old);
    const [decayed = [], others = []] = await grouped(old);
    const name = "model.layers.1.mlp.down_proj.weight";
    const file = join(old, "state.safetensors");
    const params = [...decayed, ...others].map((one) => one.name).reverse();
    const fill = (value: number) => float32([24, 40], new Float32Array(24 * 40).fill(value));
    const tensors = new Map<string, Tensor>([
      [`${name}.exp_avg`, fill(2)],
      [`${name}.exp_avg_sq`, fill(4)],
      [`${name}.step`, float32([], [9])],
    ]);
    const groups = JSON.stringify([{ lr: 0.5, betas: [0.9, 0.95], foreach: null, params }]);
    await writeFile(file, encodeSafetensors(tensors, new Map([["param_groups", groups]])));
    await grow(old, out, "--optimizer", file, "--widen", "intermediate_size=+8", "--deepen", "after=0");
    const written = decodeSafetensors(new Uint8Array(await readFile(join(out, "optimizer.safetensors"))));
    const own = name.replace(".1.", ".2.");
    expect([...written.tensors.keys()].sort()).toEqual(
      ["exp_avg", "exp_avg_sq", "step"].map((key) => `${own}.${key}`),
    );
    expect(written.tensors.get(`${own}.exp_avg`)?.data.slice(38, 50)).toEqual(
      Float32Array.of(2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2),
    );
    expect(new Set(written.tensors.get(`${own}.exp_avg_sq`)?.data as Float32Array)).toEqual(new Set([4]));
    const [group] = JSON.parse(written.metadata.get("param_groups") as string);
    expect(group).toMatchObject({ lr: 0.5, betas: [0.9, 0.95], foreach: null });
    expect(group.params.length).toBe(params.length + 9);
  }));

test.each([
  ["another model's", 30, /must have the shape of its parameter/],
  ["text", undefined, /must be a zip file/],
])("state that does not fit is refused, and nothing is written: %s", (_, rows, message) =>
  withFolder(async (folder) => {
    const [old, other, out] = [join(folder, "old"), join(folder, "other"), join(folder, "new")];
    await tinyFolder(old);
    const file = join(folder, "text.pt");
    await writeFile(file, "not a state, but long enough to be looked at\n");
    if (rows !== undefined)
      await grow(old, other, "--optimizer", await writeState(old), "--vocab", String(rows));
    const path = rows === undefined ? file : join(other, "optimizer.pt");
    const { code, err } = await runCli(["grow", old, "--out", out, "--optimizer", path, "--vocab", "+1"]);
    expect(code).toBe(1);
    expect(err).toMatch(message);
    expect(await readdir(folder)).not.toContain("new");
  }),
);
