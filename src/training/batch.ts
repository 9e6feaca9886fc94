import { type BatchBuffers, gatherBatch } from "../data/batches.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Feeds } from "../engine/session.ts";
import { evaluateDim } from "../graph/dim.ts";
import { allocate, type DType } from "../tensor/dtype.ts";
import { EspalierError } from "../tensor/errors.ts";
import { sizeOf, type Tensor } from "../tensor/tensor.ts";
import type { Program } from "./program.ts";

/** One batch in buffers that are reused from step to step. */
export interface Batch {
  readonly size: number;
  readonly feeds: Feeds;
  readonly features: Tensor<"float32">;
  readonly target: Tensor | undefined;
}

/**
 * Copies examples of a dataset into the inputs of a program. Buffers are made once for each batch size, so that
 * a steady run allocates nothing.
 */
export class Batcher {
  readonly #program: Pick<Program, "features" | "target">;
  readonly #data: Dataset;
  readonly #made = new Map<number, { batch: Batch; into: BatchBuffers; convert: (() => void) | undefined }>();

  /** Throws `EMPTY_DATA`, `SHAPE_MISMATCH` or `LABEL_RANGE` where data and model do not fit. */
  constructor(program: Pick<Program, "features" | "target" | "output" | "graph">, data: Dataset) {
    this.#program = program;
    this.#data = data;
    checkFit(program, data);
  }

  /** The examples `order[from]` to `order[from + size - 1]`. Good until the next call with the same size. */
  take(order: Uint32Array, from: number, size: number): Batch {
    const made = this.#made.get(size) ?? this.#make(size);
    gatherBatch(this.#data, order, from, size, made.into);
    made.convert?.();
    return made.batch;
  }

  #make(size: number) {
    const { features, target } = this.#program;
    const data = this.#data;
    const x: Tensor<"float32"> = {
      dtype: "float32",
      dims: [size, ...data.featureDims],
      data: new Float32Array(size * sizeOf(data.featureDims)),
    };
    const feeds: Record<string, Tensor> = { [features.name]: x };
    let y: Tensor | undefined;
    let into: BatchBuffers = { features: x.data };
    let convert: (() => void) | undefined;
    if (target !== undefined) {
      const made = targetBuffers(target.dtype, target.shape.length, size, data);
      y = made.tensor;
      into = { features: x.data, ...made.into };
      convert = made.convert;
      feeds[target.name] = y;
    }
    const entry = { batch: { size, feeds, features: x, target: y }, into, convert };
    this.#made.set(size, entry);
    return entry;
  }
}

/** Where the targets go, by what the loss wants and what the data has. */
function targetBuffers(dtype: DType, rank: number, size: number, data: Dataset) {
  if (dtype === "float32" && data.targets !== undefined) {
    const dims = [size, ...(data.targetDims ?? [])];
    const tensor: Tensor = { dtype, dims, data: new Float32Array(sizeOf(dims)) };
    return { tensor, into: { targets: tensor.data as Float32Array }, convert: undefined };
  }
  const labels = new Int32Array(size);
  const dims = [size, ...Array.from({ length: Math.max(0, rank - 1) }, () => 1)];
  if (dtype === "int32")
    return { tensor: { dtype, dims, data: labels } as Tensor, into: { labels }, convert: undefined };
  const tensor: Tensor = { dtype, dims, data: allocate(dtype, size) };
  const convert = () => {
    for (let row = 0; row < size; row++) {
      const label = labels[row] as number;
      tensor.data[row] = dtype === "int64" ? BigInt(label) : label;
    }
  };
  return { tensor, into: { labels }, convert };
}

function checkFit(program: Pick<Program, "features" | "target" | "output" | "graph">, data: Dataset): void {
  if (data.count === 0) {
    throw new EspalierError("EMPTY_DATA", {
      thing: `data set "${data.name}"`,
      rule: "needs at least one example",
      received: data.count,
    });
  }
  const want = program.features.shape.slice(1);
  const fits =
    want.length === data.featureDims.length &&
    want.every((dim, axis) => typeof dim !== "number" || dim === data.featureDims[axis]);
  if (!fits) {
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: `data set "${data.name}"`,
      rule: `the model's input "${program.features.name}" takes examples of shape [${want.join(", ")}]`,
      received: data.featureDims,
      remedy: "Reshape the features (reshapeFeatures) or change the model's first size.",
    });
  }
  const { target } = program;
  if (target === undefined) return;
  const outputs = program.graph.typeOf(program.output).shape;
  if (target.dtype === "float32" && data.targets !== undefined) {
    const wanted = target.shape.slice(1);
    const given = data.targetDims ?? [];
    if (
      wanted.length === given.length &&
      wanted.every((dim, axis) => typeof dim !== "number" || dim === given[axis])
    )
      return;
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: `targets of data set "${data.name}"`,
      rule: `the loss compares them with outputs of shape [${wanted.join(", ")}]`,
      received: given,
      remedy: "Change the model's last size or the targets.",
    });
  }
  const perExample = target.shape.slice(1);
  if (target.dtype === "float32" && data.labels !== undefined && perExample.some((dim) => dim !== 1)) {
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: `data set "${data.name}"`,
      rule: `the loss compares its outputs of shape [${perExample.join(", ")}] with targets of that shape`,
      received: "one integer label to an example",
      remedy: "Give targets, use crossEntropy, or change the model's last size to 1.",
    });
  }
  if (data.labels === undefined) {
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: `data set "${data.name}"`,
      rule: "the loss needs integer labels",
      received: data.targets === undefined ? "no targets" : "float targets",
      remedy: "Use meanSquaredError or binaryCrossEntropy, or give labels.",
    });
  }
  const classes = target.dtype === "float32" ? 2 : evaluateDim(outputs[1] ?? 1, new Map());
  const wrong = data.labels.findIndex((label) => label < 0 || (classes !== undefined && label >= classes));
  if (wrong >= 0) {
    throw new EspalierError("LABEL_RANGE", {
      thing: `label of example ${wrong} in "${data.name}"`,
      rule: `must lie in [0, ${(classes ?? 1) - 1}], as the model has ${classes} ${target.dtype === "float32" ? "binary " : ""}classes`,
      received: data.labels[wrong],
      remedy: "Give the model one output for each class.",
    });
  }
}
