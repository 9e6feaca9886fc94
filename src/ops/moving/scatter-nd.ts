import type { Operator } from "../rules/operator.ts";
import { scattering } from "./scattering.ts";

/** The data with slices replaced or added to. ONNX ScatterND-18. */
export const scatterNd: Operator = scattering;
