import { lstat, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { EspalierError } from "../../tensor/errors.ts";
import { badOption } from "./option-values.ts";

export interface OutputRules {
  /** The option that names the file. */
  readonly option: string;
  /** Whether an existing file may be replaced. */
  readonly force: boolean;
  /** Files that must stay as they are, regardless of options. */
  readonly inputs: readonly string[];
}

/**
 * Checks that a file may be written: it is not one of the inputs under another name or link, and either it does not
 * exist or `force` allows replacing it. Throws `USAGE` or `OUTPUT_EXISTS`.
 */
export async function checkOutput(path: string, { option, force, inputs }: OutputRules): Promise<void> {
  if (path === "") throw badOption(option, "must name a file", path, "Give the path of the output file.");
  for (const input of inputs) {
    if (!(await isSameFile(path, input))) continue;
    throw badOption(
      option,
      `must not be a file that is read (${input}), which is never changed`,
      path,
      "Choose another path.",
    );
  }
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  const refuse = (rule: string, remedy: string) =>
    new EspalierError("OUTPUT_EXISTS", { thing: path, rule, received: "something is there", remedy });
  if (!found.isFile() && !found.isSymbolicLink())
    throw refuse("must be a file, not a folder or device", "Choose another path.");
  if (!force)
    throw refuse(
      "already exists and is not overwritten",
      `Choose another ${option}, or replace it by --force.`,
    );
}

async function isSameFile(a: string, b: string): Promise<boolean> {
  if (resolve(a) === resolve(b)) return true;
  const [one, other] = await Promise.all(
    [a, b].map((path) => stat(path, { bigint: true }).catch(() => undefined)),
  );
  return one !== undefined && other !== undefined && one.ino === other.ino && one.dev === other.dev;
}
