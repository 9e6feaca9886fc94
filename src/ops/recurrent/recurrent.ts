import type { Dim, Shape } from "../../graph/dim.ts";
import { addDims, multiplyDims, productOfDims } from "../../graph/dim.ts";
import { repeatLayout, unitLayout, unrepeatLayout } from "../../graph/layout.ts";
import type { ValueType } from "../../graph/model.ts";
import {
  type AxisRef,
  type AxisRule,
  type Blocked,
  input,
  output,
  type Role,
  type Tie,
  tie,
} from "../rules/axis-rule.ts";
import { type Contents, elementwise } from "../rules/contents.ts";
import type { Call } from "../rules/operator.ts";

/**
 * What LSTM, GRU and RNN have in common. Inputs: 0 X [s, b, i], 1 W [d, g·h, i], 2 R [d, g·h, h], 3 B [d, 2·g·h],
 * 4 sequence_lens [b], 5 initial_h [d, b, h], for LSTM also 6 initial_c [d, b, h] and 7 P [d, 3·h]. Outputs:
 * 0 Y [s, d, b, h], 1 Y_h [d, b, h], for LSTM also 2 Y_c [d, b, h]. With s: sequence, b: batch, i: size of the input,
 * d: directions, g: gates, h: hidden_size. Layout 1 puts the batch first.
 */
export interface Recurrent {
  readonly gates: number;
  /** How many states one direction carries from step to step, each of size h: the outputs after Y. */
  readonly states: number;
  /** Whether a unit whose weights and initial state are zero stays zero. */
  readonly zeroStays: (call: Call) => boolean;
}

export const isBatchFirst = (call: Call) => call.int("layout", 0) !== 0;

/** The sequence axis of X. */
export const sequenceAxes = (call: Call) => [input(0, isBatchFirst(call) ? 1 : 0)];

/** Sizes of a call. */
export function sizesOfCall(call: Call): {
  sequence: Dim;
  batch: Dim;
  directions: Dim;
  hidden: Dim;
  size: Dim;
} {
  const x = call.shape(0);
  const r = call.shape(2);
  if (x.length !== 3 || call.rank(1) !== 3 || r.length !== 3) {
    call.fail("X, W and R must have three axes", [x, call.shape(1), r]);
  }
  const [directions, , hidden] = r as [Dim, Dim, Dim];
  const [first, second, size] = x as [Dim, Dim, Dim];
  const [sequence, batch] = isBatchFirst(call) ? [second, first] : [first, second];
  return { sequence, batch, directions, hidden, size };
}

/** Shape rule of the recurrent operators. */
export function inferRecurrent({ gates, states }: Recurrent): (call: Call) => readonly ValueType[] {
  return (call) => {
    const { sequence, batch, directions, hidden, size } = sizesOfCall(call);
    const said = call.int("hidden_size", typeof hidden === "number" ? hidden : 0);
    if (typeof hidden === "number" && said !== hidden) {
      call.fail("hidden_size must be the last size of R", [said, call.shape(2)]);
    }
    const expected = call.string("direction", "forward") === "bidirectional" ? 2 : 1;
    if (typeof directions === "number" && directions !== expected) {
      call.fail("R must have one entry per direction", [call.string("direction", "forward"), call.shape(2)]);
    }
    const shapes: readonly [number, Shape][] = [
      [1, [directions, multiplyDims(gates, hidden), size]],
      [2, [directions, multiplyDims(gates, hidden), hidden]],
      [3, [directions, multiplyDims(2 * gates, hidden)]],
    ];
    for (const [index, shape] of shapes) {
      if (!call.has(index)) continue;
      const given = call.shape(index);
      const fits = (dim: Dim, axis: number) =>
        typeof dim === "string" || typeof given[axis] === "string" || dim === given[axis];
      if (given.length !== shape.length || !shape.every(fits)) {
        call.fail(`input ${index} must be [${shape.join(", ")}]`, given);
      }
    }
    const { dtype } = call.input(0);
    const state = isBatchFirst(call) ? [batch, directions, hidden] : [directions, batch, hidden];
    const all = isBatchFirst(call)
      ? [batch, sequence, directions, hidden]
      : [sequence, directions, batch, hidden];
    return [{ dtype, shape: all }, ...Array.from({ length: states }, () => ({ dtype, shape: state }))];
  };
}

/**
 * Axis-flow rule of the recurrent operators: one width over both directions, since hidden_size is one number.
 * The rows of W and R are one block of units per gate.
 */
export function flowRecurrent({ gates, states, zeroStays }: Recurrent): (call: Call) => AxisRule {
  return (call) => {
    const batchFirst = isBatchFirst(call);
    const [sequence, batch] = batchFirst ? [1, 0] : [0, 1];
    const stateBatch = batchFirst ? 0 : 1;
    const outputs = [0, ...Array.from({ length: states }, (_, at) => at + 1)].filter(
      (index) => (call.node.outputs[index] ?? "") !== "",
    );
    const hiddenOf = (index: number) => output(index === 0 ? 3 : 2, index);
    const batchOf = (index: number) => output(index > 0 ? stateBatch : batchFirst ? 0 : 2, index);
    const directionOf = (index: number) => output(index > 0 ? 1 - stateBatch : batchFirst ? 2 : 1, index);
    const initial = [5, 6].slice(0, states).filter((index) => call.has(index));
    const given = (...indices: number[]) => indices.filter((index) => call.has(index));

    // The columns of R come first: if both axes of R lead to an output, its rows are the ones that make the unit.
    const hidden = outputs.flatMap((index) => {
      const unit = hiddenOf(index);
      return [
        tie(input(2, 2), unit),
        blocks(input(1, 1), unit, gates, call),
        blocks(input(2, 1), unit, gates, call),
        ...given(3).map((at) => blocks(input(at, 1), unit, 2 * gates, call)),
        ...initial.map((at) => tie(input(at, 2), unit)),
        ...given(7).map((at) => blocks(input(at, 1), unit, 3, call)),
      ];
    });
    const batches = outputs.flatMap((index) => [
      tie(input(0, batch), batchOf(index)),
      ...given(4).map((at) => tie(input(at, 0), batchOf(index))),
      ...initial.map((at) => tie(input(at, stateBatch), batchOf(index))),
    ]);
    const steps = [input(0, sequence), ...outputs.filter((at) => at === 0).map(() => output(sequence))];
    const directions = [
      ...given(1, 2, 3, 7).map((index) => input(index, 0)),
      ...initial.map((index) => input(index, 1 - stateBatch)),
      ...outputs.map(directionOf),
    ];
    const roles: readonly [AxisRef, Role][] = [
      [input(1, 1), "incoming"],
      [input(2, 1), "incoming"],
      [input(1, 2), "outgoing"],
      [input(2, 2), "outgoing"],
      ...given(3).map((at): [AxisRef, Role] => [input(at, 1), "shift"]),
      ...initial.map((at): [AxisRef, Role] => [input(at, 2), "shift"]),
      ...given(7).map((at): [AxisRef, Role] => [input(at, 1), "scale"]),
    ];
    return {
      ties: [
        ...hidden,
        // The units that the rows of R make are multiplied by its columns one step later.
        blocks(input(2, 1), input(2, 2), gates, call),
        tie(input(0, 2), input(1, 2)),
        ...batches,
      ],
      roles: roles.map(([at, role]) => ({ at, role })),
      blocked: [
        ...steps.map((at) => ({ at, reason: `${call.node.op} runs along it, step by step` })),
        ...directions.map((at) => ({ at, reason: "it has one entry per direction" })),
      ],
      written: [{ at: input(2, 2), place: { attribute: "hidden_size" } }],
      unit: "state",
      contents: ([x, w, r, b, , h, c, p]) => {
        // Without weights, the axis that grows is the batch.
        if (w === undefined) return elementwise([x, h, c]);
        const made = [w, r, b, h, c].filter((held): held is Contents => held !== undefined);
        if (zeroStays(call) && made.every((held) => held === "zero")) return "zero";
        const held = elementwise([...made, p]);
        // The new columns of R are valid only if its rows keep their promise: any weights if the unit is
        // zero, shares of a weight if it is a copy.
        if (r === "zero" || (r === "copy" && held !== "copy")) {
          return { blocked: `new units would not be a ${r} at every step` };
        }
        return held;
      },
    };
  };
}

/** Ties an axis of `count` blocks of units to the axis of the units. */
function blocks(blocked: AxisRef, units: AxisRef, count: number, call: Call): Tie {
  const size = call.shape(2)[2] as Dim;
  const refused: Blocked = {
    blocked: `${call.node.op} has ${count} blocks of units on it, gate by gate`,
    ...(typeof size === "number"
      ? { instead: [{ layout: repeatLayout(unitLayout, count), units: size }] }
      : {}),
  };
  return {
    a: blocked,
    b: units,
    forward: (layout) => unrepeatLayout(layout, count) ?? refused,
    backward: (layout) => repeatLayout(layout, count),
  };
}

/** FLOPs of the matrix products, and a dozen for each gate's functions. */
export function flopsRecurrent({ gates }: Recurrent): (call: Call) => Dim {
  return (call) => {
    const { sequence, batch, directions, hidden, size } = sizesOfCall(call);
    const steps = productOfDims([sequence, batch, directions, gates, hidden]);
    const perGate = [multiplyDims(2, size), multiplyDims(2, hidden), 12];
    return perGate.map((each) => multiplyDims(steps, each)).reduce(addDims);
  };
}
