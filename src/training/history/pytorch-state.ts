import { isFloat } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { float32, sizeOf, type Tensor } from "../../tensor/tensor.ts";
import type { Births } from "../optimizers/ages.ts";
import { rateAt } from "../schedules/index.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** What PyTorch needs to continue a run. */
export interface PytorchState {
  /** Parameters and running statistics by name, as the model has them. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** `<parameter>.exp_avg`, `<parameter>.exp_avg_sq` and `<parameter>.step` of each trained parameter that has been updated. */
  readonly optimizer: ReadonlyMap<string, Tensor>;
  /** Options of the one group, and `params`, the names of the trained parameters. */
  readonly group: Readonly<Record<string, unknown>>;
}

const classes: Readonly<Record<string, string>> = { adam: "torch.optim.Adam", adamw: "torch.optim.AdamW" };

/**
 * The weights and the state of Adam or AdamW as PyTorch has them. PyTorch counts steps by tensor, and here each entry has an age:
 * a tensor's step is the age of its oldest entry, and the moments of younger ones are multiplied so that PyTorch's
 * corrections, made for that step, give what theirs would have given. Entries that were never updated have the mean square of the
 * others. Throws `ARGUMENT` for another optimizer.
 */
export function pytorchState({ settings, state }: Checkpoint): PytorchState {
  const { optimizer } = settings;
  const name = classes[optimizer.name];
  if (name === undefined) {
    throw new EspalierError("ARGUMENT", {
      thing: "optimizer",
      rule: "must be one whose state PyTorch can represent",
      received: optimizer.name,
      remedy: `Supported: ${Object.keys(classes).join(", ")}. The model itself is in model.onnx.`,
    });
  }
  const { beta1, beta2, epsilon, weightDecay } = optimizer.options as Readonly<Record<string, number>>;
  const { slots, births, restart } = state.learner;
  const { step } = state.progress;
  const tensors = new Map<string, Tensor>();
  for (const [parameter, [first, second]] of slots) {
    if (first === undefined || second === undefined) continue;
    const ages = agesOf(first.dims, births.get(parameter) ?? [], step, restart);
    const oldest = ages.reduce((most, age) => Math.max(most, age), 0);
    if (oldest === 0) continue;
    const m = moment(first, ages, oldest, beta1 as number, () => 0);
    const v = moment(second, ages, oldest, beta2 as number, (mean) => mean);
    tensors.set(`${parameter}.exp_avg`, m);
    tensors.set(`${parameter}.exp_avg_sq`, v);
    tensors.set(`${parameter}.step`, float32([], [oldest]));
  }
  const group = {
    optimizer: name,
    lr: rateAt(optimizer.learningRate, step),
    betas: [beta1, beta2],
    eps: epsilon,
    weight_decay: weightDecay,
    params: [...slots.keys()],
  };
  const weights = [...state.model.graph.parameters].filter(([, { dtype }]) => isFloat(dtype));
  return { weights: new Map(weights), optimizer: tensors, group };
}

/** Updates of each entry: since it was born, or since all moments last started over. */
function agesOf(dims: readonly number[], births: Births, step: number, restart: number): Int32Array {
  const ages = new Int32Array(sizeOf(dims)).fill(step - restart);
  let inner = ages.length;
  births.forEach((axis, at) => {
    const size = dims[at] as number;
    inner /= size;
    for (let entry = 0; entry < ages.length; entry++) {
      const birth = axis[Math.floor(entry / inner) % size] as number;
      ages[entry] = Math.min(ages[entry] as number, step - birth);
    }
  });
  return ages;
}

/** A moment whose entries are all corrected as those of age `oldest` are. */
function moment(
  { dims, data }: Tensor,
  ages: Int32Array,
  oldest: number,
  beta: number,
  newborn: (mean: number) => number,
): Tensor {
  const values = new Float32Array(ages.length);
  let [sum, count] = [0, 0];
  ages.forEach((age, at) => {
    if (age === 0) return;
    const value = data[at] as number;
    values[at] = age === oldest ? value : (value * (1 - beta ** oldest)) / (1 - beta ** age);
    sum += values[at] as number;
    count++;
  });
  ages.forEach((age, at) => {
    if (age === 0) values[at] = newborn(sum / count);
  });
  return float32(dims, values);
}
