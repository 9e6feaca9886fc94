import { productOfDims } from "../../graph/dim.ts";
import { input, output, type Repair, tie } from "../rules/axis-rule.ts";
import { type Contents, elementwise, type Refusal } from "../rules/contents.ts";
import { unbroadcast } from "../rules/gradient.ts";
import type { Call, Operator } from "../rules/operator.ts";
import { affineBound } from "./batch-normalization.ts";
import { epsilonOf, multiply, normalize, normalizedBound, normalizedGradient } from "./normalization.ts";

/** First normalized axis, and all of them. */
function axesOf(call: Call): { first: number; axes: number[] } {
  const rank = call.rank(0);
  const first = call.axis(call.int("axis", -1), rank);
  return { first, axes: Array.from({ length: rank - first }, (_, axis) => axis + first) };
}

/**
 * Padding with the mean of the old entries keeps the mean and multiplies the variance by s = old size / new
 * size: multiplying scale by √s and epsilon by s restores the old result.
 */
function acceptNormalized(fresh: Contents): readonly Repair[] | Refusal {
  if (fresh === "mean") {
    return [
      { target: { input: 1 }, power: 0.5 },
      { target: { attribute: "epsilon", otherwise: 1e-5 }, power: 1 },
    ];
  }
  return onlyCopies(fresh);
}

/** Copies of every unit change neither mean nor variance. */
function onlyCopies(fresh: Contents): readonly Repair[] | Refusal {
  return fresh === "copy" ? [] : { blocked: "LayerNormalization normalizes over it" };
}

/**
 * Y = Scale·(X - mean)/sqrt(variance + epsilon) + B, over the axes from `axis` on; outputs 1 and 2 are the mean and
 * the inverse standard deviation. ONNX LayerNormalization-17.
 */
export const layerNormalization: Operator = {
  infer(call) {
    const x = call.input(0);
    const { first } = axesOf(call);
    const normalized = x.shape.length - first;
    for (const index of call.has(2) ? [1, 2] : [1]) {
      if (
        call.rank(index) > normalized &&
        call
          .shape(index)
          .slice(0, -normalized)
          .some((dim) => dim !== 1)
      ) {
        call.fail("Scale and B must broadcast over the normalized axes", call.shape(index));
      }
    }
    const shape = x.shape.map((dim, axis) => (axis < first ? dim : 1));
    return [x, { dtype: "float32", shape }, { dtype: "float32", shape }];
  },

  gradient(call) {
    const { graph, upstream } = call;
    const { axes } = axesOf(call);
    const [x, scale] = call.node.inputs as [string, string];
    if (call.outputGradients[1] !== undefined || call.outputGradients[2] !== undefined) {
      call.unruled("the loss must not depend on the mean or the deviation", call.node.outputs.slice(1));
    }
    const shift = call.has(2) && call.wants(2) ? unbroadcast(call, upstream, 2) : undefined;
    if (!call.wants(0) && !call.wants(1)) return [undefined, undefined, shift];
    const parts = normalize(call, x, axes, epsilonOf(call));
    const dX = () => normalizedGradient(call, parts, multiply(call, upstream, scale), axes);
    const dScale = () => {
      const normalized = graph.emit("Mul", [parts.centered, parts.inverse]);
      return unbroadcast(call, multiply(call, upstream, normalized), 1);
    };
    return [call.wants(0) ? dX() : undefined, call.wants(1) ? dScale() : undefined, shift];
  },

  axes(call) {
    const { first, axes } = axesOf(call);
    const through = call.shape(0).map((_, axis) => axis);
    const affine = (index: number, role: "scale" | "offset") =>
      call.has(index)
        ? call.shape(index).flatMap((dim, axis) => {
            const out = axis + through.length - call.rank(index);
            return out >= first && dim === call.shape(0)[out] ? [{ at: input(index, axis), out, role }] : [];
          })
        : [];
    const parameters = [...affine(1, "scale"), ...affine(2, "offset")];
    const extra = [1, 2].filter((index) => (call.node.outputs[index] ?? "") !== "");
    return {
      ties: [
        ...through.map((axis) => tie(input(0, axis), output(axis))),
        ...parameters.map(({ at, out }) => tie(at, output(out))),
        ...through
          .filter((axis) => axis < first)
          .flatMap((axis) => extra.map((index) => tie(input(0, axis), output(axis, index)))),
      ],
      roles: parameters.map(({ at, role }) => ({ at, role })),
      aggregates: axes.map((axis) => ({
        at: input(0, axis),
        accepts: (fresh) =>
          axes.length === 1 && extra.length === 0 ? acceptNormalized(fresh) : onlyCopies(fresh),
      })),
      contents: ([x, scale, offset]) => {
        // A finite value times zero plus zero is zero.
        if (scale === "zero" && (offset ?? "zero") === "zero") return "zero";
        // Along axes that are not normalized, a mean of old units does not give the mean of their results.
        if (x !== "mean" || scale === undefined) return elementwise([x, scale, offset]);
        // The mean is normalized to zero; only the offset remains.
        const nothing = scale !== "part" && (!call.has(2) || offset === "zero");
        return nothing ? "zero" : elementwise([x, scale, offset]);
      },
    };
  },

  rounding(call) {
    const { axes } = axesOf(call);
    const [x, scale] = call.node.inputs as [string, string];
    const epsilon = epsilonOf(call);
    const parts = normalize(call, x, axes, epsilon);
    const error = normalizedBound(call, x, parts, axes, epsilon);
    return affineBound(call, multiply(call, parts.centered, parts.inverse), error, {
      scale,
      boundScale: call.inputBounds[1],
      boundShift: call.inputBounds[2],
    });
  },

  flops: (call) => productOfDims([8, ...call.output(0).shape]),
};
