import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { classCount, featureCount } from "./workloads.mjs";

/**
 * Writes the examples of a workload as raw little-endian files, so that every contestant in every language
 * trains on the same numbers: `<name>.x` (float32, examples × features), `<name>.y` (int32, one class each)
 * and `<name>.order` (int32, a permutation of the examples: the order in which batches visit them).
 * The classes come from a random linear map with one label in ten replaced, so that the loss falls but never
 * to zero, where denormal numbers would be what is measured.
 */
export function writeDataset(workload, folder) {
  const features = featureCount(workload);
  const classes = classCount(workload);
  const random = generator(20240607);
  const x = Float32Array.from({ length: workload.examples * features }, () => normal(random));
  const map = Float32Array.from({ length: features * classes }, () => normal(random));
  const y = new Int32Array(workload.examples);
  for (let example = 0; example < workload.examples; example++) {
    const scores = new Float64Array(classes);
    for (let feature = 0; feature < features; feature++) {
      const value = x[example * features + feature];
      for (let c = 0; c < classes; c++) scores[c] += value * map[feature * classes + c];
    }
    y[example] = random() < 0.1 ? Math.floor(random() * classes) : scores.indexOf(Math.max(...scores));
  }
  const order = Int32Array.from({ length: workload.examples }, (_, index) => index);
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  mkdirSync(folder, { recursive: true });
  const files = {};
  for (const [key, array] of Object.entries({ x, y, order })) {
    files[key] = join(folder, `${workload.name}.${key}`);
    writeFileSync(files[key], new Uint8Array(array.buffer));
  }
  return files;
}

/** Reads what {@link writeDataset} wrote: `{ x: Float32Array, y: Int32Array, order: Int32Array }`. */
export function readDataset(files) {
  const bytes = (path) => new Uint8Array(readFileSync(path)).buffer;
  return {
    x: new Float32Array(bytes(files.x)),
    y: new Int32Array(bytes(files.y)),
    order: new Int32Array(bytes(files.order)),
  };
}

/** Uniform numbers in [0, 1) from a 32-bit xorshift. */
function generator(seed) {
  let state = seed | 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** A standard normal number (Box-Muller). */
function normal(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
