import { type Command, Option } from "commander";
import { isPreserved } from "../../growth/examine/compare.ts";
import { importances } from "../../growth/importance/index.ts";
import { shrink as shrinkModel } from "../../growth/shrink/shrink-model.ts";
import { saveModel } from "../../models/model-file.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { compareOnData, examineUnits } from "../../training/examine/shrink-evidence.ts";
import { taskOf } from "../../training/settings/task-options.ts";
import { comparedData } from "../../training/verification/data-feeds.ts";
import { readFeeds } from "../options/feed-option.ts";
import { type ModelDataOptions, modelData, modelDataOptions } from "../options/model-data.ts";
import { type ModelFileOptions, openModel } from "../options/model-option.ts";
import { wholeNumber } from "../options/option-values.ts";
import { checkOutput } from "../options/output-file.ts";
import { readShrinkings, type ShrinkChoiceOptions } from "../options/shrink-options.ts";
import { sizesOfChecks } from "../options/sizes-option.ts";
import { networkIn } from "../options/trained-model.ts";
import { writtenModelOptions } from "../options/written-model-options.ts";
import { resultJson } from "../print/error-text.ts";
import { exitCodes } from "../print/exit-code.ts";
import { type CliIo, noteTo } from "../print/io.ts";
import { checkModel } from "./check-model.ts";
import { shrinkJson, shrinkText } from "./shrink-result.ts";

export interface ShrinkCommandOptions extends ModelFileOptions, ModelDataOptions, ShrinkChoiceOptions {
  readonly examples: string;
  readonly seed: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly verify: boolean;
  readonly sizes: readonly string[];
  readonly feed: readonly string[];
  readonly json?: boolean;
}

const examples = `
What goes:
  --merge-identical           units that are equal but for what reads them become one: exact
  --remove-dead               units that are zero on the data, or that nothing reads: exact on the data seen
  --merge-collapsing          units that are becoming one: not exact, the output says how far it moves
  --least 4 --by taylor       the four that matter least by a score: not exact

Examples:
  espalier shrink model.onnx --merge-identical                       writes model.shrunk.onnx
  espalier shrink model.onnx --merge-identical --remove-dead --data digits --dry-run
  espalier shrink model.onnx --least 16 --by taylor --width hidden1 --data digits --out small.onnx
`;

export function shrinkCommand(command: Command, io: CliIo, finish: (code: number) => void): Command {
  const collect = (value: string, before: readonly string[]) => [...before, value];
  command
    .description("Remove units that an ONNX model can do without, and verify that before writing it.")
    .argument("<model>", "ONNX file; it is never changed")
    .option("--merge-identical", "merge identical units; their outgoing weights add up")
    .option("--remove-dead", "remove units that are dead on the data")
    .option("--merge-collapsing", "merge units that are becoming identical")
    .option("--least <units>", "remove this many of the least important units")
    .option("--by <score>", Object.keys(importances).join(", "))
    .addOption(
      new Option("--width <id>", "where; repeatable").argParser(collect).default([], "every width that can"),
    );
  modelDataOptions(command, "data to examine, in the forms that train accepts")
    .option("--examples <count>", "of the data, from the first on", "1024")
    .option("--seed <number>", "of the inputs for the check, and of how the data are split", "0")
    .option("--out <file>", "where to write the smaller model (default: MODEL.shrunk.onnx)");
  return writtenModelOptions(command, "say what would go")
    .addHelpText("after", examples)
    .action(async (path: string, options: ShrinkCommandOptions) =>
      finish(await runShrink(path, options, io)),
    );
}

/** `espalier shrink`. Returns the exit code. Throws `NOT_PRESERVED` for an exact shrink that changes the model. */
export async function runShrink(path: string, options: ShrinkCommandOptions, io: CliIo): Promise<number> {
  const shrinkings = readShrinkings(options, options.data !== undefined);
  const seed = wholeNumber("--seed", options.seed, 0);
  const count = wholeNumber("--examples", options.examples);
  const out = options.out ?? path.replace(/(\.onnx)?$/, ".shrunk.onnx");
  const { model: whole, files, notes } = await openModel(path, options);
  noteTo(io, notes);
  const { model: before, preprocessing, restore } = networkIn(whole, path);
  const given = readFeeds(options.feed, before);
  const dryRun = options.dryRun ?? false;
  const checkOut = () =>
    dryRun ? undefined : checkOutput(out, { option: "--out", force: options.force ?? false, inputs: files });
  const loaded = await modelData(before, path, seed, options, preprocessing);
  const sizes = sizesOfChecks(options.sizes, before, loaded?.task.sizes);
  const looking = loaded && { ...taskOf(loaded.task), examples: count, seed };
  const evidence = loaded && looking && (await examineUnits(before, loaded.data, looking));
  const shrunk = shrinkModel(before, shrinkings, evidence === undefined ? {} : { evidence });
  await checkOut();
  const kinds = new Set(shrunk.steps.map(({ exactness }) => exactness));
  const verifies = options.verify && !dryRun;
  // A unit that was inactive on the data may be active on other inputs.
  const anyInput = verifies && !kinds.has("on the data seen");
  const data = loaded === undefined ? [] : [comparedData(before, loaded.data)];
  const verification = anyInput
    ? await checkModel(before, shrunk.model, { seed, sizes, given, data })
    : undefined;
  const onData =
    verifies && loaded && looking
      ? await compareOnData(before, shrunk.model, loaded.data, looking)
      : undefined;
  const preserved =
    kinds.has("approximate") ||
    (verification?.outcome !== "different" && (onData === undefined || isPreserved(onData)));
  const writes = preserved && !dryRun;
  if (writes) {
    // The check may have taken a while: another process may have written there meanwhile.
    await checkOut();
    await saveModel(restore(shrunk.model), out, { externalData: options.externalData ?? false });
  }
  const outcome = { ...shrunk, path, before, out: writes ? out : undefined, dryRun, verification, onData };
  noteTo(io, loaded?.task.notes ?? []);
  const error = preserved
    ? undefined
    : new EspalierError("NOT_PRESERVED", {
        thing: path,
        rule: "must compute the same without these units, but does not; nothing was written",
        received: { largestDifference: onData?.maximum ?? verification?.maximum },
        remedy: "Use --no-verify to write it anyway.",
      });
  io.out(options.json ? resultJson(shrinkJson(outcome), error) : shrinkText(outcome));
  if (error !== undefined) throw error;
  // A shrink that was requested although it changes the outputs did what was requested.
  return verification?.outcome === "nothing compared" ? exitCodes.nothingCompared : exitCodes.success;
}
