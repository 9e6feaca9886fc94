import { int, text } from "../../graph/model.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { type AxisRule, input, output, tie } from "../rules/axis-rule.ts";
import { addBounds, unitRoundoff } from "../rules/bounds.ts";
import { elementwise, moved, summed } from "../rules/contents.ts";
import { zerosLike } from "../rules/gradient.ts";
import type { Call, GradientCall, Operator, RoundingCall } from "../rules/operator.ts";

/** Scatters the bounds like the values, and adds the rounding of each addition. */
function rounding(call: RoundingCall): string | undefined {
  if (!isFloat(call.output(0).dtype)) return undefined;
  const { graph } = call;
  const [data, indices, updates] = call.node.inputs as [string, string, string];
  const reduction = call.string("reduction", "none");
  // |max aᵢ − max âᵢ| ≤ max δᵢ, and the same for the minimum.
  const extremum = reduction === "max" || reduction === "min";
  const attributes = extremum ? { ...call.node.attributes, reduction: text("max") } : call.node.attributes;
  const zeros = (name: string) => graph.emit("ConstantOfShape", [graph.emit("Shape", [name])]);
  const scatter = (into: string, what: string) => graph.emit(call.node.op, [into, indices, what], attributes);
  const [boundData, , boundUpdates] = call.inputBounds;
  const exact = boundData === undefined && boundUpdates === undefined;
  if (reduction === "add") {
    // Each entry is a sum of up to n + 1 terms, n being the number of updates.
    const size = scatter(graph.emit("Abs", [data]), graph.emit("Abs", [updates]));
    const count = graph.emit("Cast", [graph.emit("Size", [updates])], { to: int(1) });
    const roundoff = graph.emit("Mul", [count, graph.scalar(1.01 * unitRoundoff)]);
    const own = graph.emit("Mul", [size, roundoff]);
    if (exact) return own;
    return addBounds(call, own, scatter(boundData ?? zeros(data), boundUpdates ?? zeros(updates)));
  }
  if (reduction === "mul") call.unruled("has no rounding rule for reduction mul", reduction);
  return exact ? undefined : scatter(boundData ?? zeros(data), boundUpdates ?? zeros(updates));
}

/** Replaced entries get no gradient; entries that were added to pass it on. */
function gradient(call: GradientCall): readonly (string | undefined)[] {
  const { graph, node, upstream } = call;
  const reduction = call.string("reduction", "none");
  if (reduction !== "none" && reduction !== "add") {
    call.unruled("has a gradient only with reduction none or add", reduction);
  }
  const [, indices, updates] = node.inputs as [string, string, string];
  const kept = () => graph.emit(node.op, [upstream, indices, zerosLike(call, updates)], node.attributes);
  const { axis } = node.attributes;
  const taken = () =>
    node.op === "ScatterND"
      ? graph.emit("GatherND", [upstream, indices])
      : graph.emit("GatherElements", [upstream, indices], axis === undefined ? {} : { axis });
  return [
    call.wants(0) ? (reduction === "add" ? upstream : kept()) : undefined,
    undefined,
    call.wants(2) ? taken() : undefined,
  ];
}

/** An axis that data and updates share: position i is updated only by position i. */
interface SharedAxis {
  readonly data: number;
  readonly updates: number;
  /** The corresponding axis of the indices, if they have it. */
  readonly indices?: number;
}

/** Axis flow of a scatter along any axes other than `shared`. */
function flowAlong(call: Call, shared: readonly SharedAxis[]): AxisRule {
  const reduction = call.string("reduction", "none");
  const refs = shared.flatMap(({ data, updates }) => [input(0, data), input(2, updates)]);
  return {
    ties: shared.flatMap(({ data, updates, indices }) => [
      tie(input(0, data), output(data)),
      tie(input(2, updates), output(data)),
      ...(indices === undefined ? [] : [tie(input(1, indices), output(data))]),
    ]),
    roles: refs.map((at) => ({ at, role: "shift" })),
    contents: ([data, indices, updates]) => {
      // Zeros stay zero wherever they are scattered. If indices scatter the new units, nothing else is known
      // of them.
      if (data === "zero" && updates === "zero") return "zero";
      if (indices !== undefined) return elementwise([data, indices, updates]);
      if (reduction === "none") return moved([data, updates]);
      return (reduction === "add" ? summed : elementwise)([data, updates]);
    },
  };
}

/** Rules of ScatterElements and ScatterND. `sharedBy`: the axes along which nothing is indexed. */
export function scatteringWith(sharedBy: (call: Call) => readonly SharedAxis[]): Operator {
  return {
    infer(call) {
      const { dtype, shape } = call.input(0);
      return [{ dtype, shape }];
    },
    gradient,
    axes: (call) => flowAlong(call, sharedBy(call)),
    rounding,
  };
}
