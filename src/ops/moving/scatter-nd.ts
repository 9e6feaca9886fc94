import type { Operator } from "../rules/operator.ts";
import { scatteringWith } from "./scattering.ts";

/** The data with slices replaced, or combined with updates. ONNX ScatterND-18. */
export const scatterNd: Operator = scatteringWith((call) => {
  const looked = call.shape(1).at(-1);
  if (typeof looked !== "number") return [];
  const before = call.rank(1) - 1;
  return Array.from({ length: call.rank(0) - looked }, (_, at) => ({
    data: looked + at,
    updates: before + at,
  }));
});
