import type { CommanderError } from "commander";
import { EspalierError } from "../../tensor/errors.ts";

/** How to report mistakes that the command line's parser finds, by its code. */
const mistakes: Readonly<Record<string, readonly [form: RegExp, rule: (found: string) => string]>> = {
  "commander.unknownOption": [/'([^']*)'/, (option) => `has no option ${option}`],
  "commander.unknownCommand": [/'([^']*)'/, (command) => `has no command ${command}`],
  "commander.missingArgument": [/'([^']*)'/, (argument) => `needs the argument <${argument}>`],
  "commander.optionMissingArgument": [/'([^']*)'/, (option) => `needs a value after ${option.split(" ")[0]}`],
  "commander.missingMandatoryOptionValue": [/'([^']*)'/, (option) => `needs the option ${option}`],
  "commander.excessArguments": [
    /Expected (\d+) argument/,
    (most) => `accepts no more than ${most} file names`,
  ],
};

/** A mistake in the command line, in the form of every other error. `commands` are the names of all commands. */
export function usageError(
  error: CommanderError,
  args: readonly string[],
  commands: readonly string[],
): EspalierError {
  const command = args.find((arg) => commands.includes(arg));
  const program = command === undefined ? "espalier" : `espalier ${command}`;
  const [first = "", ...hints] = error.message.replace(/^error: /, "").split("\n");
  const [form, rule] = mistakes[error.code] ?? [];
  const found = form?.exec(first)?.[1];
  return new EspalierError("USAGE", {
    thing: program,
    rule: found === undefined || rule === undefined ? first : rule(found),
    received: args.join(" "),
    remedy: [
      ...hints.map((hint) => hint.replace(/^\((.*)\)$/, "$1")),
      `Run ${program} --help to see every ${command === undefined ? "command" : "option"}.`,
    ].join(" "),
  });
}
