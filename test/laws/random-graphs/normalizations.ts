import { float, int } from "../../../src/graph/model.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import type { Draft } from "./draft.ts";
import { reshape } from "./reshaping.ts";

const mean = (draft: Draft, x: string) =>
  draft.emit("ReduceMean", [x, draft.vector([draft.chance(0.5) ? -1 : draft.shape(x).length - 1])], {
    keepdims: int(1),
  });

const square = (draft: Draft, x: string) =>
  draft.chance(0.5) ? draft.emit("Mul", [x, x]) : draft.emit("Pow", [x, draft.scalar(2)]);

/** x / √(m + ε), in one of the ways to write it. */
function overRoot(draft: Draft, x: string, m: string): string {
  const root = draft.emit("Sqrt", [draft.emit("Add", [m, draft.scalar(1e-3)])]);
  return draft.chance(0.5)
    ? draft.emit("Div", [x, root])
    : draft.emit("Mul", [x, draft.emit("Reciprocal", [root])]);
}

export function layerNorm(draft: Draft, x: string): string {
  const units = draft.width(x);
  const scale = draft.own(draft.positive([units]));
  const inputs = draft.chance(0.8)
    ? [x, scale, draft.parameter("bias", draft.weights([units], 4))]
    : [x, scale];
  return draft.as("LayerNormalization", () =>
    draft.emit("LayerNormalization", inputs, { axis: int(-1), epsilon: float(1e-3) }),
  );
}

export function writtenLayerNorm(draft: Draft, x: string): string {
  return draft.as("LayerNorm written out", () => {
    const units = draft.width(x);
    const centred = draft.emit("Sub", [x, mean(draft, x)]);
    const normal = overRoot(draft, centred, mean(draft, square(draft, centred)));
    const scaled = draft.emit("Mul", [normal, draft.own(draft.positive([units]))]);
    return draft.chance(0.7)
      ? draft.emit("Add", [scaled, draft.parameter("bias", draft.weights([units], 4))])
      : scaled;
  });
}

export function writtenRmsNorm(draft: Draft, x: string): string {
  return draft.as("RMSNorm written out", () => {
    const normal = overRoot(draft, x, mean(draft, square(draft, x)));
    return draft.emit("Mul", [draft.own(draft.positive([draft.width(x)])), normal]);
  });
}

/** Batch normalization over the axis after the batch. */
export function batchNorm(draft: Draft, x: string): string {
  return draft.as("BatchNormalization", () => {
    const units = draft.width(x, 1);
    const shift = draft.exact ? draft.weights([units]) : draft.weights([units], 4);
    // A variance of 1 and no epsilon: its root is exact.
    const variance = draft.exact
      ? float32(
          [units],
          Array.from({ length: units }, () => draft.pick([1, 4])),
        )
      : draft.positive([units]);
    const inputs = [
      draft.own(draft.positive([units])),
      draft.own(shift),
      draft.own(draft.weights([units])),
      draft.own(variance),
    ];
    return draft.emit("BatchNormalization", [x, ...inputs], { epsilon: float(draft.exact ? 0 : 1e-5) });
  });
}

/** InstanceNormalization of [batch, channels, ...]. */
export function instanceNorm(draft: Draft, x: string): string {
  return draft.as("InstanceNormalization", () => {
    const units = draft.width(x, 1);
    const inputs = [draft.own(draft.positive([units])), draft.own(draft.weights([units]))];
    return draft.emit("InstanceNormalization", [x, ...inputs], { epsilon: float(1e-3) });
  });
}

/** GroupNorm of [batch, channels, height, width] as exported before ONNX had it. */
export function groupNorm(draft: Draft, x: string): string {
  return draft.as("GroupNorm", () => {
    const units = draft.width(x, 1);
    const divisors = Array.from({ length: units }, (_, at) => at + 1).filter(
      (groups) => units % groups === 0,
    );
    const groups = draft.pick(divisors);
    const grouped = draft.emit("Reshape", [x, draft.vector([0, groups, -1])]);
    const ones = float32(
      [groups],
      Array.from({ length: groups }, () => 1),
    );
    const zeros = float32([groups], new Float32Array(groups));
    const normal = draft.emit("InstanceNormalization", [grouped, draft.own(ones), draft.own(zeros)], {
      epsilon: float(1e-3),
    });
    const back = draft.chance(0.4)
      ? draft.emit("Reshape", [normal, draft.emit("Shape", [x])])
      : reshape(draft, normal, draft.shape(x), x);
    const scaled = draft.emit("Mul", [back, draft.own(draft.positive([units, 1, 1]))]);
    return draft.emit("Add", [scaled, draft.own(draft.weights([units, 1, 1], 4))]);
  });
}
