import { int, ints, text } from "../../../src/graph/model.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import { activation } from "./activations.ts";
import type { Draft } from "./draft.ts";
import { linear, weight } from "./linear.ts";
import { reshape } from "./reshaping.ts";

/** Filters [out, in / groups, k, k] and a bias for them. */
function filters(draft: Draft, dims: readonly number[], out: number): readonly string[] {
  const [, inputs = 1, height = 1, width = 1] = dims;
  const kernel = weight(draft, dims, inputs * height * width);
  return draft.chance(0.7) ? [kernel, draft.parameter("bias", draft.weights([out], 4))] : [kernel];
}

const same = (size: number) => ints(Array.from({ length: 4 }, () => (size - 1) / 2));

/** A convolution that keeps the image's size, or halves it if it is large enough. */
export function conv(draft: Draft, x: string, out = draft.size(), groups = 1): string {
  const size = draft.pick([1, 3]);
  const stride = size === 3 && draft.width(x) >= 4 && draft.width(x, 2) >= 4 && draft.chance(0.2) ? 2 : 1;
  const pads = size === 3 && draft.chance(0.2) ? { auto_pad: text("SAME_UPPER") } : { pads: same(size) };
  const attributes = {
    kernel_shape: ints([size, size]),
    strides: ints([stride, stride]),
    group: int(groups),
    ...pads,
  };
  return draft.as("Conv", () =>
    draft.emit(
      "Conv",
      [x, ...filters(draft, [out, draft.width(x, 1) / groups, size, size], out)],
      attributes,
    ),
  );
}

export function groupedConv(draft: Draft, x: string): string {
  return draft.as("grouped Conv", () => {
    const groups = draft.pick([2, 3]);
    const inner = conv(draft, x, groups * (1 + draft.below(3)));
    return conv(draft, activation(draft, inner), groups * (1 + draft.below(3)), groups);
  });
}

/** Depthwise (sometimes with a multiplier), then pointwise. */
export function separableConv(draft: Draft, x: string): string {
  return draft.as("depthwise Conv", () => {
    const channels = draft.width(x, 1);
    const deep = conv(draft, x, channels * draft.pick([1, 1, 2]), channels);
    return conv(draft, activation(draft, deep));
  });
}

export function transposedConv(draft: Draft, x: string): string {
  return draft.as("ConvTranspose", () => {
    const groups = draft.chance(0.3) ? 2 : 1;
    const inner = groups === 1 ? x : conv(draft, x, 2 * (1 + draft.below(3)));
    const [inputs, out] = [draft.width(inner, 1), groups * (1 + draft.below(3))];
    const stride = draft.width(x) <= 4 ? draft.pick([1, 2]) : 1;
    const kernel = filters(draft, [inputs, out / groups, stride, stride], out);
    return draft.emit("ConvTranspose", [inner, ...kernel], {
      strides: ints([stride, stride]),
      kernel_shape: ints([stride, stride]),
      group: int(groups),
    });
  });
}

export function pool(draft: Draft, x: string): string {
  if (draft.width(x) < 2 || draft.width(x, 2) < 2) return x;
  const op = draft.pick(["MaxPool", "AveragePool"]);
  return draft.as(op, () =>
    draft.emit(op, [x], { kernel_shape: ints([2, 2]), strides: ints([draft.pick([1, 2]), 2]) }),
  );
}

export function convResidual(draft: Draft, x: string): string {
  return draft.as("residual of Conv", () => {
    const channels = draft.width(x, 1);
    const size = { kernel_shape: ints([1, 1]) };
    const inner = draft.emit(
      "Conv",
      [x, ...filters(draft, [draft.size(), channels, 1, 1], 0).slice(0, 1)],
      size,
    );
    const outer = filters(draft, [channels, draft.width(inner, 1), 1, 1], channels);
    return draft.emit("Add", [x, draft.emit("Conv", [activation(draft, inner), ...outer], size)]);
  });
}

/** Channels next to each other: those of branches, of the input, of one branch twice. */
export function concatChannels(draft: Draft, x: string): string {
  return draft.as("Concat of channels", () => {
    const point = () => {
      const out = draft.size();
      return draft.emit("Conv", [x, ...filters(draft, [out, draft.width(x, 1), 1, 1], out)]);
    };
    const branches = [point(), draft.chance(0.5) ? x : activation(draft, point())];
    if (draft.chance(0.3)) branches.push(draft.pick(branches));
    return draft.emit("Concat", branches, { axis: int(1) });
  });
}

/** A gate for every channel, computed from the whole image. */
export function squeezeExcite(draft: Draft, x: string): string {
  return draft.as("squeeze and excite", () => {
    const channels = draft.width(x, 1);
    const inner = draft.size();
    const pooled = globalPool(draft, x);
    const gate = () => (draft.exact ? "Relu" : draft.pick(["Sigmoid", "HardSigmoid"]));
    if (draft.chance(0.5)) {
      const down = activation(
        draft,
        draft.emit("Conv", [pooled, ...filters(draft, [inner, channels, 1, 1], inner)]),
      );
      const up = draft.emit("Conv", [down, ...filters(draft, [channels, inner, 1, 1], channels)]);
      return draft.emit("Mul", [x, draft.emit(gate(), [up])]);
    }
    const flat = draft.emit("Flatten", [pooled]);
    const gates = draft.emit(gate(), [
      linear(draft, activation(draft, linear(draft, flat, inner)), channels),
    ]);
    return draft.emit("Mul", [x, reshape(draft, gates, [draft.dim(x, 0), channels, 1, 1], x)]);
  });
}

/** [batch, channels, 1, 1]. */
function globalPool(draft: Draft, x: string): string {
  if (draft.exact) return draft.as("GlobalMaxPool", () => draft.emit("GlobalMaxPool", [x]));
  switch (draft.pick(["average", "mean", "max"])) {
    case "average":
      return draft.as("GlobalAveragePool", () => draft.emit("GlobalAveragePool", [x]));
    case "mean":
      return draft.as("mean over the image", () => draft.emit("ReduceMean", [x, draft.vector([2, 3])]));
    default:
      return draft.as("GlobalMaxPool", () => draft.emit("GlobalMaxPool", [x]));
  }
}

export function shuffled(draft: Draft, x: string): string {
  const block = draft.width(x) % 2 === 0 && draft.width(x, 2) % 2 === 0 && draft.chance(0.4);
  if (block)
    return draft.as("SpaceToDepth", () =>
      conv(draft, draft.emit("SpaceToDepth", [x], { blocksize: int(2) })),
    );
  if (draft.width(x) > 4 || draft.chance(0.4)) return channelShuffle(draft, x);
  return draft.as("DepthToSpace", () => {
    const mode = { mode: text(draft.pick(["DCR", "CRD"])) };
    return draft.emit("DepthToSpace", [conv(draft, x, 4 * (1 + draft.below(3)))], {
      blocksize: int(2),
      ...mode,
    });
  });
}

/** The channels of groups in turn: [groups, each] transposed. */
function channelShuffle(draft: Draft, x: string): string {
  return draft.as("channel shuffle", () => {
    const [groups, each] = [draft.pick([2, 3]), 1 + draft.below(3)];
    const wide = conv(draft, x, groups * each);
    const [batch, , height, width] = draft.shape(wide) as readonly [number, number, number, number];
    const apart = reshape(draft, wide, [batch, groups, each, height, width]);
    const turned = draft.emit("Transpose", [apart], { perm: ints([0, 2, 1, 3, 4]) });
    return reshape(draft, turned, [batch, groups * each, height, width], wide);
  });
}

export function padded(draft: Draft, x: string): string {
  return draft.as("Pad", () => {
    const mode = { mode: text(draft.pick(["constant", "edge", "reflect"])) };
    if (draft.width(x) < 2 || draft.width(x, 2) < 2) return x;
    const pads = draft.vector([0, 0, 1, 0, 0, 0, 0, 1]);
    // ONNX Runtime would fuse two Pads before a pool with it, and then refuse the combined padding.
    return activation(draft, draft.emit("Pad", [x, pads], mode));
  });
}

export function resized(draft: Draft, x: string): string {
  if (draft.width(x) > 4) return pool(draft, x);
  return draft.as("Resize", () => {
    const [, channels = 1, height, width] = draft.shape(x) as readonly number[];
    const nearest = {
      mode: text("nearest"),
      coordinate_transformation_mode: text("asymmetric"),
      nearest_mode: text("floor"),
    };
    const [batch] = draft.shape(x);
    if (typeof batch === "number" && draft.chance(0.5)) {
      const sizes = draft.vector([batch, channels, 2 * (height as number), 2 * (width as number)]);
      return draft.emit("Resize", [x, "", "", sizes], nearest);
    }
    return draft.emit("Resize", [x, "", draft.own(float32([4], [1, 1, 2, 2]))], nearest);
  });
}

/** [batch, channels, height, width] to [batch, units]. */
export function flattened(draft: Draft, x: string): string {
  const [batch, channels, height, width] = draft.shape(x) as readonly [number, number, number, number];
  switch (draft.pick(["Flatten", "reshape", "pool", "reduce"])) {
    case "Flatten":
      return draft.as("Flatten", () => draft.emit("Flatten", [x], { axis: int(draft.chance(0.5) ? 1 : -3) }));
    case "reshape":
      return draft.as("flattening Reshape", () => reshape(draft, x, [batch, channels * height * width]));
    case "pool": {
      const pooled = globalPool(draft, x);
      if (draft.chance(0.5)) return draft.emit("Squeeze", [pooled, draft.vector([2, 3])]);
      return reshape(draft, pooled, [batch, channels], x);
    }
    default: {
      const op = draft.exact ? "ReduceSum" : draft.pick(["ReduceSum", "ReduceMean", "ReduceMax"]);
      return draft.as("reduction over the image", () =>
        draft.emit(op, [x, draft.vector(draft.chance(0.5) ? [2, 3] : [-1, -2])], { keepdims: int(0) }),
      );
    }
  }
}

/** [batch, channels, height, width] to [batch, height·width, channels]. */
export function patches(draft: Draft, x: string): string {
  return draft.as("patches", () => {
    const [batch, channels, height, width] = draft.shape(x) as readonly [number, number, number, number];
    const flat = reshape(draft, x, [batch, channels, height * width]);
    return draft.emit("Transpose", [flat], { perm: ints([0, 2, 1]) });
  });
}
