import { type Dataset, dataset } from "../../src/data/dataset.ts";
import { encodeModel } from "../../src/formats/onnx/index.ts";
import { type Model, withParameters } from "../../src/graph/model.ts";
import { findWidths, widthOf } from "../../src/growth/find/widths.ts";
import { applyShrink } from "../../src/growth/shrink/shrink-apply.ts";
import { planShrink, type ShrinkPlan, type ShrinkRequest } from "../../src/growth/shrink/shrink-plan.ts";
import { float32, type Tensor } from "../../src/tensor/tensor.ts";
import { integerFeatures, normalFeatures } from "./exact-network.ts";

export function dataFor(model: Model, count: number, seed: number, exact = false): Dataset {
  const dims = model.graph.inputs[0]?.shape.slice(1) as readonly number[];
  const outputs = model.graph.outputs[0]?.shape[1] as number;
  const draw = exact ? integerFeatures : normalFeatures;
  return dataset({
    features: draw([count, ...dims], seed).data,
    featureDims: dims,
    targets: draw([count, outputs], seed + 1).data,
    targetDims: [outputs],
  });
}

export const widthIn = (model: Model, id: string) => widthOf(findWidths(model), id);
export const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => from + index);

export function shrunk(model: Model, id: string, request: ShrinkRequest): { plan: ShrinkPlan; model: Model } {
  const plan = planShrink(model, widthIn(model, id), request);
  return { plan, model: applyShrink(model, plan) };
}

export function sameBytes(a: Model, b: Model): boolean {
  return Buffer.from(encodeModel(a)).equals(Buffer.from(encodeModel(b)));
}

/** A model with some values of a parameter set. */
export function edited(model: Model, name: string, edit: (data: Float32Array) => void): Model {
  const tensor = model.graph.parameters.get(name) as Tensor<"float32">;
  const data = tensor.data.slice();
  edit(data);
  return withParameters(model, new Map([...model.graph.parameters, [name, float32(tensor.dims, data)]]));
}
