import { allocate, bytesPerElement, type DType } from "../tensor/dtype.ts";
import { EspalierError } from "../tensor/errors.ts";
import { checkOptionNames, type OptionNames } from "../tensor/known-options.ts";
import { sizeOf, type Tensor } from "../tensor/tensor.ts";
import { type Dataset, dataset } from "./dataset.ts";
import { isGzip } from "./gzip.ts";
import { readSource, type Source, sourceName } from "./source.ts";

export type IdxType = Extract<DType, "uint8" | "int8" | "int16" | "int32" | "float32" | "float64">;

const typeOfCode: { readonly [code: number]: IdxType } = {
  8: "uint8",
  9: "int8",
  11: "int16",
  12: "int32",
  13: "float32",
  14: "float64",
};

/**
 * An IDX file (the format of MNIST: two zero bytes, type code, rank, big-endian sizes, then big-endian values) as
 * a tensor. The sizes are checked against the number of bytes before anything is allocated; uint8 values are a
 * view of `bytes`. Throws `IDX`.
 */
export function parseIdx(bytes: Uint8Array, name = "IDX data"): Tensor<IdxType> {
  const dtype = typeOfCode[bytes[2] ?? 0];
  const rank = bytes[3] ?? 0;
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0 || dtype === undefined || rank === 0) {
    throw new EspalierError("IDX", {
      thing: name,
      rule: "must start with 0, 0, a type code (8, 9, 11, 12, 13 or 14) and a rank of at least 1",
      received: [...bytes.subarray(0, 4)],
      remedy: isGzip(bytes)
        ? "These bytes are gzip: unpack them, or use loadIdx."
        : "Check that this is IDX.",
    });
  }
  const start = 4 + 4 * rank;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < start) throw wrongLength(name, `has a header of ${start} bytes`, bytes.length);
  const dims = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = sizeOf(dims);
  const end = start + size * bytesPerElement(dtype);
  if (bytes.length !== end) {
    throw wrongLength(
      name,
      `states ${dtype} [${dims.join(", ")}], ${end} bytes with the header`,
      bytes.length,
    );
  }
  if (dtype === "uint8") return { dtype, dims, data: bytes.subarray(start) };
  const data = allocate(dtype, size);
  const read = {
    int8: (at: number) => view.getInt8(at),
    int16: (at: number) => view.getInt16(at),
    int32: (at: number) => view.getInt32(at),
    float32: (at: number) => view.getFloat32(at),
    float64: (at: number) => view.getFloat64(at),
  }[dtype];
  for (let at = 0; at < size; at++) data[at] = read(start + at * data.BYTES_PER_ELEMENT);
  return { dtype, dims, data };
}

function wrongLength(name: string, rule: string, length: number): EspalierError {
  return new EspalierError("IDX", {
    thing: name,
    rule,
    received: `${length} bytes`,
    remedy: "The file is truncated or is not IDX; download it again.",
  });
}

export const imageAxes = ["chw", "hwc"] as const;
export type ImageAxes = (typeof imageAxes)[number];

export interface IdxOptions {
  readonly name?: string;
  /** Flatten features to one axis, such as [784]; default false: [1, 28, 28]. */
  readonly flat?: boolean;
  /**
   * The order of an image's three axes in the file: "chw" (channels first) is kept, "hwc" is transposed to it.
   * Default: kept, but refused if the last axis looks like channels.
   */
  readonly axes?: ImageAxes;
  /** Default: the largest label plus one. */
  readonly classes?: number;
  /** Maximum size of the file, and of its decompressed contents, in bytes; default 1 GiB. */
  readonly maxBytes?: number;
}

const optionNames: OptionNames<IdxOptions> = {
  name: true,
  flat: true,
  axes: true,
  classes: true,
  maxBytes: true,
};

/**
 * Images and labels in two IDX files, each a path or bytes, gzipped or not. Pixels of type uint8 are divided by
 * 255, other types are kept. Images [count, height, width] become examples [1, height, width]; with more axes, or
 * two, the axes after the first are kept. Labels are [count], or [count, height, width] for one to each pixel. Throws `IDX`, `SHAPE_MISMATCH` if the counts differ,
 * `EMPTY_DATA`, `LABEL_RANGE`, and what reading throws.
 */
export async function loadIdx(images: Source, labels: Source, options: IdxOptions = {}): Promise<Dataset> {
  checkOptionNames("loadIdx", options, optionNames);
  const name = options.name ?? sourceName(images, "images");
  const [pixels, classOf] = await Promise.all([
    load(images, sourceName(images, "image bytes"), options),
    load(labels, sourceName(labels, "label bytes"), options),
  ]);
  if (classOf.dims.length === 0 || classOf.dims.length > pixels.dims.length) {
    throw new EspalierError("IDX", {
      thing: sourceName(labels, "label bytes"),
      rule: "labels need one axis, or one for each position of an image, but no more axes than the images",
      received: classOf.dims,
      remedy: "Pass images first, then labels.",
    });
  }
  const [count = 0, ...stored] = pixels.dims;
  const turned = axesOf(name, stored, options) === "hwc";
  const inner = turned ? [stored[2] ?? 1, stored[0] ?? 1, stored[1] ?? 1] : stored;
  const featureDims =
    options.flat || inner.length === 0 ? [sizeOf(inner)] : inner.length === 2 ? [1, ...inner] : inner;
  const isBytes = pixels.dtype === "uint8";
  const positions = classOf.dims.slice(1);
  const values = isBytes
    ? fractions(pixels.data as Uint8Array)
    : Float32Array.from(pixels.data as Float32Array);
  const made = dataset({
    name,
    count,
    features: turned ? channelsFirst(values, stored) : values,
    featureDims,
    labels: classOf.data,
    ...(sizeOf(positions) === 1 ? {} : { labelDims: positions }),
    ...(options.classes === undefined ? {} : { classes: options.classes }),
  });
  const classes = Array.from({ length: made.classes ?? 0 }, (_, at) => String(at));
  return {
    ...made,
    preprocessing: {
      version: 1,
      features: {
        kind: "image",
        dims: featureDims,
        divisor: isBytes ? 255 : 1,
        ...(turned ? { axes: "hwc" } : {}),
      },
      target: { kind: "class", name: "label", classes },
    },
  };
}

/** Throws `IDX` for images whose axes are clearly not in the order assumed. */
function axesOf(name: string, dims: readonly number[], { axes, flat }: IdxOptions): ImageAxes {
  if (axes === "hwc" && dims.length !== 3) {
    throw new EspalierError("IDX", {
      thing: `images of ${name}`,
      rule: "need height, width and channels to be transposed",
      received: dims,
      remedy: "Leave axes out (command line: --axes).",
    });
  }
  const [first = 0, , last = 0] = dims;
  if (axes === undefined && !flat && dims.length === 3 && last <= 4 && first > 4) {
    throw new EspalierError("IDX", {
      thing: `images of ${name}`,
      rule: "must have their channels first; these seem to have them last",
      received: dims,
      remedy:
        'Say so: axes "hwc" (command line: --axes hwc) transposes them; "chw" (--axes chw) keeps them as they are.',
    });
  }
  return axes ?? "chw";
}

/** [count, height, width, channels] transposed to [count, channels, height, width]. */
function channelsFirst(
  values: Float32Array,
  [height = 1, width = 1, channels = 1]: readonly number[],
): Float32Array {
  const made = new Float32Array(values.length);
  const area = height * width;
  for (let at = 0; at < values.length; at++) {
    const channel = at % channels;
    const pixel = Math.floor(at / channels);
    const example = Math.floor(pixel / area);
    made[(example * channels + channel) * area + (pixel % area)] = values[at] as number;
  }
  return made;
}

async function load(source: Source, name: string, options: IdxOptions): Promise<Tensor<IdxType>> {
  return parseIdx(await readSource(source, name, options.maxBytes), name);
}

/** Bytes 0..255 scaled to 0..1. */
function fractions(bytes: Uint8Array): Float32Array {
  const fraction = Float32Array.from({ length: 256 }, (_, value) => value / 255);
  const floats = new Float32Array(bytes.length);
  for (let at = 0; at < bytes.length; at++) floats[at] = fraction[bytes[at] as number] as number;
  return floats;
}
