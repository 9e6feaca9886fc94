import type { Dim, Shape } from "../../graph/dim.ts";
import { productOfDims } from "../../graph/dim.ts";
import { int, ints } from "../../graph/model.ts";
import { float32 } from "../../tensor/tensor.ts";
import { shapeOf, transpose } from "../rules/gradient.ts";
import type { GradientCall } from "../rules/operator.ts";
import { sizesRemedy, type Window, windowAttributes } from "./window.ts";

// Letters: N batch, G groups, C input and M output channels (per group, if there are groups), K kernel
// offsets along the sliced spatial axes, k those along the shifted ones, L output positions.

/** What the gradient of a convolution's weight is computed from. */
export interface WeightGradient {
  /** [N, C, spatial] */
  readonly x: string;
  /** [N, M, positions] */
  readonly upstream: string;
  /** [M, C / groups, kernel]; only its shape is used. */
  readonly weight: string;
  readonly window: Window;
  readonly groups: number;
}

/**
 * dL/dW of Y = conv(X, W): for each kernel offset, the shifted input times the upstream gradient, summed over
 * batch and positions. A convolution with one-hot filters makes the shifts along the last axis (in one pass
 * on all threads, with padding, stride and dilation at no extra cost); slices of whole rows make the others.
 * Together they were faster than ONNX Runtime's Conv with X and dY as its operands, and faster than slices
 * alone. Small kernels, and larger ones over few channels, are shifted along all axes at once, because slices
 * use only one thread.
 */
export function convWeightGradient(call: GradientCall, parts: WeightGradient): string {
  const { graph } = call;
  const { window, groups, weight } = parts;
  const grouped = groups > 1;
  const positions = graph.typeOf(parts.upstream).shape.slice(2);
  const length = productOfDims(positions);
  const right = upstreamRows(call, parts.upstream, groups, length);
  if (shiftsAtOnce(call, parts)) {
    const rows = allShifts(call, parts, right.flat, length);
    const product = sumOverBatch(call, graph.emit("MatMul", [rows, right.rows]));
    // [(G), C·k, M] -> [(G), M, C·k]
    const swapped = transpose(call, product, grouped ? [0, 2, 1] : [1, 0]);
    return graph.emit("Reshape", [swapped, shapeOf(call, weight)]);
  }
  const shifted = shiftLast(call, parts.x, window);
  const last = window.kernel.length - 1;
  const products = offsets(window.kernel.slice(0, last)).map((offset) => {
    const rows = sliceRows(call, shifted, offset, window, positions);
    const left = columns(call, rows, parts, length, right.flat);
    return sumOverBatch(call, graph.emit("MatMul", [left, right.rows]));
  });
  // [(G), K·k·C, M] -> [(G), M, K·k·C] -> [(G), M, K, k, C] -> [(G), M, C, K, k]
  const lead = grouped ? 1 : 0;
  const joined =
    products.length === 1
      ? (products[0] as string)
      : graph.emit("Concat", products, { axis: { kind: "int", value: lead } });
  const swapped = transpose(call, joined, grouped ? [0, 2, 1] : [1, 0]);
  const kept = grouped ? [0, 0] : [0];
  const split = graph.emit("Reshape", [
    swapped,
    graph.vector([...kept, products.length, window.kernel[last] as number, -1]),
  ]);
  const ordered = transpose(call, split, grouped ? [0, 1, 4, 2, 3] : [0, 3, 1, 2]);
  return graph.emit("Reshape", [ordered, shapeOf(call, weight)]);
}

function sumOverBatch(call: GradientCall, products: string): string {
  return call.graph.emit("ReduceSum", [products, call.graph.vector([0])], { keepdims: int(0) });
}

/**
 * Whether all shifts take little memory, or the product of the shifts along one axis would have too few rows.
 */
function shiftsAtOnce(call: GradientCall, { x, window }: WeightGradient): boolean {
  const channels = call.graph.typeOf(x).shape[1];
  const rows = typeof channels === "number" ? channels * (window.kernel.at(-1) as number) : undefined;
  return tapsOf(window.kernel) <= (rows !== undefined && rows < 16 ? 32 : 9);
}

const tapsOf = (kernel: readonly number[]) => kernel.reduce((product, size) => product * size, 1);

/**
 * [N, (G), C·k, L]: X under each tap. Every channel becomes a separate image, whose output channels are the
 * taps.
 */
function allShifts(
  call: GradientCall,
  { x, window, groups }: WeightGradient,
  flat: string,
  length: Dim,
): string {
  const { graph } = call;
  const part = (name: string, from: number, to: number) =>
    graph.emit("Slice", [graph.emit("Shape", [name]), graph.vector([from]), graph.vector([to])]);
  const joined = (...parts: string[]) => graph.emit("Concat", parts, { axis: int(0) });
  const rank = window.kernel.length;
  const image = graph.emit("Reshape", [x, joined(graph.vector([-1, 1]), part(x, 2, rank + 2))]);
  const shifted = graph.emit(
    "Conv",
    [image, oneHotFilters(call, x, window.kernel)],
    windowAttributes(window),
  );
  const rows = graph.vector(groups === 1 ? [-1] : [groups, -1]);
  const last = typeof length === "number" ? graph.vector([length]) : part(flat, 2, 3);
  return graph.emit("Reshape", [shifted, joined(part(x, 0, 1), rows, last)]);
}

/** [N, k, C, rows..., positions on the last axis]: X under each tap of the last axis, padded on all axes. */
function shiftLast(call: GradientCall, x: string, window: Window): string {
  const { graph } = call;
  const rank = window.kernel.length;
  const last = rank - 1;
  const taps = window.kernel[last] as number;
  const image = graph.emit("Unsqueeze", [x, graph.vector([1])]);
  const plain = [...window.begin, ...window.end].every((pad) => pad === 0) && window.strides[last] === 1;
  if (taps === 1 && plain) return image;
  const ones = new Array<number>(last).fill(1);
  return graph.emit("Conv", [image, oneHotFilters(call, x, [1, ...ones, taps])], {
    ...windowAttributes({
      kernel: [1, ...ones, taps],
      strides: [1, ...ones, window.strides[last] as number],
      dilations: [1, ...ones, window.dilations[last] as number],
      begin: [0, ...window.begin],
      end: [0, ...window.end],
    }),
  });
}

/**
 * [k, 1, ...kernel]: filter i is 1 at tap i. The condition is always true; it hides from ONNX Runtime that
 * the weight is constant; for a constant weight it would choose a blocked layout, and reordering into that
 * costs more than the convolution.
 */
function oneHotFilters(call: GradientCall, x: string, kernel: readonly number[]): string {
  const { graph } = call;
  const taps = tapsOf(kernel);
  const dims = [taps, 1, ...kernel];
  const filters = graph.constant(`one-hot ${dims.join(",")}`, () =>
    float32(
      dims,
      Float32Array.from({ length: taps * taps }, (_, at) => (at % (taps + 1) === 0 ? 1 : 0)),
    ),
  );
  const batch = graph.emit("Slice", [graph.emit("Shape", [x]), graph.vector([0]), graph.vector([1])]);
  const always = graph.emit("Greater", [batch, graph.vector([-1])]);
  return graph.emit("Where", [always, filters, filters]);
}

/** All offsets of a kernel, in row-major order. */
function offsets(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (heads, size) => heads.flatMap((head) => Array.from({ length: size }, (_, tap) => [...head, tap])),
    [[]],
  );
}

/** The rows that tap `offset` sees: a strided slice along every spatial axis but the last. */
function sliceRows(
  call: GradientCall,
  shifted: string,
  offset: readonly number[],
  window: Window,
  positions: Shape,
): string {
  const cuts = offset.flatMap((tap, axis) => {
    const stride = window.strides[axis] as number;
    const kernel = window.kernel[axis] as number;
    const dilation = window.dilations[axis] as number;
    const count = positions[axis];
    const start = tap * dilation;
    if (kernel === 1 && stride === 1) return [];
    if (typeof count === "number") {
      return [{ axis: axis + 3, start, end: start + (count - 1) * stride + 1, stride }];
    }
    if (stride !== 1)
      call.unruled(
        "the gradient of a strided window needs spatial sizes that are numbers",
        count,
        sizesRemedy,
      );
    const behind = (kernel - 1 - tap) * dilation;
    return [{ axis: axis + 3, start, end: behind === 0 ? 2 ** 40 : -behind, stride }];
  });
  if (cuts.length === 0) return shifted;
  const listed = [
    cuts.map(({ start }) => start),
    cuts.map(({ end }) => end),
    cuts.map(({ axis }) => axis),
    cuts.map(({ stride }) => stride),
  ];
  return call.graph.emit("Slice", [shifted, ...listed.map((values) => call.graph.vector(values))]);
}

/** [N, (G), k·C, L] from [N, k, (G·)C, positions]. */
function columns(
  call: GradientCall,
  rows: string,
  { weight, window, groups }: WeightGradient,
  length: ReturnType<typeof productOfDims>,
  flat: string,
): string {
  const { graph } = call;
  if (groups === 1) {
    if (typeof length === "number")
      return graph.emit("Reshape", [rows, graph.vector([0, -1, Math.max(length, 1)])]);
    const size = graph.emit("Slice", [graph.emit("Shape", [flat]), graph.vector([2]), graph.vector([3])]);
    return graph.emit("Reshape", [
      rows,
      graph.emit("Concat", [graph.vector([0, -1]), size], { axis: { kind: "int", value: 0 } }),
    ]);
  }
  const channels = graph.typeOf(weight).shape[1];
  const taps = window.kernel.at(-1) as number;
  if (typeof length !== "number" && typeof channels !== "number") {
    call.unruled(
      "the gradient of a grouped convolution needs a known number of channels or positions",
      channels,
    );
  }
  const sizes = [
    0,
    taps,
    groups,
    typeof length === "number" ? -1 : (channels as number),
    typeof length === "number" ? length : -1,
  ];
  const split = transpose(call, graph.emit("Reshape", [rows, graph.vector(sizes)]), [0, 2, 1, 3, 4]);
  const joined =
    typeof length === "number" ? [0, groups, -1, length] : [0, groups, taps * (channels as number), -1];
  return graph.emit("Reshape", [split, graph.vector(joined)]);
}

/** dY as [N, M, L], and as the right operand [N, (G), L, M]. ONNX Runtime fuses the transpose into the product. */
function upstreamRows(
  call: GradientCall,
  upstream: string,
  groups: number,
  length: ReturnType<typeof productOfDims>,
): { flat: string; rows: string } {
  const { graph } = call;
  const flat = graph.emit("Reshape", [upstream, graph.vector([0, 0, -1])]);
  if (groups === 1) return { flat, rows: transpose(call, flat, [0, 2, 1]) };
  const filters = graph.typeOf(upstream).shape[1];
  if (typeof length !== "number" && typeof filters !== "number") {
    call.unruled(
      "the gradient of a grouped convolution needs a known number of channels or positions",
      filters,
    );
  }
  const sizes =
    typeof length === "number" ? [0, groups, -1, length] : [0, groups, (filters as number) / groups, -1];
  return {
    flat,
    rows: graph.emit("Transpose", [graph.emit("Reshape", [flat, graph.vector(sizes)])], {
      perm: ints([0, 1, 3, 2]),
    }),
  };
}
