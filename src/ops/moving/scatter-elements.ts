import type { Operator } from "../rules/operator.ts";
import { scattering } from "./scattering.ts";

/** The data with entries replaced or added to, looked up along an axis. ONNX ScatterElements-18. */
export const scatterElements: Operator = scattering;
