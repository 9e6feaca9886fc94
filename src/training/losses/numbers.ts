import type { Shape } from "../../graph/dim.ts";
import { r2 } from "../metrics/r2.ts";
import { rootMeanSquaredError } from "../metrics/root-mean-squared-error.ts";
import type { Loss } from "./loss.ts";

/** What losses of numbers have in common: targets of the output's shape. */
export const ofNumbers = {
  predicts: "number",
  target: "float32",
  targetShape: (output: Shape) => output,
  // Labels of two classes are taken as the numbers 0 and 1.
  classes: () => 2,
  metrics: [rootMeanSquaredError(), r2()],
} as const satisfies Partial<Loss>;
