import type {
  FeatureColumn,
  NumberColumn,
  Preprocessing,
  Scale,
  Target,
} from "../preprocessing/preprocessing.ts";
import type { MissingRule } from "./options.ts";
import type { FeaturePlan, TablePlan } from "./plan.ts";
import { cellKey, isGap, type TableColumn } from "./table.ts";

export interface PreprocessingFitOptions {
  /** Whether number columns are scaled to mean 0 and deviation 1; default false. */
  readonly standardize?: boolean;
  /** Whether numeric targets are scaled too; default: `standardize`. */
  readonly scaleTarget?: boolean;
}

/** Learns from the rows at `rows`, the training part alone, how to encode the columns of a plan. */
export function fitPreprocessing(
  plan: TablePlan,
  rows: ArrayLike<number>,
  { standardize = false, scaleTarget = standardize }: PreprocessingFitOptions = {},
): Preprocessing {
  const columns = plan.features.map((feature) => fitColumn(feature, rows, plan.missing, standardize));
  return {
    version: 1,
    features: { kind: "table", named: plan.table.named, columns },
    target: fitTarget(plan, rows, scaleTarget),
  };
}

function fitTarget({ target }: TablePlan, rows: ArrayLike<number>, scale: boolean): Target {
  const { name } = target.column;
  if (target.kind === "class") return { kind: "class", name, classes: target.classes };
  return { kind: "number", name, ...(scale ? scaleOfColumn(present(target.column, rows)) : unscaled) };
}

function fitColumn(
  { kind, column }: FeaturePlan,
  rows: ArrayLike<number>,
  missing: MissingRule,
  standardize: boolean,
): FeatureColumn {
  const { name } = column;
  if (kind === "number") {
    const fill = fillOf(present(column, rows), missing);
    const values = Array.from(rows, (row) => column.numbers[row] as number);
    const filled =
      fill === undefined
        ? values.filter((value) => !Number.isNaN(value))
        : values.map((value) => (Number.isNaN(value) ? fill : value));
    const made: NumberColumn = { kind, name, ...(standardize ? scaleOfColumn(filled) : unscaled) };
    return fill === undefined ? made : { ...made, missing: fill };
  }
  const counts = new Map<string, number>();
  let gaps = 0;
  for (const row of Array.from(rows)) {
    if (isGap(column, row, false)) gaps++;
    else counts.set(cellKey(column, row), (counts.get(cellKey(column, row)) ?? 0) + 1);
  }
  const categories = [...counts.keys()].sort();
  if (missing === "error" || missing === "drop")
    return { kind, name, categories: categories.length === 0 ? [""] : categories };
  if (gaps === 0) {
    // If only other rows have gaps, a gap counts as the most frequent category here.
    const [most = ""] = categories.toSorted((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0));
    return { kind, name, categories, missing: most };
  }
  const own = categories.includes("missing") ? "(missing)" : "missing";
  return { kind, name, categories: [...categories, own], missing: own };
}

const unscaled: Scale = { mean: 0, deviation: 1 };

function present({ numbers }: TableColumn, rows: ArrayLike<number>): readonly number[] {
  return Array.from(rows, (row) => numbers[row] as number).filter((value) => !Number.isNaN(value));
}

/** Population statistics, in double precision; deviation 1 for a constant column. */
export function scaleOfColumn(values: readonly number[]): Scale {
  if (values.length === 0) return unscaled;
  const mean = values.reduce((sum, value) => sum + value / values.length, 0);
  // Compare the values: with a rounded mean, the variance of a constant column is tiny but not zero.
  if (values.every((value) => value === values[0])) return { mean, deviation: 1 };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2 / values.length, 0);
  const deviation = Math.sqrt(variance);
  return { mean, deviation: deviation > 0 ? deviation : 1 };
}

function fillOf(values: readonly number[], rule: MissingRule): number | undefined {
  switch (rule) {
    case "mean":
      return values.length === 0 ? 0 : scaleOfColumn(values).mean;
    case "median": {
      const sorted = values.toSorted((a, b) => a - b);
      const middle = sorted.length / 2;
      return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle) - 1] ?? 0)) / 2;
    }
    case "zero":
      return 0;
    default:
      return undefined;
  }
}
