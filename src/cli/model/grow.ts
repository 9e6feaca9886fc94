import { type Command, Option } from "commander";
import { platform } from "#platform";
import type { Model } from "../../graph/model.ts";
import { type GrownModel, type Growth, grow as growModel, replay } from "../../growth/grow/grow-model.ts";
import { planDocument, readPlan } from "../../growth/grow/plan-file.ts";
import { strategies } from "../../growth/strategies/index.ts";
import { saveModel } from "../../models/model-file.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { growOnData } from "../../training/measure/grow-on-data.ts";
import { taskOf } from "../../training/settings/task-options.ts";
import { comparedData } from "../../training/verification/data-feeds.ts";
import { type FolderOptions, folderOptions, givenFolderOptions } from "../folder/folder-options.ts";
import { growFolder } from "../folder/grow-folder.ts";
import { readFeeds } from "../options/feed-option.ts";
import { type GrowthOptions, readGrowths } from "../options/growth-options.ts";
import { type ModelDataOptions, modelData, modelDataOptions } from "../options/model-data.ts";
import { type ModelFileOptions, openModel } from "../options/model-option.ts";
import { badOption, strategyName, wholeNumber } from "../options/option-values.ts";
import { checkOutput } from "../options/output-file.ts";
import { sizesOfChecks } from "../options/sizes-option.ts";
import { networkIn } from "../options/trained-model.ts";
import { writtenModelOptions } from "../options/written-model-options.ts";
import { resultJson } from "../print/error-text.ts";
import { exitCodes } from "../print/exit-code.ts";
import { type CliIo, noteTo } from "../print/io.ts";
import { exitCodeOfOutcome } from "../print/verification-text.ts";
import { checkModel } from "./check-model.ts";
import { type GrowOutcome, growJson, growText } from "./grow-result.ts";

export interface GrowCommandOptions extends ModelFileOptions, ModelDataOptions, GrowthOptions, FolderOptions {
  readonly examples?: string;
  readonly strategy?: string;
  readonly seed?: string;
  readonly plan?: string;
  readonly savePlan?: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly verify: boolean;
  readonly sizes: readonly string[];
  readonly feed: readonly string[];
  readonly json?: boolean;
}

const helpText = `
Widening:
  --widen fc1=+16             16 more units; espalier inspect MODEL lists the widths
  --widen fc1=+16,fc2=x1.5    several, one after the other; a factor may be a fraction if the size comes out whole
  --widen all=x2              every width that can
  Inputs grow first, then outputs, the vocabulary, widths and depth.

Examples:
  espalier grow model.onnx --widen fc1=+16                       writes model.grown.onnx
  espalier grow model.onnx --widen all=x2 --out wide.onnx --seed 7
  espalier grow model.onnx --widen fc1=+16 --dry-run             says what it would change
  espalier grow model.onnx --widen fc1=+16 --data digits         the best of 128 candidates on these data
  espalier grow model.onnx --outputs +2 --deepen fc1=+1          two more classes, one more block
  espalier grow lm.onnx --vocab +256                             rows of the table and classes for 256 new ids
  espalier grow model.onnx --widen fc1=+16 --save-plan plan.json
  espalier grow model.onnx --plan plan.json --out again.onnx     the same growth once more

Checkpoint folders (docs/checkpoints.md); espalier inspect FOLDER lists the fields:
  espalier grow SmolLM2 --out wide --widen intermediate_size=x1.5,num_key_value_heads=x3 --deepen after=9,19,29
  espalier grow SmolLM2 --out x2 --widen hidden_size=x2,num_attention_heads=x2 --vocab-multiple-of 128
`;

export function growCommand(command: Command, io: CliIo, finish: (code: number) => void): Command {
  const collect = (value: string, before: readonly string[]) => [...before, value];
  command
    .description("Grow a model without changing what it computes, and verify that before writing it.")
    .argument("<model>", "ONNX file, or a folder with config.json and safetensors; it is never changed")
    .addOption(
      new Option("--widen <growth>", "WIDTH=+UNITS or WIDTH=xFACTOR; repeatable, commas between several")
        .argParser(collect)
        .default([], "none"),
    )
    .addOption(
      new Option(
        "--inputs <growth>",
        "+FEATURES or INPUT=+FEATURES: new features, which the old outputs do not depend on",
      )
        .argParser(collect)
        .default([], "none"),
    )
    .addOption(
      new Option(
        "--outputs <growth>",
        "+CLASSES or OUTPUT=+CLASSES: new classes; the old ones keep their numbers",
      )
        .argParser(collect)
        .default([], "none"),
    )
    .addOption(
      new Option("--deepen <growth>", "WIDTH=+BLOCKS: residual blocks after it, each the identity at first")
        .argParser(collect)
        .default([], "none"),
    )
    .option(
      "--strategy <name>",
      `values of new units: ${Object.keys(strategies).join(", ")} (default: random; candidates with --data)`,
    );
  modelDataOptions(command, "data for strategies that need some, in the forms that train accepts")
    .option("--examples <count>", "of the data, drawn at random (default: 512)")
    .option("--seed <number>", "of those values, and of the inputs for the check (default: 0)")
    .option("--plan <file>", "repeat the growths of a saved plan instead")
    .option("--save-plan <file>", "write the plan, as JSON")
    .option("--out <file>", "where to write the grown model (default: MODEL.grown.onnx)");
  folderOptions(command);
  return writtenModelOptions(command, "print the plan")
    .addHelpText("after", helpText)
    .action(async (path: string, options: GrowCommandOptions) => finish(await runGrow(path, options, io)));
}

/** `espalier grow`. Returns the exit code. Throws `NOT_PRESERVED` for a growth that changes the model. */
export async function runGrow(path: string, options: GrowCommandOptions, io: CliIo): Promise<number> {
  if ((await platform.kindOf(path)) === "folder") {
    refuseModelOptions(options);
    return growFolder(path, options, io);
  }
  const [foreign] = givenFolderOptions(options);
  if (foreign !== undefined) throw badOption(foreign, "is for checkpoint folders", path);
  const growths = readGrowths(options);
  checkCombination(options, growths);
  const seed = wholeNumber("--seed", options.seed ?? "0", 0);
  const strategy = strategyName(options.strategy ?? (options.data === undefined ? "random" : "candidates"));
  const examples = options.examples === undefined ? undefined : wholeNumber("--examples", options.examples);
  const out = options.out ?? path.replace(/(\.onnx)?$/, ".grown.onnx");
  const { model: whole, files, notes } = await openModel(path, options);
  noteTo(io, notes);
  const { model: before, preprocessing, restore } = networkIn(whole, path);
  if (preprocessing !== undefined) refuseBorders(growths, path);
  const given = readFeeds(options.feed, before);
  const inputs = options.plan === undefined ? files : [...files, options.plan];
  const force = options.force ?? false;
  const checkOutputs = async () => {
    if (!options.dryRun) await checkOutput(out, { option: "--out", force, inputs });
    if (options.savePlan === undefined) return;
    const others = options.dryRun ? inputs : [...inputs, out];
    await checkOutput(options.savePlan, { option: "--save-plan", force, inputs: others });
  };
  const looked = await modelData(before, path, seed, options, preprocessing);
  const sizes = sizesOfChecks(options.sizes, before, looked?.task.sizes);
  noteTo(io, looked?.task.notes ?? []);
  // What cannot grow is refused before output files are checked, and before long measurements.
  const unmeasured =
    options.plan === undefined
      ? growModel(before, growths, { strategy: looked === undefined ? strategy : "random", seed })
      : await replayFile(before, options.plan);
  await checkOutputs();
  const grown =
    looked === undefined
      ? unmeasured
      : await growOnData(before, growths, looked.data, {
          ...(options.strategy === undefined ? {} : { strategy }),
          ...(examples === undefined ? {} : { examples }),
          ...taskOf(looked.task),
          seed,
        });
  const data = looked === undefined ? [] : [comparedData(before, looked.data)];
  const verification =
    options.verify && !options.dryRun
      ? await checkModel(before, grown.model, { seed, sizes, given, data })
      : undefined;
  const preserved = verification?.outcome !== "different";
  const write = preserved && !options.dryRun;
  const outcome: GrowOutcome = { ...grown, path, before, out: write ? out : undefined, verification };
  if (preserved) {
    // The check may have taken a while: another process may have written there meanwhile.
    await checkOutputs();
    if (write) await saveModel(restore(grown.model), out, { externalData: options.externalData ?? false });
    if (options.savePlan !== undefined) {
      const text = JSON.stringify(planDocument(before, grown.steps), null, 2);
      await platform.writeFile(options.savePlan, new TextEncoder().encode(`${text}\n`));
    }
  }
  const error = preserved
    ? undefined
    : new EspalierError("NOT_PRESERVED", {
        thing: path,
        rule: `must compute the same after growth, and does not (strategy ${strategy}); nothing was written`,
        received: { largestDifference: verification?.maximum },
        remedy: "Use another --strategy, or --no-verify to write it anyway.",
      });
  io.out(options.json ? resultJson(growJson(outcome), error) : growText(outcome, options.savePlan));
  if (error !== undefined) throw error;
  return verification === undefined ? exitCodes.success : exitCodeOfOutcome(verification);
}

/** A model's record names its input columns and classes, and growth alone cannot name new ones. */
function refuseBorders(growths: readonly Growth[], path: string): void {
  const border = growths.find((growth) => "border" in growth);
  if (border === undefined) return;
  throw new EspalierError("NOT_GROWABLE", {
    thing: path,
    rule: `cannot take new ${border.border}s: it names the columns that it expects and the meaning of its outputs`,
    received: border,
    remedy: "Train a new model on data that have the new columns or classes.",
  });
}

/** Options for models that do not apply to folders. */
function refuseModelOptions(options: GrowCommandOptions): void {
  for (const [flag, given] of [
    ["--inputs", options.inputs.length > 0],
    ["--outputs", options.outputs.length > 0],
    ["--data", options.data !== undefined],
    ["--plan", options.plan !== undefined],
    ["--save-plan", options.savePlan !== undefined],
    ["--sizes", options.sizes.length > 0],
    ["--feed", options.feed.length > 0],
    ["--force", options.force === true],
  ] as const) {
    if (given) throw badOption(flag, "is for ONNX models, not for checkpoint folders", flag);
  }
}

function checkCombination(options: GrowCommandOptions, growths: readonly Growth[]): void {
  if (options.examples !== undefined && options.data === undefined)
    throw badOption("--examples", "goes with --data", options.examples);
  const example = "For example --widen all=x2.";
  if (options.plan === undefined) {
    if (growths.length > 0) return;
    throw badOption("--widen", "or another option must say what to grow", "none of them", example);
  }
  for (const [what, given] of [
    ["--widen, --inputs, --outputs, --vocab and --deepen", growths.length > 0],
    ["--strategy", options.strategy !== undefined],
    ["--data", options.data !== undefined],
  ] as const) {
    if (given)
      throw badOption(what, "must be left out, because the plan states it", `--plan ${options.plan}`);
  }
}

async function replayFile(model: Model, file: string): Promise<GrownModel> {
  const text = new TextDecoder().decode(await platform.readFile(file));
  const steps = readPlan(text, model, file);
  return { model: replay(model, steps), steps, left: [] };
}
