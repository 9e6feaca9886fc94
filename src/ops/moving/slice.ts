import type { Dim } from "../../graph/dim.ts";
import { addDims, minDim } from "../../graph/dim.ts";
import { type Layout, layoutSize } from "../../graph/layout.ts";
import { int } from "../../graph/model.ts";
import {
  type AxisRule,
  type BlockedAxis,
  input,
  output,
  type Pick,
  positionAfter,
  type Tie,
  tie,
  unitsOn,
  type Written,
} from "../rules/axis-rule.ts";
import { movedBound } from "../rules/bounds.ts";
import { moved } from "../rules/contents.ts";
import { partGrains, sliceLayout } from "../rules/folding.ts";
import { scatterBack } from "../rules/gradient.ts";
import { constantIntegers, offsetOf, placesOf, rearranged } from "../rules/integer-folding.ts";
import { keepsInterval } from "../rules/interval-rules.ts";
import type { Call, GradientCall, Operator } from "../rules/operator.ts";
import { attributesAsInputs } from "../rules/raising.ts";
import { numbersOf, sized, sizesOf, unknownSize } from "../rules/sizes.ts";

/** Ends at or above this mean "to the end": exporters write 1e9, or the largest int32 or int64. */
const far = 2 ** 29;

/** One sliced axis, as written: start and end may be negative, or symbolic sizes. */
interface Cut {
  readonly axis: number;
  readonly start: Dim | undefined;
  readonly end: Dim | undefined;
  readonly step: number | undefined;
}

/** The cuts, from inputs (opset 10 and later) or attributes. */
function cuts(call: Call, rank = call.rank(0)): readonly Cut[] {
  const starts = call.ints("starts") ?? sizesOf(call, 1);
  const ends = call.ints("ends") ?? sizesOf(call, 2);
  const axes = call.ints("axes") ?? numbersOf(call, 3);
  if (axes === undefined && call.has(3)) call.unruled("its axes must be constant", call.node.inputs[3]);
  const count =
    axes?.length ?? starts?.length ?? ends?.length ?? (call.has(1) ? call.shape(1)[0] : undefined);
  if (typeof count !== "number") call.unruled("the number of sliced axes must be known", count);
  const steps = call.has(4) ? numbersOf(call, 4) : Array.from({ length: count }, () => 1);
  return Array.from({ length: count }, (_, at) => ({
    axis: call.axis(axes?.[at] ?? at, rank),
    start: starts?.[at],
    end: ends?.[at],
    step: steps?.[at],
  }));
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

/** First position and number of positions that a cut keeps of an axis of known size. */
function span(size: number, start: number, end: number, step: number): { first: number; length: number } {
  const at = (position: number) => (position < 0 ? position + size : position);
  const first = step > 0 ? clamp(at(start), 0, size) : clamp(at(start), 0, size - 1);
  const stop = step > 0 ? clamp(at(end), 0, size) : clamp(at(end), -1, size - 1);
  return { first, length: Math.max(0, Math.ceil((stop - first) / step)) };
}

/** Whether a cut keeps its whole axis in order. */
function keepsAll({ start, end, step }: Cut, size: Dim): boolean {
  return start === 0 && step === 1 && (end === size || (typeof end === "number" && end >= far));
}

/**
 * Size of an axis after a cut. An axis of unknown size is assumed to be at least as long as what is cut off.
 */
function sizeAfter(call: Call, cut: Cut, size: Dim): Dim {
  const { start, end, step } = cut;
  if (keepsAll(cut, size)) return size;
  if (typeof start !== "number" || typeof end !== "number" || step === undefined) {
    return unknownSize(call, cut.axis);
  }
  if (typeof size === "number") return span(size, start, end, step).length;
  if (step === -1 && start === -1 && end <= -far) return size;
  if (step !== 1) return unknownSize(call, cut.axis);
  const unknown = () => unknownSize(call, cut.axis);
  if (start < 0) return end >= far ? (minDim(-start, size) ?? unknown()) : unknown();
  if (end >= far) return addDims(size, -start);
  if (end < 0) return addDims(size, end - start);
  if (end <= start) return 0;
  // An axis with a symbolic size has at least one position.
  const stop = end === 1 ? 1 : minDim(end, size);
  return stop === undefined ? unknown() : addDims(stop, -start);
}

/**
 * The upstream gradient padded with zeros, if every cut has step 1 and a start counted from the front. The
 * Pad lists all axes: ONNX Runtime 1.30 ignores its input `axes` when it moves a Transpose across it.
 */
function padBack(call: GradientCall, list: readonly Cut[]): string | undefined {
  const { graph } = call;
  const shape = call.shape(0);
  const sliced = list.filter((cut) => !keepsAll(cut, shape[cut.axis] as Dim));
  if (sliced.length === 0) return call.upstream;
  const before = shape.map(() => 0);
  const after = shape.map(() => 0);
  let known = true;
  for (const { axis, start, end, step } of sliced) {
    const size = shape[axis];
    if (step !== 1 || typeof start !== "number" || typeof end !== "number") return undefined;
    if (typeof size === "number") {
      const { first, length } = span(size, start, end, step);
      before[axis] = first;
      after[axis] = size - first - length;
    } else if (start >= 0) {
      before[axis] = start;
      known = false;
    } else return undefined;
  }
  if (known) return graph.emit("Pad", [call.upstream, graph.vector([...before, ...after])]);
  const sizes = (name: string) => graph.emit("Shape", [name]);
  const first = graph.vector(before);
  const rest = graph.emit("Sub", [sizes(call.node.inputs[0] as string), first]);
  const last = graph.emit("Sub", [rest, sizes(call.upstream)]);
  return graph.emit("Pad", [call.upstream, graph.emit("Concat", [first, last], { axis: int(0) })]);
}

function gradient(call: GradientCall): readonly (string | undefined)[] {
  const padded = padBack(call, cuts(call));
  return [
    padded ??
      scatterBack(call, (positions) =>
        call.graph.emit("Slice", [positions, ...call.node.inputs.slice(1)], call.node.attributes),
      ),
  ];
}

/** Ties of an axis with what a cut keeps of it: `length` positions from `first` on. */
function cutTies(axis: number, size: number, first: number, length: number): Tie {
  const rest = size - first - length;
  const borders = [first, length, rest].filter((part) => part > 0);
  // Halves of a head (rotary embeddings) have the same units; parts of a fused weight may have their own.
  const instead = borders.length > 1 ? partGrains(borders) : [];
  return {
    a: input(0, axis),
    b: output(axis),
    forward: (layout) =>
      sliceLayout(layout, unitsOn(layout, size), first, first + length) ?? {
        blocked: "the Slice cuts between its units",
        instead,
      },
    backward: (layout) => [{ fixed: first }, ...layout, { fixed: rest }],
  };
}

function flow(call: Call): AxisRule {
  const shape = call.shape(0);
  const ties: Tie[] = [];
  const written: Written[] = [];
  const blocked: BlockedAxis[] = [];
  const picks: Pick[] = [];
  const list = cuts(call);
  shape.forEach((size, axis) => {
    const element = list.findIndex((one) => one.axis === axis);
    const cut = list[element];
    // An end written as the current size would cut off new units: only "to the end" keeps them.
    if (cut === undefined || keepsAll(cut, far)) {
      ties.push(tie(input(0, axis), output(axis)));
      return;
    }
    const { start, end, step } = cut;
    if (typeof size !== "number" || typeof start !== "number" || typeof end !== "number" || step !== 1) {
      const reason = "the Slice cuts it at fixed positions";
      blocked.push({ at: input(0, axis), reason, apart: true }, { at: output(axis), reason });
      return;
    }
    const { first, length } = span(size, start, end, step);
    ties.push(cutTies(axis, size, first, length));
    if (length === 1) picks.push({ at: input(0, axis), position: first, output: 0 });
    const place = (index: number, name: string) =>
      call.ints(name) === undefined ? { input: index, element } : { attribute: name, element };
    const follow = (position: number) => (layout: Layout, units: number) => {
      // A position counted from the end is minus the number of positions from it to the end.
      if (position >= 0) return positionAfter(layout, size, position, units);
      return positionAfter(layout, size, position + size, units) - layoutSize(layout, units);
    };
    written.push({ at: input(0, axis), place: place(1, "starts"), becomes: follow(start) });
    if (Math.abs(end) < far) {
      written.push({ at: input(0, axis), place: place(2, "ends"), becomes: follow(end) });
    }
  });
  return { ties, blocked, written, picks, contents: moved };
}

/** Part of a tensor: from start to end by step, along some axes. ONNX Slice-13. */
export const slice: Operator = {
  infer(call) {
    const { dtype, shape } = call.input(0);
    const list = cuts(call);
    const after = shape.map((size, axis) => {
      const cut = list.find((one) => one.axis === axis);
      return cut === undefined ? size : sizeAfter(call, cut, size);
    });
    const sizes = sizesOf(call, 0);
    const [cut] = list;
    if (sizes === undefined || cut === undefined || shape.length !== 1) return [{ dtype, shape: after }];
    if (typeof cut.start !== "number" || typeof cut.end !== "number" || cut.step === undefined) {
      return [{ dtype, shape: after }];
    }
    const { first, length } = span(sizes.length, cut.start, cut.end, cut.step);
    const step = cut.step;
    return [
      sized(
        { dtype, shape: after },
        Array.from({ length }, (_, at) => sizes[first + at * step] as Dim),
      ),
    ];
  },
  gradient,
  axes: flow,
  interval: keepsInterval,
  constant(call) {
    const [from] = constantIntegers(call) ?? [];
    if (from === undefined) return undefined;
    const list = cuts(call, from.dims.length);
    const kept = from.dims.map((size, axis) => {
      const { start = 0, end = size, step = 1 } = list.find((one) => one.axis === axis) ?? {};
      return { ...span(size, Number(start), Number(end), step), step };
    });
    const dims = kept.map(({ length }) => length);
    const offsets = placesOf(dims).map((place) =>
      offsetOf(
        kept.map(({ first, step }, axis) => first + step * (place[axis] as number)),
        from.dims,
      ),
    );
    return rearranged([from], dims, offsets);
  },
  rounding: movedBound,
  flops: () => 0,
  upgrade: attributesAsInputs("starts", "ends", "axes"),
};
