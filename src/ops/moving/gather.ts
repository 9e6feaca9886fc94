import type { Dim } from "../../graph/dim.ts";
import { type Layout, sameLayout, unitLayout } from "../../graph/layout.ts";
import { int, text } from "../../graph/model.ts";
import { type Carried, input, output, type Pick, tie } from "../rules/axis-rule.ts";
import { movedBound } from "../rules/bounds.ts";
import { elementwise } from "../rules/contents.ts";
import { shapeOf, zerosLike } from "../rules/gradient.ts";
import { keepsInterval } from "../rules/interval-rules.ts";
import type { Call, GradientCall, Operator } from "../rules/operator.ts";
import { numbersOf, sized, sizesOf } from "../rules/sizes.ts";

function axisOf(call: Call): number {
  return call.axis(call.int("axis", 0), call.rank(0));
}

/** Adds each slice of the upstream gradient to the slice that it was copied from. */
function gradient(call: GradientCall): readonly (string | undefined)[] {
  const { graph } = call;
  const [data, indices] = call.node.inputs as [string, string];
  const axis = axisOf(call);
  const rank = call.rank(0);
  const flat = graph.vector([-1]);
  // The axes of the indices become one: [..., N, ...], of the rank of the data.
  let upstream = call.upstream;
  if (call.rank(1) !== 1) {
    const sizes = shapeOf(call, data);
    const before = graph.emit("Slice", [sizes, graph.vector([0]), graph.vector([axis])]);
    const after = graph.emit("Slice", [sizes, graph.vector([axis + 1]), graph.vector([rank])]);
    upstream = graph.emit("Reshape", [
      upstream,
      graph.emit("Concat", [before, flat, after], { axis: int(0) }),
    ]);
  }
  const column = Array.from({ length: rank }, (_, at) => (at === axis ? -1 : 1));
  const positions = graph.emit("Expand", [
    graph.emit("Reshape", [indices, graph.vector(column)]),
    shapeOf(call, upstream),
  ]);
  // ScatterElements, not ScatterND: the latter adds in parallel and in no fixed order (ONNX Runtime issue 18048).
  return [
    graph.emit("ScatterElements", [zerosLike(call, data), positions, upstream], {
      axis: int(axis),
      reduction: text("add"),
    }),
  ];
}

const byNumber = "Gather indexes it by position";

/** Only rows appended at the end leave the old rows' indices unchanged. */
const atTheEnd = (layout: Layout): Carried =>
  sameLayout(layout, unitLayout) ? layout : { blocked: byNumber };

/** A single known index picks one position. */
function picks(call: Call, axis: number): readonly Pick[] {
  const [size, numbers] = [call.shape(0)[axis], numbersOf(call, 1)];
  const [number] = numbers ?? [];
  if (number === undefined || numbers?.length !== 1 || typeof size !== "number") return [];
  return [{ at: input(0, axis), position: number < 0 ? number + size : number, output: 0 }];
}

/** Slices of the data at given positions of an axis. ONNX Gather-13. */
export const gather: Operator = {
  infer(call) {
    const { dtype, shape } = call.input(0);
    const axis = axisOf(call);
    const indices = call.shape(1);
    const result = [...shape.slice(0, axis), ...indices, ...shape.slice(axis + 1)];
    const [sizes, at] = [sizesOf(call, 0), numbersOf(call, 1)];
    if (sizes === undefined || at === undefined || shape.length !== 1) return [{ dtype, shape: result }];
    const picked = at.map((index) => sizes.at(index));
    const known = picked.every((size) => size !== undefined);
    return [sized({ dtype, shape: result }, known && result.length < 2 ? picked : undefined)];
  },
  gradient,
  axes(call) {
    const axis = axisOf(call);
    const width = call.rank(1);
    const others = call.shape(0).flatMap((_, at) => (at === axis ? [] : [at]));
    const carried = (at: number) => output(at < axis ? at : at + width - 1);
    // A table of weights whose indices are fed at run time: nothing asks for rows appended to it.
    const isTable = call.constant(0) !== undefined && call.constant(1) === undefined;
    const rows = input(0, axis);
    return {
      ties: [
        ...(isTable ? [{ ...tie(rows, rows), forward: atTheEnd, backward: atTheEnd }] : []),
        ...others.map((at) => tie(input(0, at), carried(at))),
        ...call.shape(1).map((_, at) => tie(input(1, at), output(axis + at))),
      ],
      roles: others.map((at) => ({ at: input(0, at), role: "incoming" as const })),
      blocked: isTable ? [] : [{ at: rows, reason: byNumber }],
      picks: picks(call, axis),
      tables: isTable ? [{ rows, by: input(1, 0) }] : [],
      // Which of the two carries the width depends on the axis; equal positions look up equal slices.
      contents: ([data, at]) => data ?? elementwise([at]),
    };
  },
  interval: keepsInterval,
  rounding: movedBound,
  positions: (call) => [{ input: 1, size: call.shape(0)[axisOf(call)] as Dim }],
  flops: () => 0,
};
