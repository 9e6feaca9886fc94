import type { Dim } from "../../graph/dim.ts";
import { repeatLayout, scaleLayout, unitLayout, unrepeatLayout, unscaleLayout } from "../../graph/layout.ts";
import {
  type AxisRef,
  type AxisRule,
  type Blocked,
  input,
  output,
  type Tie,
  tie,
} from "../rules/axis-rule.ts";
import { moved } from "../rules/contents.ts";
import type { Call } from "../rules/operator.ts";

/** Side length of the spatial blocks that channels move into or come from. */
export function blockSize(call: Call): number {
  const size = call.int("blocksize", 0);
  if (call.rank(0) !== 4) call.fail("its input must be [N, C, H, W]", call.shape(0));
  if (size < 1) call.fail("blocksize must be positive", size);
  return size;
}

/** Whether the position in a block varies fastest along the deep channels (CRD) or slowest (DCR). */
export const placesLast = (call: Call) => call.string("mode", "DCR") === "CRD";

/**
 * Axis flow of DepthToSpace and SpaceToDepth, which fold the positions of a block into the channels, one in
 * each direction: `channels` is the channel count of the shallow side.
 */
export function flowDepth(call: Call, deep: AxisRef, shallow: AxisRef, channels: Dim): AxisRule {
  const places = blockSize(call) ** 2;
  const last = placesLast(call);
  const folded: Tie["backward"] = (layout) =>
    last ? scaleLayout(layout, places) : repeatLayout(layout, places);
  const layout = last ? [{ inner: places }] : repeatLayout(unitLayout, places);
  const refused: Blocked = {
    blocked: `${places} of its channels make one`,
    ...(typeof channels === "number" ? { instead: [{ layout, units: channels }] } : {}),
  };
  const reason = `${call.node.op} makes positions in space of it, or it of them`;
  return {
    ties: [
      tie(input(0, 0), output(0)),
      {
        a: deep,
        b: shallow,
        forward: (given) => (last ? unscaleLayout(given, places) : unrepeatLayout(given, places)) ?? refused,
        backward: folded,
      },
    ],
    blocked: [2, 3].flatMap((axis) => [input(0, axis), output(axis)].map((at) => ({ at, reason }))),
    contents: moved,
  };
}
