import type { GraphBuilder } from "../../graph/builder.ts";
import { type Attributes, int, ints } from "../../graph/model.ts";
import { relu } from "../activations/relu.ts";
import { sigmoid } from "../activations/sigmoid.ts";
import { tanh } from "../activations/tanh.ts";
import { add } from "../elementwise/add.ts";
import { mul } from "../elementwise/mul.ts";
import { sub } from "../elementwise/sub.ts";
import { split } from "../moving/split.ts";
import { squeeze } from "../moving/squeeze.ts";
import { transpose as transposeRules } from "../moving/transpose.ts";
import { unsqueeze } from "../moving/unsqueeze.ts";
import { gemm } from "../products/gemm.ts";
import { matMul } from "../products/mat-mul.ts";
import { addBounds, unitRoundoff } from "../rules/bounds.ts";
import { transpose } from "../rules/gradient.ts";
import type { Call, GradientCall, Operator, RoundingCall } from "../rules/operator.ts";
import { dependents, rulesFrom, sweepBounds, sweepGradients } from "../rules/sweep.ts";
import { isBatchFirst, type Recurrent } from "./recurrent.ts";

/** What one step of one direction sees, by name. */
export interface Step {
  /** X·Wᵀ + Wb (+ Rb, unless the cell adds it itself) [b, g·h]. */
  readonly inputs: string;
  /** h, and c of LSTM, each [b, h]. */
  readonly states: readonly string[];
  /** R [g·h, h]. */
  readonly recurrence: string;
  /** Rb [g·h], if the cell adds it. */
  readonly bias: string | undefined;
  /** P [3·h]. */
  readonly peepholes: string | undefined;
  readonly activations: readonly string[];
}

/** A recurrent operator as one step; its gradient and its rounding bound follow, by a Scan over the sequence. */
export interface Cell extends Recurrent {
  /** Whether Rb goes into the step, because it is not just added to the inputs. */
  readonly takesBias: (call: Call) => boolean;
  /** The activations of one direction if the node names none. */
  readonly activations: readonly string[];
  /** Writes the new states, in the operators of {@link rulesOf}. */
  readonly write: (graph: GraphBuilder, step: Step, call: Call) => readonly string[];
}

/**
 * Tanh as ONNX Runtime's recurrent kernels compute it, from the logistic function: off by 3u even near 0
 * (measured).
 */
const gateTanh: Operator = {
  ...tanh,
  rounding: (call) =>
    addBounds(call, tanh.rounding(call) as string | undefined, call.graph.scalar(4 * unitRoundoff)),
};

/** The operators that a step may be written in. */
const rulesOf = rulesFrom({
  Add: add,
  Gemm: gemm,
  MatMul: matMul,
  Mul: mul,
  Relu: relu,
  Sigmoid: sigmoid,
  Split: split,
  Squeeze: squeeze,
  Sub: sub,
  Tanh: gateTanh,
  Transpose: transposeRules,
  Unsqueeze: unsqueeze,
});

/** Activations without parameters. */
const plainActivations: readonly string[] = ["Relu", "Sigmoid", "Tanh"];

/** Equal parts of a value along an axis (the last one). */
export function parts(graph: GraphBuilder, name: string, count: number, axis?: number): string[] {
  if (count === 1) return [name];
  const along = axis ?? graph.typeOf(name).shape.length - 1;
  return graph.emitAll("Split", [name], count, { axis: int(along), num_outputs: int(count) });
}

type Writing = Call & { readonly graph: GraphBuilder };

/** One direction of a call: what its steps see, with the states before the first step and the inputs of all steps. */
interface Direction extends Step {
  readonly index: number;
  /** Runs from the last step to the first. */
  readonly reversed: boolean;
}

function refuseUnusual(call: Call): void {
  const remedy = "Export it without, or freeze what comes before it.";
  const refuse = (what: string, received: unknown) =>
    call.unruled(`has no gradient or rounding rule with ${what}`, received, remedy);
  if (isBatchFirst(call)) refuse("the batch first", "layout 1");
  if (call.has(4)) refuse("sequence_lens", call.node.inputs[4]);
  if (call.float("clip", 0) !== 0) refuse("clip", call.float("clip", 0));
  if (call.int("input_forget", 0) !== 0) refuse("input_forget", 1);
}

/** Writes what each direction sees, in nodes of the graph around the Scan. */
function writeDirections(call: Writing, cell: Cell): readonly Direction[] {
  refuseUnusual(call);
  const { graph } = call;
  const direction = call.string("direction", "forward");
  const count = direction === "bidirectional" ? 2 : 1;
  const [x, , r] = call.node.inputs as [string, string, string];
  const named = call.strings("activations") ?? Array.from({ length: count }, () => cell.activations).flat();
  for (const name of named) {
    if (!plainActivations.includes(name)) {
      call.unruled(`has gradient and rounding rules only with ${plainActivations.join(", ")}`, name);
    }
  }
  const each = (index: number) =>
    parts(graph, call.node.inputs[index] as string, count, 0).map((part) =>
      graph.emit("Squeeze", [part, graph.vector([0])]),
    );
  const given = (index: number) => (call.has(index) ? each(index) : undefined);
  const [w, recurrences, biases, peepholes] = [each(1), each(2), given(3), given(7)];
  const initial = Array.from({ length: cell.states }, (_, state) => given(5 + state));
  return Array.from({ length: count }, (_, index): Direction => {
    const bias = biases?.[index];
    const [ofInputs, own] = bias === undefined ? [] : parts(graph, bias, 2);
    const takesBias = cell.takesBias(call);
    const product = graph.emit("MatMul", [x, transpose(call, w[index] as string, [1, 0])]);
    const added = [ofInputs, takesBias ? undefined : own].filter((name) => name !== undefined);
    return {
      index,
      reversed: direction === "reverse" || index === 1,
      inputs: added.reduce((sum, name) => graph.emit("Add", [sum, name]), product),
      states: initial.map((states) => states?.[index] ?? zeros(graph, [x, 1], [r, 2])),
      recurrence: recurrences[index] as string,
      bias: takesBias ? own : undefined,
      peepholes: peepholes?.[index],
      activations: named.slice(index * cell.activations.length, (index + 1) * cell.activations.length),
    };
  });
}

/** Zeros with the sizes of some axes of some values. */
function zeros(graph: GraphBuilder, ...axes: readonly (readonly [string, number])[]): string {
  const sizes = axes.map(([name, axis]) => {
    const dim = graph.typeOf(name).shape[axis];
    return typeof dim === "number"
      ? graph.vector([dim])
      : graph.emit("Shape", [name], { start: int(axis), end: int(axis + 1) });
  });
  return graph.emit("ConstantOfShape", [
    sizes.length === 1 ? (sizes[0] as string) : graph.emit("Concat", sizes, { axis: int(0) }),
  ]);
}

const zerosLike = (graph: GraphBuilder, name: string) =>
  zeros(graph, ...graph.typeOf(name).shape.map((_, axis) => [name, axis] as const));

/** A loop to be written: `body` maps its states and slices to new states and new slices. */
interface Loop {
  readonly states: readonly string[];
  readonly scanned: readonly string[];
  readonly reversed: boolean;
  readonly body: (
    graph: GraphBuilder,
    states: readonly string[],
    slices: readonly string[],
  ) => { readonly states: readonly string[]; readonly slices: readonly string[] };
}

/** Writes a Scan; returns the last states, and the stacked slices, in the order of the sequence. */
function emitScan(graph: GraphBuilder, { states, scanned, reversed, body }: Loop) {
  const prefix = `scan${graph.nodes.length}.`;
  const inner = graph.nested(prefix);
  const within = (name: string, index: number, drop: number) => {
    const { dtype, shape } = graph.typeOf(name);
    return inner.input(`${prefix}in${index}`, { dtype, shape: shape.slice(drop) });
  };
  const names = [
    ...states.map((name, at) => within(name, at, 0)),
    ...scanned.map((name, at) => within(name, states.length + at, 1)),
  ];
  const made = body(inner, names.slice(0, states.length), names.slice(states.length));
  // A graph's outputs must be distinct, and must not be its inputs.
  for (const name of [...made.states, ...made.slices]) inner.output(inner.emit("Identity", [name]));
  const directions = (count: number) => ints(Array.from({ length: count }, () => Number(reversed)));
  const attributes: Attributes = {
    body: { kind: "graph", value: inner.build(`${prefix}body`) },
    num_scan_inputs: int(scanned.length),
    ...(scanned.length === 0 ? {} : { scan_input_directions: directions(scanned.length) }),
    ...(made.slices.length === 0 ? {} : { scan_output_directions: directions(made.slices.length) }),
  };
  const outputs = graph.emitAll("Scan", [...states, ...scanned], inner.outputs.length, attributes);
  return { states: outputs.slice(0, states.length), slices: outputs.slice(states.length) };
}

/** Gradient rule of a recurrent operator: the steps once more forward, then backward. */
export function gradientRecurrent(cell: Cell): (call: GradientCall) => readonly (string | undefined)[] {
  return (call) => {
    const { graph } = call;
    const before = graph.nodes.length;
    const directions = writeDirections(call, cell);
    const around = graph.nodes.slice(before);
    const wanted = call.node.inputs.filter((name, index) => name !== "" && call.wants(index));
    const active = dependents(graph, around, wanted, rulesOf);
    const gradients = new Map<string, string>();
    const upstreams = call.outputGradients.map((name, index) => {
      if (name === undefined) return undefined;
      return parts(graph, name, directions.length, index === 0 ? 1 : 0).map((part) =>
        graph.emit("Squeeze", [part, graph.vector([index === 0 ? 1 : 0])]),
      );
    });
    for (const direction of directions) {
      const of = (output: number) => upstreams[output]?.[direction.index];
      backwards(call, cell, direction, of, active, gradients);
    }
    sweepGradients(graph, around, gradients, active, rulesOf);
    return call.node.inputs.map((name) => gradients.get(name));
  };
}

/** Writes the gradients of a direction's active inputs into `gradients`; `of` gives dL/d(output). */
function backwards(
  call: GradientCall,
  cell: Cell,
  direction: Direction,
  of: (output: number) => string | undefined,
  active: ReadonlySet<string>,
  gradients: Map<string, string>,
): void {
  const { graph } = call;
  const { reversed, inputs, states, recurrence, bias, peepholes } = direction;
  const step = (inner: GraphBuilder, now: readonly string[], slice: string) =>
    cell.write(inner, { ...direction, states: now, inputs: slice }, call);
  const past = emitScan(graph, {
    states,
    scanned: [inputs],
    reversed,
    body: (inner, now, [slice]) => ({ states: step(inner, now, slice as string), slices: now }),
  }).slices;
  const weights = [recurrence, bias, peepholes].filter((name) => name !== undefined);
  const summed = weights.filter((name) => active.has(name));
  const ofSteps = of(0);
  const { states: sums, slices } = emitScan(graph, {
    states: [
      ...states.map((state, at) => of(1 + at) ?? zerosLike(graph, state)),
      ...summed.map((name) => zerosLike(graph, name)),
    ],
    scanned: [inputs, ...past, ...(ofSteps === undefined ? [] : [ofSteps])],
    reversed: !reversed,
    body(inner, carried, [slice = "", ...rest]) {
      const now = rest.slice(0, states.length);
      const first = inner.nodes.length;
      const next = step(inner, now, slice);
      const nodes = inner.nodes.slice(first);
      const sources = [slice, ...now, ...summed];
      const found = new Map<string, string>();
      next.forEach((name, at) => {
        const [later, here] = [carried[at] as string, at === 0 ? rest[states.length] : undefined];
        found.set(name, here === undefined ? later : inner.emit("Add", [later, here]));
      });
      sweepGradients(inner, nodes, found, dependents(inner, nodes, sources, rulesOf), rulesOf);
      const gradientOf = (name: string) => found.get(name) ?? zerosLike(inner, name);
      const total = summed.map((name, at) =>
        inner.emit("Add", [carried[states.length + at] as string, gradientOf(name)]),
      );
      return { states: [...now.map(gradientOf), ...total], slices: [gradientOf(slice)] };
    },
  });
  [...states, ...summed].forEach((name, at) => {
    if (active.has(name)) gradients.set(name, sums[at] as string);
  });
  if (active.has(inputs)) gradients.set(inputs, slices[0] as string);
}

/** Rounding rule of a recurrent operator: the steps once more, with a bound on every state. */
export function roundingRecurrent(cell: Cell): (call: RoundingCall) => readonly (string | undefined)[] {
  return (call) => {
    const { graph } = call;
    const before = graph.nodes.length;
    const directions = writeDirections(call, cell);
    const bounds = new Map<string, string>();
    call.inputBounds.forEach((bound, index) => {
      if (bound !== undefined) bounds.set(call.node.inputs[index] as string, bound);
    });
    sweepBounds(graph, graph.nodes.slice(before), bounds, rulesOf);
    const made = directions.map((direction) => boundsOver(call, cell, direction, bounds));
    return call.node.outputs.map((name, output) => {
      if (name === "") return undefined;
      const axis = output === 0 ? 1 : 0;
      const each = made.map((direction) =>
        graph.emit("Unsqueeze", [direction[output] as string, graph.vector([axis])]),
      );
      return each.length === 1 ? each[0] : graph.emit("Concat", each, { axis: int(axis) });
    });
  };
}

/** Bounds on all steps' h, and on the last states, of one direction. */
function boundsOver(
  call: RoundingCall,
  cell: Cell,
  direction: Direction,
  bounds: ReadonlyMap<string, string>,
): readonly string[] {
  const { graph } = call;
  const { states, inputs, reversed, recurrence, bias, peepholes } = direction;
  const count = states.length;
  const boundOf = (name: string) => bounds.get(name) ?? zerosLike(graph, name);
  const { states: last, slices } = emitScan(graph, {
    states: [...states, ...states.map(boundOf)],
    scanned: [inputs, boundOf(inputs)],
    reversed,
    body(inner, carried, [slice = "", ofSlice = ""]) {
      const now = carried.slice(0, count);
      const known = new Map(now.map((name, at) => [name, carried[count + at] as string]));
      known.set(slice, ofSlice);
      for (const weight of [recurrence, bias, peepholes]) {
        const bound = bounds.get(weight ?? "");
        if (bound !== undefined) known.set(weight as string, bound);
      }
      const first = inner.nodes.length;
      const next = cell.write(inner, { ...direction, states: now, inputs: slice }, call);
      sweepBounds(inner, inner.nodes.slice(first), known, rulesOf);
      const error = next.map((name) => known.get(name) ?? zerosLike(inner, name));
      return { states: [...next, ...error], slices: error.slice(0, 1) };
    },
  });
  return [slices[0] as string, ...last.slice(count)];
}
