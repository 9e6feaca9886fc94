import type { Dim, Shape } from "../../graph/dim.ts";
import { addDims, divideDims } from "../../graph/dim.ts";
import { type Attributes, ints, text } from "../../graph/model.ts";
import type { Call } from "../rules/operator.ts";
import { unknownSize } from "../rules/sizes.ts";

/** The remedy if a gradient needs sizes that the model leaves open. */
export const sizesRemedy =
  "Give them: sizes: { height: 32, width: 32 } (--sizes height=32,width=32 on the command line).";

/** How a window slides over the spatial axes of a convolution or a pool; one entry per spatial axis. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding before and after each axis. */
  readonly begin: readonly number[];
  readonly end: readonly number[];
  /** The padding rule, if the padding follows from sizes that are not known. `begin` and `end` are then 0. */
  readonly auto?: "SAME_UPPER" | "SAME_LOWER";
}

/** Positions from the first tap of a window to its last. */
export function extent(window: Window, axis: number): number {
  return ((window.kernel[axis] ?? 1) - 1) * (window.dilations[axis] ?? 1) + 1;
}

/** The window of a call, `auto_pad` resolved against the `spatial` sizes of its input. Throws `INVALID_MODEL`. */
export function windowOf(call: Call, kernel: readonly number[], spatial: Shape): Window {
  const rank = spatial.length;
  if (rank < 1) call.fail("X needs at least one spatial axis", call.shape(0));
  if (kernel.length !== rank || kernel.some((size) => size < 1)) {
    call.fail(`kernel_shape needs ${rank} positive sizes`, kernel);
  }
  const listed = (name: string, least: number, count = rank) => {
    const values = call.ints(name) ?? new Array<number>(count).fill(least);
    if (values.length !== count || values.some((value) => value < least)) {
      call.fail(`${name} needs ${count} integers of at least ${least}`, values);
    }
    return values;
  };
  const strides = listed("strides", 1);
  const dilations = listed("dilations", 1);
  const pads = listed("pads", 0, 2 * rank);
  const auto = call.string("auto_pad", "NOTSET");
  const sliding = { kernel, strides, dilations };
  if (auto === "NOTSET") return { ...sliding, begin: pads.slice(0, rank), end: pads.slice(rank) };
  const none = new Array<number>(rank).fill(0);
  if (auto === "VALID") return { ...sliding, begin: none, end: none };
  if (auto !== "SAME_UPPER" && auto !== "SAME_LOWER") {
    call.fail("auto_pad must be NOTSET, VALID, SAME_UPPER or SAME_LOWER", auto);
  }
  // ONNX Runtime rejects this for Conv, and silently ignores the dilation in pools.
  if (dilations.some((dilation) => dilation > 1)) {
    call.unruled(`auto_pad ${auto} does not support dilations`, dilations, "Write the padding out as pads.");
  }
  const totals = spatial.map((size, axis) => {
    const stride = strides[axis] as number;
    const reach = extent({ ...sliding, begin: none, end: none }, axis);
    if (stride === 1) return reach - 1;
    if (typeof size !== "number") return undefined;
    return Math.max(0, (Math.ceil(size / stride) - 1) * stride + reach - size);
  });
  if (!totals.every((total) => total !== undefined)) return { ...sliding, begin: none, end: none, auto };
  const less = totals.map((total) => Math.floor(total / 2));
  const more = totals.map((total, axis) => total - (less[axis] as number));
  return auto === "SAME_UPPER"
    ? { ...sliding, begin: less, end: more }
    : { ...sliding, begin: more, end: less };
}

/**
 * Number of positions of the window on spatial axis `axis`. With `ceil`, the last window may extend past the
 * end, but not start beyond the input and its leading padding. Throws `INVALID_MODEL` if no window fits.
 */
export function windowedSize(call: Call, size: Dim, axis: number, window: Window, ceil: boolean): Dim {
  const stride = window.strides[axis] as number;
  if (window.auto !== undefined) {
    return typeof size === "number" ? Math.ceil(size / stride) : sizeOfSame(call, size, stride, axis);
  }
  const begin = window.begin[axis] as number;
  const slack = begin + (window.end[axis] as number) - extent(window, axis);
  if (typeof size === "string") {
    if (stride === 1) return addDims(size, slack + 1);
    const even = slack === -stride ? divideDims(size, stride) : undefined;
    return even ?? unknownSize(call, axis + 2);
  }
  let count = (ceil ? Math.ceil : Math.floor)((size + slack) / stride) + 1;
  if (ceil && (count - 1) * stride >= size + begin) count--;
  if (count < 1) call.fail("its window must fit into the padded input", { size, window });
  return count;
}

function sizeOfSame(call: Call, size: Dim, stride: number, axis: number): Dim {
  return stride === 1 ? size : unknownSize(call, axis + 2);
}

/** A window with known padding, as gradients need it. Throws `UNSUPPORTED_OPERATOR` for another. */
export function paddedWindow(call: Call, window: Window): Window {
  return window.auto === undefined
    ? window
    : call.unruled(`has a gradient with auto_pad ${window.auto} only for known sizes`, call.shape(0));
}

/** The window as ONNX attributes of Conv and the pools. */
export function windowAttributes(window: Window): Attributes {
  return {
    kernel_shape: ints(window.kernel),
    strides: ints(window.strides),
    dilations: ints(window.dilations),
    ...(window.auto === undefined ? { pads: ints([...window.begin, ...window.end]) } : {}),
    auto_pad: text(window.auto ?? "NOTSET"),
  };
}

/**
 * Attributes of the ConvTranspose that carries `to` positions (a convolution's output) back to `from` (its
 * input) exactly. Throws if a size is not known and the stride is not 1, because the padding is then unknown
 * too.
 */
export function adjointAttributes(call: Call, window: Window, from: Shape, to: Shape): Attributes {
  paddedWindow(call, window);
  const surplus = from.map((size, axis) => {
    const stride = window.strides[axis] as number;
    const count = to[axis];
    if (typeof size === "number" && typeof count === "number") {
      return (count - 1) * stride + extent(window, axis) - (window.begin[axis] as number) - size;
    }
    if (stride !== 1)
      call.unruled(
        "the gradient of a strided window needs spatial sizes that are numbers",
        from,
        sizesRemedy,
      );
    return window.end[axis] as number;
  });
  return {
    ...windowAttributes({ ...window, end: surplus.map((value) => Math.max(0, value)) }),
    output_padding: ints(surplus.map((value) => Math.max(0, -value))),
  };
}

/** The axes of a tensor of `rank` axes that are neither batch nor channel. */
export function spatialAxes(rank: number): number[] {
  return Array.from({ length: Math.max(0, rank - 2) }, (_, axis) => axis + 2);
}
