import type { Operator } from "./operator.ts";
import { reduceExtremum } from "./reduce-extremum.ts";

/** Maxima over axes; ties share the gradient equally. ONNX ReduceMax-20. */
export const reduceMax: Operator = reduceExtremum;
