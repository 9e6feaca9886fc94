import { checkOptionNames, type OptionNames } from "../../tensor/known-options.ts";
import { Random } from "../../tensor/random.ts";
import { type Dataset, dataset } from "../dataset.ts";
import { requirePositive } from "./checks.ts";

export interface StudentTeacherOptions {
  /** Default 10. */
  readonly inputs?: number;
  /** Hidden neurons of the teacher; default 10. */
  readonly hidden?: number;
  /** Default 10. */
  readonly outputs?: number;
  /** Number of samples; default 1000. */
  readonly count?: number;
  /** Seed of the teacher; default 0. */
  readonly seed?: number;
  /** Seed of the samples, so that one teacher can make a training and a test set; default `seed`. */
  readonly sampleSeed?: number;
}

const optionNames: OptionNames<StudentTeacherOptions> = {
  inputs: true,
  hidden: true,
  outputs: true,
  count: true,
  seed: true,
  sampleSeed: true,
};

/**
 * The outputs of a random network on random inputs: a regression task whose right size is known. The teacher is
 * linear, ReLU, linear, without biases, with weights uniform in [-1, 1); inputs are standard normal. GradMax was
 * measured on this task (Evci et al., "GradMax: growing neural networks using gradient information", ICLR 2022).
 * Features [count, inputs], targets [count, outputs].
 */
export function studentTeacher(options: StudentTeacherOptions = {}): Dataset {
  checkOptionNames("studentTeacher", options, optionNames);
  const { inputs = 10, hidden = 10, outputs = 10, count = 1000, seed = 0, sampleSeed = seed } = options;
  requirePositive({ inputs, hidden, outputs, count });
  const weights = new Random(seed, "data/studentTeacher/teacher");
  const first = Float32Array.from({ length: hidden * inputs }, () => weights.uniform() * 2 - 1);
  const second = Float32Array.from({ length: outputs * hidden }, () => weights.uniform() * 2 - 1);
  const samples = new Random(sampleSeed, "data/studentTeacher/samples");
  const features = Float32Array.from({ length: count * inputs }, () => samples.normal());
  const targets = new Float32Array(count * outputs);
  for (let row = 0; row < count; row++) {
    const input = features.subarray(row * inputs, (row + 1) * inputs);
    const active = linear(first, input).map((value) => Math.max(0, value));
    targets.set(linear(second, active), row * outputs);
  }
  return dataset({
    name: "studentTeacher",
    count,
    features,
    featureDims: [inputs],
    targets,
    targetDims: [outputs],
  });
}

/** weights [out, in] × input [in] → [out], summed in float64 */
function linear(weights: Float32Array, input: ArrayLike<number>): number[] {
  return Array.from({ length: weights.length / input.length }, (_, out) => {
    let sum = 0;
    for (let at = 0; at < input.length; at++) sum += weights[out * input.length + at]! * input[at]!;
    return sum;
  });
}
