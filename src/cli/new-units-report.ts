import type { Model } from "../graph/model.ts";
import { type LossName, losses } from "../training/loss.ts";
import { examineNewUnits, type NewUnits } from "../training/new-units.ts";
import { loadData } from "./data-option.ts";
import { figure, visible } from "./format.ts";
import { lossFor } from "./network.ts";
import { badOption, oneOf } from "./option-values.ts";
import { type Column, textTable } from "./text-table.ts";
import { checkTrainable, fitData } from "./trained-model.ts";

/** Data to look at the gradient of new weights on, as typed. */
export interface NewUnitsOptions {
  readonly data?: string;
  readonly label?: string;
  readonly delimiter?: string;
  readonly standardise?: boolean;
  readonly loss?: string;
}

/** The gradient that new units have on data, and who of them is dead or like another. */
export interface NewUnitsReport {
  readonly data: string;
  readonly loss: LossName;
  readonly examples: number;
  readonly widths: readonly NewUnits[];
}

const examples = 256;

/** Undefined without `--data`. Throws `USAGE`, and typed errors where data and model do not fit. */
export async function newUnitsReport(
  before: Model,
  after: Model,
  seed: number,
  options: NewUnitsOptions & { readonly afterPath: string },
): Promise<NewUnitsReport | undefined> {
  const { data: source, label, delimiter, standardise = false } = options;
  if (source === undefined) {
    const needless = (["label", "delimiter", "standardise", "loss"] as const).find((name) => options[name]);
    if (needless === undefined) return undefined;
    throw badOption(`--${needless}`, "goes with --data", options[needless]);
  }
  const names = Object.keys(losses) as LossName[];
  const wanted = options.loss === undefined ? undefined : oneOf("--loss", options.loss, names);
  checkTrainable(after, options.afterPath);
  const loaded = await loadData({
    data: source,
    label,
    delimiter,
    target: wanted === "meanSquaredError" ? "number" : wanted === "crossEntropy" ? "class" : "auto",
    standardise,
    testFraction: 0.2,
    validationFraction: 0,
    seed,
    images: false,
  });
  const { train } = fitData(loaded, after);
  const loss = lossFor(train, wanted);
  const widths = await examineNewUnits(before, after, train, { loss, batchSize: examples, seed });
  return { data: train.name, loss, examples: Math.min(examples, train.count), widths };
}

const columns: readonly [Column, ...Column[]] = [
  { title: "  width", align: "left" },
  { title: "units", align: "right" },
  { title: "least gradient", align: "right" },
  { title: "largest", align: "right" },
  { title: "dead", align: "right" },
  { title: "alike", align: "right" },
];

/** A line for each width that has grown. */
export function newUnitsText({ data, loss, examples: count, widths }: NewUnitsReport): readonly string[] {
  if (widths.length === 0) return ["new units: none, no width is larger than before"];
  const rows = widths.map(({ width, size, gradientNorms, diagnosis }) => [
    `  ${width}`,
    `${size.before} → ${size.after}`,
    figure(Math.min(...gradientNorms)),
    figure(Math.max(...gradientNorms)),
    String(diagnosis.dead.filter(({ unit }) => unit >= size.before).length),
    String(
      diagnosis.identical.flat().length + new Set(diagnosis.collapsing.flatMap(({ units }) => units)).size,
    ),
  ]);
  const title = `new units on ${count} examples of ${data} (${loss})`;
  return [title, ...textTable(columns, rows)].map(visible);
}
