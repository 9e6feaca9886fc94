import { accuracy } from "./accuracy.ts";
import { f1 } from "./f1.ts";
import { meanAbsoluteError } from "./mean-absolute-error.ts";
import { r2 } from "./r2.ts";
import { rootMeanSquaredError } from "./root-mean-squared-error.ts";
import { topK } from "./top-k.ts";

/** The one table of metrics. */
export const metrics = { accuracy, topK, f1, meanAbsoluteError, rootMeanSquaredError, r2 } as const;

export type MetricName = keyof typeof metrics;
