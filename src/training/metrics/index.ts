import { unknownName } from "../../tensor/unknown-name.ts";
import type { PlainOptions } from "../options/option-rules.ts";
import { accuracy } from "./accuracy.ts";
import { f1 } from "./f1.ts";
import { meanAbsoluteError } from "./mean-absolute-error.ts";
import type { Metric } from "./metric.ts";
import { r2 } from "./r2.ts";
import { rootMeanSquaredError } from "./root-mean-squared-error.ts";
import { topK } from "./top-k.ts";

/** The one table of metrics. */
export const metrics = { accuracy, topK, f1, meanAbsoluteError, rootMeanSquaredError, r2 } as const;

export type MetricName = keyof typeof metrics;

/** Makes a metric of the table from what a configuration or a command line says. Throws `ARGUMENT`. */
export function metricNamed(name: string, options: PlainOptions): Metric {
  if (Object.hasOwn(metrics, name))
    return (metrics[name as MetricName] as (options: object) => Metric)(options);
  throw unknownName("ARGUMENT", "metric", name, Object.keys(metrics));
}
