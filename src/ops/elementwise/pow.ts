import { int } from "../../graph/model.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { addBounds, computedBound, magnitude, tiniest, unitRoundoff } from "../rules/bounds.ts";
import { flowBroadcast, inferBroadcast } from "../rules/broadcast.ts";
import { notAtZero, steepAtZero, zeroAtZero } from "../rules/contents.ts";
import { unbroadcast } from "../rules/gradient.ts";
import { anything, between, type Interval, notANumber, quotient } from "../rules/interval.ts";
import type { Call, GradientCall, Operator, RoundingCall } from "../rules/operator.ts";

/** The exponent, if it is one constant number. */
function constantExponent(call: Call): number | undefined {
  const constant = call.constant(1);
  return constant?.data.length === 1 && constant.dtype !== "float16" ? Number(constant.data[0]) : undefined;
}

/** The exponent as float32: ONNX lets its type differ from the base's. */
function floatExponent(call: GradientCall | RoundingCall): string {
  const name = call.node.inputs[1] as string;
  return isFloat(call.input(1).dtype) ? name : call.graph.emit("Cast", [name], { to: int(1) });
}

/** e·x^(e−1); 0 where e is 0, whatever x is (as PyTorch has it). */
function slope(call: GradientCall): string {
  const { graph } = call;
  const x = call.node.inputs[0] as string;
  const constant = constantExponent(call);
  if (constant === 2) return graph.emit("Mul", [x, graph.scalar(2)]);
  if (constant !== undefined && constant !== 0) {
    const power = graph.emit("Pow", [x, graph.scalar(constant - 1)]);
    return graph.emit("Mul", [power, graph.scalar(constant)]);
  }
  const e = floatExponent(call);
  const power = graph.emit("Pow", [x, graph.emit("Sub", [e, graph.scalar(1)])]);
  const flat = graph.emit("Equal", [e, graph.scalar(0)]);
  return graph.emit("Where", [flat, graph.scalar(0), graph.emit("Mul", [power, e])]);
}

/** y·ln x; 0 where x is 0 and e ≥ 0 (as PyTorch has it). */
function exponentSlope(call: GradientCall): string {
  const { graph } = call;
  const x = call.node.inputs[0] as string;
  const still = graph.emit("And", [
    graph.emit("Equal", [x, graph.scalar(0)]),
    graph.emit("GreaterOrEqual", [floatExponent(call), graph.scalar(0)]),
  ]);
  const product = graph.emit("Mul", [call.node.outputs[0] as string, graph.emit("Log", [x])]);
  return graph.emit("Where", [still, graph.scalar(0), product]);
}

/** The interval of x^e for a single exponent e. */
function raisedTo(x: Interval, e: number): Interval {
  if (e < 0) return quotient(between(1, 1), raisedTo(x, -e));
  if (!Number.isInteger(e) && x.least < 0) return notANumber;
  const ends = [x.least ** e, x.most ** e];
  // Even powers decrease down to 0; all others are nondecreasing.
  const least = e % 2 === 0 && x.least <= 0 && x.most >= 0 ? 0 : Math.min(...ends);
  return between(e === 0 ? 1 : least, Math.max(...ends), x.holds);
}

/**
 * The interval of x^e for exponents that are not known: they may be fractions, or so large that the power
 * overflows like eˣ.
 */
function raisedToAny(x: Interval): Interval {
  return x.least > 0 ? between(0, Number.POSITIVE_INFINITY, "infinite") : notANumber;
}

/** y = x^e, broadcast. ONNX Pow-15. */
export const pow: Operator = {
  infer: inferBroadcast(2),
  gradient(call) {
    const times = (factor: string) => call.graph.emit("Mul", [call.upstream, factor]);
    return [
      call.wants(0) ? unbroadcast(call, times(slope(call)), 0) : undefined,
      call.wants(1) ? unbroadcast(call, times(exponentSlope(call)), 1) : undefined,
    ];
  },
  axes(call) {
    const exponent = constantExponent(call);
    return flowBroadcast(["scale", "scale"], ([x, e]) => {
      if (exponent === undefined || exponent <= 0 || e !== undefined) return notAtZero([x, e]);
      return (exponent < 1 ? steepAtZero : zeroAtZero)([x]);
    })(call);
  },
  literals: { single: [1] },
  interval: ([x = anything, e = anything]) => (e.least === e.most ? raisedTo(x, e.least) : raisedToAny(x)),
  rounding(call) {
    const own = computedBound(call, 8 * unitRoundoff);
    const [boundX, boundE] = call.inputBounds;
    if (own === undefined || (boundX === undefined && boundE === undefined)) return own;
    const { graph } = call;
    // By the mean value theorem; each factor is monotone, so it is largest at an end of the intervals.
    const x = magnitude(call, call.node.inputs[0] as string);
    const e = floatExponent(call);
    const highX = addBounds(call, x, boundX) as string;
    const lowX = graph.emit("Max", [
      boundX === undefined ? x : graph.emit("Sub", [x, boundX]),
      graph.scalar(tiniest),
    ]);
    const largest = (exponent: string) => {
      const ends = [addBounds(call, exponent, boundE) as string];
      if (boundE !== undefined) ends.push(graph.emit("Sub", [exponent, boundE]));
      const powers = ends.flatMap((end) => [graph.emit("Pow", [highX, end]), graph.emit("Pow", [lowX, end])]);
      return graph.emit("Max", powers);
    };
    const fromX = () => {
      const steepest = addBounds(call, magnitude(call, e), boundE) as string;
      const power = largest(graph.emit("Sub", [e, graph.scalar(1)]));
      return graph.emit("Mul", [graph.emit("Mul", [steepest, power]), boundX as string]);
    };
    const fromE = () => {
      const logs = [highX, lowX].map((end) => magnitude(call, graph.emit("Log", [end])));
      return graph.emit("Mul", [graph.emit("Mul", [largest(e), graph.emit("Max", logs)]), boundE as string]);
    };
    return addBounds(
      call,
      boundX === undefined ? undefined : fromX(),
      boundE === undefined ? undefined : fromE(),
      own,
    );
  },
};
