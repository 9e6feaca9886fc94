import type { Dim } from "../../graph/dim.ts";
import { divideDims, multiplyDims } from "../../graph/dim.ts";
import { int } from "../../graph/model.ts";
import { input, output } from "../rules/axis-rule.ts";
import { movedBound } from "../rules/bounds.ts";
import { keepsInterval } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";
import { unknownSize } from "../rules/sizes.ts";
import { blockSize, flowDepth } from "./depth.ts";

/** Moves blocks in space into channels, [N, C, H·r, W·r] to [N, r·r·C, H, W]. ONNX SpaceToDepth-13. */
export const spaceToDepth: Operator = {
  infer(call) {
    const block = blockSize(call);
    const { dtype, shape } = call.input(0);
    const [batch, channels, ...space] = shape as [Dim, Dim, Dim, Dim];
    const sides = space.map((size, axis) => {
      const side = divideDims(size, block);
      if (side === undefined && typeof size === "number") {
        call.fail("its height and width must be multiples of blocksize", shape);
      }
      return side ?? unknownSize(call, axis + 2);
    });
    return [{ dtype, shape: [batch, multiplyDims(channels, block * block), ...sides] }];
  },
  gradient: (call) => [call.graph.emit("DepthToSpace", [call.upstream], { blocksize: int(blockSize(call)) })],
  axes: (call) => flowDepth(call, output(1), input(0, 1), call.shape(0)[1] as Dim),
  interval: keepsInterval,
  rounding: movedBound,
  flops: () => 0,
};
