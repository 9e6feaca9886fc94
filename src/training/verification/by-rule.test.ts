import { expect, test } from "vitest";
import { type Model, withParameters } from "../../graph/model.ts";
import { findWidths } from "../../growth/find/widths.ts";
import { grow } from "../../growth/grow/grow-model.ts";
import { mlp } from "../../nn/mlp.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { exactByRule } from "./by-rule.ts";

const model = mlp([4, 6, 5, 3]);
const grown = grow(model, [{ width: "all", times: 2 }]).model;
const proof = (after: Model) =>
  exactByRule({ model, widths: findWidths(model) }, { model: after, widths: findWidths(after) });

test("zero outgoing weights are a proof, on both axes of a matrix", () => {
  expect(proof(grown)).toContain("add nothing");
});

test.each([...grown.graph.parameters.keys()])("an old weight of %s that has changed ends it", (name) => {
  const tensor = grown.graph.parameters.get(name) as Tensor;
  const data = (tensor.data as Float32Array).slice();
  data[0] = (data[0] as number) + 1;
  const changed = { ...tensor, data } as Tensor;
  expect(proof(withParameters(grown, new Map([...grown.graph.parameters, [name, changed]])))).toBe("");
});
