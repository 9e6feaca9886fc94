import type { Dim } from "../../graph/dim.ts";
import { productOfDims } from "../../graph/dim.ts";
import { text } from "../../graph/model.ts";
import { type AxisRef, type AxisRule, input, output, type Role, type Tie, tie } from "../rules/axis-rule.ts";
import { addBounds, magnitude, sumRoundoff, unitRoundoff } from "../rules/bounds.ts";
import { multiplied } from "../rules/contents.ts";
import { shapeOf } from "../rules/gradient.ts";
import type { Call, GradientCall, Operator, RoundingCall } from "../rules/operator.ts";

/** The letters of each operand's axes and of the output's. */
interface Equation {
  readonly operands: readonly (readonly string[])[];
  readonly result: readonly string[];
}

/**
 * An equation with letters instead of ellipses. An operand's ellipsis stands for the axes that it has beyond
 * its letters; as in broadcasting, the ellipses of all operands are aligned at their last axes.
 */
function withLetters(call: Call, written: string): string {
  if (!written.includes("...")) return written;
  const [left = "", right] = written.split("->");
  const spare = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"].filter(
    (one) => !written.includes(one),
  );
  const operands = left.split(",");
  const hidden = operands.map((letters, at) =>
    letters.includes("...") && call.has(at) ? Math.max(0, call.rank(at) - (letters.length - 3)) : 0,
  );
  const most = Math.max(...hidden);
  const stand = (count: number) => spare.slice(most - count, most).join("");
  const filled = operands.map((letters, at) => letters.replace("...", stand(hidden[at] ?? 0)));
  const all = [...filled.join("")].filter((letter) => !stand(most).includes(letter));
  const once = all.filter((letter) => letter !== "." && all.indexOf(letter) === all.lastIndexOf(letter));
  const result = right?.replace("...", stand(most)) ?? `${stand(most)}${once.sort().join("")}`;
  return `${filled.join(",")}->${result}`;
}

function equationOf(call: Call): Equation {
  const written = withLetters(call, call.string("equation", "").replaceAll(" ", ""));
  const [left = "", right] = written.split("->");
  const operands = left.split(",").map((letters) => [...letters]);
  const all = operands.flat();
  const result =
    right === undefined
      ? all.filter((letter) => all.indexOf(letter) === all.lastIndexOf(letter)).sort()
      : [...right];
  const fits =
    operands.length === call.node.inputs.length &&
    operands.every((axes, at) => axes.length === call.rank(at));
  if (!fits || ![...all, ...result].every((letter) => /[A-Za-z]/.test(letter))) {
    call.fail("its equation must have a letter for every axis of every input", written);
  }
  if (result.some((letter) => !all.includes(letter)) || new Set(result).size !== result.length) {
    call.fail("each letter of its result must be one of an input, and appear once", written);
  }
  return { operands, result };
}

const print = (operands: readonly (readonly string[])[], result: readonly string[]) => ({
  equation: text(`${operands.map((axes) => axes.join("")).join(",")}->${result.join("")}`),
});

/** The size that each letter stands for: a number if any operand has one. */
function sizesByLetter(call: Call, { operands }: Equation): ReadonlyMap<string, Dim> {
  const sizes = new Map<string, Dim>();
  operands.forEach((axes, index) => {
    axes.forEach((letter, axis) => {
      const dim = call.shape(index)[axis] as Dim;
      const known = sizes.get(letter);
      if (
        known === undefined ||
        known === 1 ||
        (typeof known === "string" && typeof dim === "number" && dim !== 1)
      ) {
        sizes.set(letter, dim);
      } else if (typeof known === "number" && typeof dim === "number" && dim !== known && dim !== 1) {
        call.fail(`the sizes of its letter ${letter} must be equal`, [known, dim]);
      }
    });
  });
  return sizes;
}

/**
 * dL/d(operand): the same product with the upstream gradient in place of the operand, and the operand's
 * letters as the result.
 */
function gradientOf(call: GradientCall, { operands, result }: Equation, index: number): string {
  const { graph } = call;
  const own = operands[index] as readonly string[];
  if (new Set(own).size !== own.length) call.unruled("has no gradient if it takes a diagonal", own.join(""));
  if (
    call.node.inputs.some((_, at) =>
      call.shape(at).some((dim, axis) => dim === 1 && isStretched(call, operands, at, axis)),
    )
  ) {
    call.unruled("has no gradient if it broadcasts an axis of size 1", call.node.inputs);
  }
  const others = operands.filter((_, at) => at !== index);
  const told = own.filter((letter) => result.includes(letter) || others.flat().includes(letter));
  const names = call.node.inputs.filter((_, at) => at !== index);
  const summed = graph.emit("Einsum", [call.upstream, ...names], print([result, ...others], told));
  if (told.length === own.length) return summed;
  // Letters of this operand only were summed over: all entries along them have the same gradient.
  const alone = own.flatMap((letter, axis) => (told.includes(letter) ? [] : [axis]));
  const restored = graph.emit("Unsqueeze", [summed, graph.vector(alone)]);
  return graph.emit("Expand", [restored, shapeOf(call, call.node.inputs[index] as string)]);
}

/** Whether an axis of size 1 has the same letter as an axis of another size. */
function isStretched(call: Call, operands: Equation["operands"], at: number, axis: number): boolean {
  const letter = operands[at]?.[axis];
  return operands.some((axes, other) =>
    axes.some((one, position) => one === letter && call.shape(other)[position] !== call.shape(at)[axis]),
  );
}

function flow(call: Call): AxisRule {
  const equation = equationOf(call);
  const { operands, result } = equation;
  const ties: Tie[] = [];
  const roles: { at: AxisRef; role: Role }[] = [];
  const blocked: { at: AxisRef; reason: string }[] = [];
  const pools: { at: AxisRef; letter: string }[] = [];
  for (const letter of new Set(operands.flat())) {
    const places = operands.flatMap((axes, index) =>
      axes.flatMap((one, axis) => (one === letter ? [input(index, axis)] : [])),
    );
    const distinct = new Set(places.map(({ index }) => index)).size;
    const stretched = places.some(({ index, axis }) => isStretched(call, operands, index, axis));
    if (distinct < places.length || stretched) {
      const reason = stretched ? "Einsum broadcasts along it" : "Einsum takes a diagonal of it";
      blocked.push(...places.map((at) => ({ at, reason })));
      continue;
    }
    const out = result.indexOf(letter);
    const [first, ...rest] = places as [AxisRef, ...AxisRef[]];
    if (out >= 0) {
      ties.push(...places.map((at) => tie(at, output(out))));
      roles.push(
        ...places.map((at) => ({
          at,
          role: places.length === 1 ? ("incoming" as const) : ("scale" as const),
        })),
      );
    } else if (rest.length > 0) {
      ties.push(...rest.map((at) => tie(first, at)));
      roles.push(...places.map((at) => ({ at, role: "outgoing" as const })));
    } else pools.push({ at: first, letter });
  }
  return {
    ties,
    roles,
    blocked,
    aggregates: pools.map(({ at }) => ({
      at,
      accepts: (held) =>
        held === "zero" ? [] : { blocked: "Einsum sums over it without a weight that could be zero" },
    })),
    contents: multiplied,
  };
}

/** (n + 2)·u and more, for the n products that go into one entry of the result. */
function roundoff(call: RoundingCall, { operands, result }: Equation): string {
  const { graph } = call;
  const own = graph.scalar((operands.length + 2) * unitRoundoff);
  const seen = new Set(result);
  return operands.reduce((total, axes, index) => {
    const summed = axes.flatMap((letter, axis) => (seen.has(letter) ? [] : [axis]));
    for (const letter of axes) seen.add(letter);
    if (summed.length === 0) return total;
    const part = sumRoundoff(call, call.node.inputs[index] as string, summed);
    return graph.emit("Mul", [graph.emit("Mul", [total, part]), graph.scalar(1 / unitRoundoff)]);
  }, own);
}

/**
 * Products of entries with equal letters, summed over the letters that the result does not have. ONNX
 * Einsum-12.
 */
export const einsum: Operator = {
  infer(call) {
    const equation = equationOf(call);
    const sizes = sizesByLetter(call, equation);
    const shape = equation.result.map((letter) => sizes.get(letter) as Dim);
    return [{ dtype: call.input(0).dtype, shape }];
  },

  gradient(call) {
    const equation = equationOf(call);
    return call.node.inputs.map((_, index) =>
      call.wants(index) ? gradientOf(call, equation, index) : undefined,
    );
  },

  axes: flow,

  rounding(call) {
    const equation = equationOf(call);
    const { graph } = call;
    const sizes = call.node.inputs.map((name) => magnitude(call, name));
    const product = (factors: readonly string[]) => graph.emit("Einsum", factors, call.node.attributes);
    // ∏(|âᵢ| + δᵢ) − ∏|âᵢ| as a sum with one δ in each term.
    const most = sizes.map((size, index) => addBounds(call, size, call.inputBounds[index]) as string);
    const carried = call.inputBounds.map((bound, index) =>
      bound === undefined ? undefined : product([...most.slice(0, index), bound, ...sizes.slice(index + 1)]),
    );
    const own = graph.emit("Mul", [product(most), roundoff(call, equation)]);
    return addBounds(call, own, ...carried);
  },

  flops(call) {
    const equation = equationOf(call);
    return productOfDims([call.node.inputs.length, ...sizesByLetter(call, equation).values()]);
  },
};
