import type { Command } from "commander";
import type { WidthScore } from "../../growth/plan/score.ts";
import { type ScoreName, scores } from "../../growth/scores/index.ts";
import { figure, grouped } from "../../tensor/number-text.ts";
import { advise as adviseModel } from "../../training/measure/advise.ts";
import { taskOf } from "../../training/settings/task-options.ts";
import { type ModelDataOptions, modelData, modelDataOptions } from "../options/model-data.ts";
import { type ModelFileOptions, modelOptions, openModel } from "../options/model-option.ts";
import { oneOf, wholeNumber } from "../options/option-values.ts";
import { parseSizes, sizesHelp } from "../options/sizes-option.ts";
import { networkIn } from "../options/trained-model.ts";
import { exitCodes } from "../print/exit-code.ts";
import { dimText, visible } from "../print/format.ts";
import { type CliIo, noteTo } from "../print/io.ts";
import { type TextColumn, textTable, wrapped } from "../print/text-table.ts";

export interface AdviseOptions extends ModelFileOptions, ModelDataOptions {
  readonly score: string;
  readonly units: string;
  readonly examples: string;
  readonly seed: string;
  readonly sizes?: readonly string[];
  readonly json?: boolean;
}

const examples = `
Scores, each in units of its own:
${Object.values(scores)
  .map(({ name, summary }) => `  ${name.padEnd(12)}${summary}`)
  .join("\n")}

Examples:
  espalier advise model.onnx --data digits
  espalier advise model.onnx --data prices.csv --label price --units 16 --examples 4096
  espalier advise model.onnx --data digits --score tiny --json | jq '.widths[0].id'
`;

export function adviseCommand(command: Command, io: CliIo, finish: (code: number) => void): Command {
  command
    .description(
      "Rank the widths of an ONNX model by how much new units would lower the loss for their cost.",
    )
    .argument("<model>", "ONNX file");
  modelDataOptions(command, "data that the model is for, in the forms that train accepts (default: digits)")
    .option("--score <name>", Object.keys(scores).join(", "), "candidates")
    .option("--sizes <sizes>", sizesHelp, (text: string) => [text])
    .option("--units <count>", "new units to evaluate", "8")
    .option("--examples <count>", "of the data, drawn at random", "512")
    .option("--seed <number>", "of the draws", "0")
    .option("--json", "print one JSON document on stdout")
    .option("--debug", "print stack traces");
  return modelOptions(command, "read weights from files next to the model")
    .addHelpText("after", examples)
    .action(async (path: string, options: AdviseOptions) => finish(await runAdvise(path, options, io)));
}

/** `espalier advise`. Returns the exit code. */
export async function runAdvise(path: string, options: AdviseOptions, io: CliIo): Promise<number> {
  const method = oneOf("--score", options.score, Object.keys(scores) as ScoreName[]);
  const units = wholeNumber("--units", options.units);
  const count = wholeNumber("--examples", options.examples);
  const seed = wholeNumber("--seed", options.seed, 0);
  const { model, preprocessing } = networkIn((await openModel(path, options)).model, path);
  const asked = { ...options, data: options.data ?? "digits" };
  const [sizesText] = options.sizes ?? [];
  const sizes = sizesText === undefined ? undefined : parseSizes(sizesText, model);
  const looked = await modelData(model, path, seed, asked, preprocessing, sizes);
  if (looked === undefined) throw new Error("there are always data");
  const { data, task } = looked;
  noteTo(io, task.notes);
  const ranked = await adviseModel(model, data, { method, units, examples: count, seed, ...taskOf(task) });
  const source = options.data ?? "digits";
  const about = {
    model: path,
    data: source,
    loss: task.loss,
    score: method,
    examples: Math.min(count, data.count),
  };
  io.out(
    options.json
      ? `${JSON.stringify({ ...about, widths: ranked.map(({ width, ...rest }) => ({ id: width, ...rest })) }, null, 2)}\n`
      : adviceText(about, ranked),
  );
  return exitCodes.success;
}

const columns: readonly [TextColumn, ...TextColumn[]] = [
  { title: "  width", align: "left" },
  { title: "size", align: "right" },
  { title: "best unit", align: "right" },
  { title: "best 8", align: "right" },
  { title: "per parameter", align: "right" },
  { title: "per FLOP", align: "right" },
];

function adviceText(
  about: { readonly model: string; readonly data: string; readonly score: string; readonly examples: number },
  ranked: readonly WidthScore[],
): string {
  const judged = ranked.filter(({ gains }) => gains.length > 0);
  const rows = judged.map(({ width, size, gains, perParameter, perFlop }) => [
    `  ${width}`,
    grouped(size),
    figure(gains[0] ?? 0, 2),
    figure(
      gains.reduce((sum, gain) => sum + gain, 0),
      2,
    ),
    figure(perParameter, 2),
    figure(perFlop, 2),
  ]);
  const most = Math.max(0, ...judged.map(({ gains }) => gains.length));
  const titled = columns.map((column) =>
    column.title === "best 8" ? { ...column, title: `best ${most}` } : column,
  ) as unknown as typeof columns;
  const flops = ranked.reduce((sum, { cost }) => sum + cost.flops, 0);
  const [first] = judged;
  const lines = [
    `${about.model}: predicted decrease of the loss by new units (${about.score}, ${grouped(about.examples)} examples of ${about.data})`,
    ...(rows.length === 0 ? [] : textTable(titled, rows)),
    ...ranked
      .filter(({ gains }) => gains.length === 0)
      .flatMap(({ width, reason }) =>
        wrapped(`not judged: ${width}: ${reason || "it has no gradient on these data"}`, "  "),
      ),
    `scoring took ${dimText(flops)} FLOPs`,
    ...(first === undefined
      ? []
      : [
          `most for its FLOPs: ${first.width}. Try: espalier grow ${about.model} --widen ${first.width}=+${most} --data ${about.data}`,
        ]),
  ];
  return `${lines.map(visible).join("\n")}\n`;
}
