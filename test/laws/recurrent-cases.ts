import fc from "fast-check";
import { type Attributes, int, text } from "../../src/graph/model.ts";
import type { OperatorName } from "../../src/ops/index.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import type { Cases } from "./case-arbitraries.ts";
import { randomTensor } from "./gradient-harness.ts";
import { recurrentReference } from "./recurrent-reference.ts";

const small = (low: number, high: number) => fc.integer({ min: low, max: high });

/** Calls of a recurrent operator of `gates` gates and `states` states, sometimes with each optional input. */
const recurrent = (op: OperatorName, gates: number, states: number, more: fc.Arbitrary<Attributes>): Cases =>
  fc
    .record({
      steps: small(1, 4),
      batch: small(1, 3),
      size: small(1, 3),
      hidden: small(1, 3),
      direction: fc.constantFrom("forward", "reverse", "bidirectional"),
      bias: fc.boolean(),
      initial: fc.boolean(),
      peepholes: states === 2 ? fc.boolean() : fc.constant(false),
      outputs: small(1, states + 1),
      used: small(1, 7),
      from: fc.nat(1e6),
      more,
    })
    .map(({ steps, batch, size, hidden, direction, bias, initial, peepholes, outputs, used, from, more }) => {
      const count = direction === "bidirectional" ? 2 : 1;
      const shapes: (readonly number[] | undefined)[] = [
        [steps, batch, size],
        [count, gates * hidden, size],
        [count, gates * hidden, hidden],
        bias ? [count, 2 * gates * hidden] : undefined,
        undefined,
        ...Array.from({ length: states }, () => (initial ? [count, batch, hidden] : undefined)),
        ...(peepholes ? [[count, 3 * hidden]] : []),
      ];
      const inputs = shapes.map((dims, index): Tensor | undefined =>
        dims === undefined ? undefined : randomTensor(from + index, dims, 1.5),
      );
      const lossOutputs = Array.from({ length: outputs }, (_, index) => index).filter(
        (index) => used & (1 << index),
      );
      return {
        op,
        inputs,
        attributes: { hidden_size: int(hidden), direction: text(direction), ...more },
        outputs,
        ...(lossOutputs.length > 0 ? { lossOutputs } : {}),
        differentiable: inputs.flatMap((tensor, index) => (tensor === undefined ? [] : [index])),
        // hidden_size is a number, and the rows of W a multiple of it.
        numeric: [1, 2, 3, 5, 6, 7],
        // ONNX Runtime has no kernels for float64.
        float32Only: true,
        exact: (given: readonly (Tensor | undefined)[]) =>
          recurrentReference(given, {
            op,
            reversed: (at) => direction === "reverse" || at === 1,
            resetsAfter: more.linear_before_reset?.value === 1,
          }),
      };
    });

/** LSTM, GRU and RNN. */
export const recurrentCases: { readonly [K in OperatorName]?: Cases } = {
  GRU: recurrent(
    "GRU",
    3,
    1,
    fc.constantFrom(0, 1).map((after) => ({ linear_before_reset: int(after) })),
  ),
  LSTM: recurrent("LSTM", 4, 2, fc.constant({})),
  RNN: recurrent("RNN", 1, 1, fc.constant({})),
};
