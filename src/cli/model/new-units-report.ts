import type { Model } from "../../graph/model.ts";
import { figure } from "../../tensor/number-text.ts";
import { examineNewUnits, type NewUnits } from "../../training/examine/new-units.ts";
import { withoutPreprocessing } from "../../training/graphs/preprocessing-nodes.ts";
import { defaultLoss, type LossOf } from "../../training/losses/index.ts";
import { type ModelDataOptions, modelData } from "../options/model-data.ts";
import { networkIn } from "../options/trained-model.ts";
import { visible } from "../print/format.ts";
import { type TextColumn, textTable } from "../print/text-table.ts";

/** The gradient of new units on data, and which of them are dead or alike. */
export interface NewUnitsReport {
  readonly data: string;
  readonly loss: LossOf;
  /** What was assumed about the model, in sentences. */
  readonly notes: readonly string[];
  readonly examples: number;
  readonly widths: readonly NewUnits[];
}

const examples = 256;

/** Undefined without `--data`. Throws `USAGE`, and typed errors if data and model do not fit. */
export async function newUnitsReport(
  before: Model,
  after: Model,
  seed: number,
  options: ModelDataOptions & { readonly afterPath: string },
): Promise<NewUnitsReport | undefined> {
  const { model, preprocessing } = networkIn(after, options.afterPath);
  const loaded = await modelData(model, options.afterPath, seed, options, preprocessing);
  if (loaded === undefined) return undefined;
  const { data, task } = loaded;
  const { model: old } = withoutPreprocessing(before);
  const widths = await examineNewUnits(old, model, data, { ...task, batchSize: examples, seed });
  return {
    data: data.name,
    loss: task.loss ?? defaultLoss,
    notes: task.notes,
    examples: Math.min(examples, data.count),
    widths,
  };
}

const columns: readonly [TextColumn, ...TextColumn[]] = [
  { title: "  width", align: "left" },
  { title: "units", align: "right" },
  { title: "least gradient", align: "right" },
  { title: "largest", align: "right" },
  { title: "dead", align: "right" },
  { title: "alike", align: "right" },
];

/** A line for each width that grew. */
export function newUnitsText({
  data,
  loss,
  notes,
  examples: count,
  widths,
}: NewUnitsReport): readonly string[] {
  if (widths.length === 0) return ["new units: none, no width is larger than before"];
  const rows = widths.map(({ width, size, gradientNorms, diagnosis }) => [
    `  ${width}`,
    `${size.before} → ${size.after}`,
    figure(Math.min(...gradientNorms), 2),
    figure(Math.max(...gradientNorms), 2),
    String(diagnosis.dead.filter(({ unit }) => unit >= size.before).length),
    String(
      diagnosis.identical.flat().length + new Set(diagnosis.collapsing.flatMap(({ units }) => units)).size,
    ),
  ]);
  const title = `new units on ${count} examples of ${data} (${loss})`;
  return [title, ...notes, ...textTable(columns, rows)].map(visible);
}
