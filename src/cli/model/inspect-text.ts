import type { Dim } from "../../graph/dim.ts";
import type { ModelSummary } from "../../growth/examine/summary.ts";
import type { Vocabulary } from "../../growth/find/vocabulary.ts";
import type { Width } from "../../growth/plan/width.ts";
import { grouped } from "../../tensor/number-text.ts";
import { dimText, typeText, visible } from "../print/format.ts";
import { type TextColumn, textTable, wrapped } from "../print/text-table.ts";

/** A model as `inspect` shows it; FLOPs are numbers if every size is bound, otherwise text such as "57*sequence". */
export interface Inspection {
  readonly path: string;
  readonly summary: ModelSummary;
  readonly widths: readonly Width[];
  readonly vocabularies: readonly Vocabulary[];
  /** Sizes that the FLOPs are for. */
  readonly sizes: Readonly<Record<string, number>>;
  /** FLOPs at those sizes. */
  readonly bound: (flops: Dim) => Dim;
}

/** Length of the longest polynomial that a column shows. */
const longestFlops = 24;

/** The account for people: what the model is, its widths (those that can grow first), its layers. */
export function inspectText(inspection: Inspection, ties: boolean): string {
  const lines = [
    ...header(inspection),
    "",
    ...widthLines(inspection, ties),
    ...inspection.vocabularies.flatMap(vocabularyLines),
    "",
    ...layerLines(inspection),
  ];
  return `${lines.map(visible).join("\n")}\n`;
}

function header({ path, summary, sizes, bound }: Inspection): readonly string[] {
  const { producer, producerVersion, opsets } = summary;
  const maker = [producer, producerVersion].filter((part) => part).join(" ") || "an unknown producer";
  const sets = Object.entries(opsets).map(([domain, version]) =>
    domain === "ai.onnx" ? `opset ${version}` : `${domain} ${version}`,
  );
  const at = Object.entries(sizes).map(([name, size]) => `${name} ${size}`);
  return [
    path,
    ...wrapped(`by ${maker}, ${sets.join(", ")}, ${grouped(summary.nodes)} nodes`, "  "),
    ...summary.inputs.map((value) => `  input       ${value.name}  ${typeText(value)}`),
    ...summary.outputs.map((value) => `  output      ${value.name}  ${typeText(value)}`),
    `  parameters  ${grouped(summary.parameters)}`,
    `  FLOPs       ${dimText(bound(summary.flops))}${at.length === 0 ? "" : ` (${at.join(", ")})`}`,
    ...(summary.withoutRules.length === 0
      ? []
      : wrapped(`without rules, FLOPs not counted: ${summary.withoutRules.join(", ")}`, "  ")),
  ];
}

const widthColumns: readonly [TextColumn, ...TextColumn[]] = [
  { title: "   width", align: "left" },
  { title: "size", align: "right" },
  { title: "unit", align: "left" },
  { title: "+ parameters", align: "right" },
  { title: "+ FLOPs", align: "right" },
];

function widthLines({ widths, bound }: Inspection, ties: boolean): readonly string[] {
  const growable = widths.filter((width) => width.growable);
  const sorted = [...growable, ...widths.filter((width) => !width.growable)];
  const rows = sorted.map((width) => [
    `${width.growable ? " + " : " - "}${width.id}`,
    grouped(width.size),
    width.multiple > 1 ? `${width.unit}, by ${width.multiple}` : width.unit,
    ...(width.growable
      ? [grouped(width.costPerUnit.parameters), flopsText(bound(width.costPerUnit.flops))]
      : []),
  ]);
  const title = `Widths: ${growable.length} of ${widths.length} can grow (+), at these costs per unit`;
  return [
    widths.length === 0 ? "Widths: none" : title,
    ...(widths.length === 0 ? [] : textTable(widthColumns, rows, (row) => notes(sorted[row] as Width, ties))),
  ];
}

/** Tables and heads with an entry for each id of an input. */
function vocabularyLines({ id, size, tables, heads }: Vocabulary): readonly string[] {
  const refused = tables.find(({ growable }) => !growable);
  const parts = [...tables, ...heads.filter(({ growable }) => growable)].flatMap((width) => width.parts);
  const names = parts.map(({ parameter, axis }) => `${parameter}[${axis}]`).join(" ");
  return [
    ...wrapped(`Vocabulary of "${id}": ${grouped(size)} ids (--vocab): ${names}`, ""),
    ...(refused === undefined ? [] : wrapped(`cannot grow: ${refused.reason}`, "  ")),
    ...heads.flatMap(({ growable, id: head, reason }) =>
      growable ? [] : wrapped(`"${head}" stays as it is: ${reason}`, "  "),
    ),
  ];
}

function notes(width: Width, ties: boolean): readonly string[] {
  const tied = width.parts.map(({ parameter, axis }) => `${parameter}[${axis}]`).join(" ");
  return [
    ...(width.growable ? [] : wrapped(width.reason, "     ")),
    ...(ties ? wrapped(width.growable ? `${width.method}: ${tied}` : tied, "     ") : []),
  ];
}

const layerColumns: readonly [TextColumn, ...TextColumn[]] = [
  { title: "   layer", align: "left" },
  { title: "operators", align: "left" },
  { title: "output", align: "left" },
  { title: "parameters", align: "right" },
];

function layerLines({ summary }: Inspection): readonly string[] {
  const rows = summary.layers.map((layer) => [
    `   ${layer.name}`,
    counted(layer.operators),
    layer.output === undefined ? "" : `[${layer.output.map(shortDim).join(", ")}]`,
    grouped(layer.parameters),
  ]);
  return [`Layers with parameters: ${rows.length}`, ...textTable(layerColumns, rows)];
}

/** "Gemm, Add", "Gemm ×2" */
function counted(operators: readonly string[]): string {
  const names = [...new Set(operators)];
  return names
    .map((name) => {
      const count = operators.filter((operator) => operator === name).length;
      return count === 1 ? name : `${name} ×${count}`;
    })
    .join(", ");
}

/** Generated names of sizes are not worth their length. */
function shortDim(dim: Dim): string {
  return typeof dim === "string" && dim.length > 14 ? "?" : String(dim);
}

function flopsText(flops: Dim): string {
  const text = dimText(flops);
  return text.length > longestFlops ? "see --sizes" : text;
}
