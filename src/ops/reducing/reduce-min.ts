import { keepsInterval } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";
import { reduceExtremum } from "./reduce-extremum.ts";

/** Minima over axes; ties share the gradient equally. ONNX ReduceMin-20. */
export const reduceMin: Operator = { ...reduceExtremum, interval: keepsInterval };
