import type { Dim, Shape } from "../graph/dim.ts";
import { divideDims, multiplyDims } from "../graph/dim.ts";
import { int } from "../graph/model.ts";
import { movedBound } from "./bounds.ts";
import { type Flow, input, output, tie } from "./flow.ts";
import { foldTies } from "./folding.ts";
import { moved } from "./fresh.ts";
import type { Call, GradientCall, Operator } from "./operator.ts";

function blockSize(call: Call): number {
  const size = call.int("blocksize", 0);
  if (call.rank(0) !== 4) call.fail("its input must be [N, C, H, W]", call.shape(0));
  if (size < 1) call.fail("blocksize must be positive", size);
  return size;
}

/** Channels of the deep side as the factors that they are made of, and which of them is the shallow side's channel. */
function channelFactors(call: Call, shallow: Dim): { readonly sizes: Shape; readonly channel: number } {
  const block = blockSize(call);
  const columnRow = call.string("mode", "DCR") === "CRD";
  return columnRow
    ? { sizes: [shallow, block, block], channel: 0 }
    : { sizes: [block, block, shallow], channel: 2 };
}

/** The flow of channels between the deep side [C·r·r] and the shallow one [C]; positions in space must stay. */
function channelFlow(call: Call, deep: typeof input, shallow: typeof input, channels: Dim): Flow {
  const { sizes, channel } = channelFactors(call, channels);
  const reason = `${call.node.op} makes positions in space of it, or it of them`;
  // The two factors that become space have no axis to follow: a reference to an axis that is not there blocks them.
  const ties = foldTies(sizes, (part) => shallow(0, part === channel ? 1 : -1), deep(0, 1));
  return {
    ties: [tie(input(0, 0), output(0)), ...ties.filter((_, part) => part === channel)],
    blocked: [2, 3].flatMap((axis) => [input(0, axis), output(axis)].map((at) => ({ at, reason }))),
    fresh: moved,
  };
}

const outputAt = (_: number, axis: number) => output(axis);

/** The gradient as the move back: six axes, reordered, by Reshape and Transpose. */
function moveBack(call: GradientCall): string {
  const { graph } = call;
  const block = blockSize(call);
  if (call.string("mode", "DCR") === "DCR") {
    return graph.emit("SpaceToDepth", [call.upstream], { blocksize: int(block) });
  }
  // [N, C, H·r, W·r] as [N, C, H, r, W, r], then r and r behind C.
  const shape = graph.emit("Shape", [call.node.inputs[0] as string]);
  const part = (at: number) => graph.emit("Slice", [shape, graph.vector([at]), graph.vector([at + 1])]);
  const sides = graph.vector([block]);
  const channels = graph.emit("Div", [part(1), graph.vector([block * block])]);
  const six = graph.emit("Concat", [part(0), channels, part(2), sides, part(3), sides], { axis: int(0) });
  const split = graph.emit("Reshape", [call.upstream, six]);
  const turned = graph.emit("Transpose", [split], { perm: { kind: "ints", value: [0, 1, 3, 5, 2, 4] } });
  return graph.emit("Reshape", [turned, shape]);
}

/** Moves channels into blocks in space, [N, C·r·r, H, W] to [N, C, H·r, W·r] (pixel shuffle). ONNX DepthToSpace-13. */
export const depthToSpace: Operator = {
  infer(call) {
    const block = blockSize(call);
    const { dtype, shape } = call.input(0);
    const [batch, channels, height, width] = shape as [Dim, Dim, Dim, Dim];
    const left = divideDims(channels, block * block);
    if (left === undefined) return call.fail("its channels must be a multiple of blocksize²", shape);
    return [{ dtype, shape: [batch, left, multiplyDims(height, block), multiplyDims(width, block)] }];
  },
  gradient: (call) => [moveBack(call)],
  flow: (call) => channelFlow(call, input, outputAt, call.output(0).shape[1] as Dim),
  rounding: movedBound,
  flops: () => 0,
};
