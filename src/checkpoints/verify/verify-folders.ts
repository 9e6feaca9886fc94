import type { Feeds } from "../../engine/session.ts";
import { evaluateDim, namesOf } from "../../graph/dim.ts";
import { compareOutputs, isPreserved, type OutputDifference } from "../../growth/examine/compare.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { Random } from "../../tensor/random.ts";
import { float32, int64, sizeOf, type Tensor } from "../../tensor/tensor.ts";
import type { ModelInput, Structure } from "../architecture/structure.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { runSections } from "./run-sections.ts";

/** How much two folders differ on one set of inputs. */
export interface FolderCheck extends OutputDifference {
  readonly sizes: Readonly<Record<string, number>>;
}

/** Whether two folders compute the same function, on sampled inputs. */
export interface FolderVerification {
  readonly preserved: boolean;
  readonly identical: boolean;
  /** Largest difference of an entry, absolute and relative to the largest entry of its channel or example. */
  readonly maximum: number;
  readonly relative: number;
  readonly checks: readonly FolderCheck[];
}

/** Number of examples, and of tokens in each. */
const batch = 2;
const lengths = [1, 7, 32];
/** Maximum number of tokens, however long a sliding window is. */
const longest = 160;

/**
 * Runs both folders on the same seeded inputs, layer by layer, in float32, and compares the old one's outputs
 * entry by entry; new vocabulary entries are ignored. Sequences are longer than the sliding window if it is
 * short enough. Throws `SHAPE_MISMATCH` for folders of different kinds.
 */
export async function verifyFolders(
  before: Checkpoint,
  after: Checkpoint,
  seed = 0,
): Promise<FolderVerification> {
  if (before.family !== after.family && before.family.sparse?.family !== after.family) {
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: "the two folders",
      rule: "must be of the same model_type to be compared",
      received: [before.family.type, after.family.type],
    });
  }
  const all = sampleSizes(before.structure);
  const feeds = all.map((sizes, at) => sampleFeeds(before.structure, sizes, new Random(seed, "verify", at)));
  const expected = await runSections(before, feeds);
  const actual = await runSections(after, feeds);
  const checks = expected.map((tensor, at): FolderCheck => {
    const fitted = firstOf(actual[at] as Tensor, tensor.dims.at(-1) as number);
    const difference = compareOutputs(tensor, fitted, undefined, { unbounded: true });
    return { ...difference, sizes: all[at] as FolderCheck["sizes"] };
  });
  const most = (of: (check: FolderCheck) => number) =>
    checks.reduce((largest, check) => Math.max(largest, of(check)), 0);
  return {
    preserved: checks.every(isPreserved),
    identical: checks.every(({ identical }) => identical),
    maximum: most(({ maximum }) => maximum),
    relative: most(({ relative }) => relative),
    checks,
  };
}

/** Sizes of the inputs by symbol: no two sequences of a set are of the same length. */
function sampleSizes({ window, sizes, inputs }: Structure): readonly Readonly<Record<string, number>>[] {
  const symbols = new Set(inputs.flatMap(({ shape }) => shape.flatMap(namesOf)));
  const sequences = [...symbols].filter((symbol) => symbol !== "batch");
  if (sequences.length === 0) return [{ batch }];
  const most = Math.min(longest, sizes.positions ?? longest);
  const past = window === undefined || window + 9 > most ? [] : [window + 9];
  const tokens = [...new Set([...lengths, ...past].map((length) => Math.min(length, most)))];
  return tokens.map((_, at) => ({
    batch,
    ...Object.fromEntries(
      sequences.map((symbol, shift) => [symbol, tokens[(at + shift) % tokens.length] as number]),
    ),
  }));
}

function sampleFeeds({ inputs }: Structure, sizes: Readonly<Record<string, number>>, draws: Random): Feeds {
  const bindings = new Map(Object.entries(sizes));
  const make = ({ shape, below }: ModelInput): Tensor => {
    const dims = shape.map((dim) => evaluateDim(dim, bindings) as number);
    const size = sizeOf(dims);
    if (below === undefined)
      return float32(
        dims,
        Float32Array.from({ length: size }, () => draws.normal()),
      );
    return int64(
      dims,
      Array.from({ length: size }, () => draws.integer(below)),
    );
  };
  return Object.fromEntries(inputs.map((input) => [input.name, make(input)]));
}

/** The first `count` entries of the last axis: the vocabulary before it grew. */
function firstOf(tensor: Tensor, count: number): Tensor {
  const size = tensor.dims.at(-1) as number;
  if (size <= count) return tensor;
  const rows = sizeOf(tensor.dims) / size;
  const data = new Float32Array(rows * count);
  for (let row = 0; row < rows; row++) {
    data.set((tensor.data as Float32Array).subarray(row * size, row * size + count), row * count);
  }
  return float32([...tensor.dims.slice(0, -1), count], data);
}
