import { type Command, Option } from "commander";
import { feedOption } from "./feed-option.ts";
import { modelOptions } from "./model-option.ts";

/** Options of commands that write a changed model and verify it first. `dryRun` says what is shown instead. */
export function writtenModelOptions(command: Command, dryRun: string): Command {
  const collect = (value: string, before: readonly string[]) => [...before, value];
  command
    .option("--force", "replace an output file that exists")
    .option("--dry-run", `${dryRun} and write no model`)
    .option("--no-verify", "write it without verifying it")
    .addOption(
      new Option("--sizes <sizes>", "sizes for the check, such as batch=3,sequence=7; repeatable")
        .argParser(collect)
        .default([], "several small ones"),
    )
    .addOption(feedOption())
    .option("--json", "print one JSON document on stdout")
    .option("--debug", "print stack traces");
  return modelOptions(
    command,
    "read weights from files next to the model, and write the output's next to it",
  );
}
