import { EspalierError } from "../../tensor/errors.ts";

const room = "Free some space and run it again; a training run continues with: espalier train --resume DIR";

/** Rule and remedy for errors of the operating system, by Node's code. */
const refusals: Readonly<Record<string, readonly [rule: string, remedy: string]>> = {
  EACCES: ["must be accessible to you", "Change its permissions, or choose another path."],
  EPERM: ["must be accessible to you", "Change its permissions, or choose another path."],
  EROFS: ["must be on a disk that can be written", "Choose another path."],
  ENOTDIR: ["must lead through folders, but part of it is a file", "Choose another path."],
  EEXIST: ["must lead through folders, but part of it is a file", "Choose another path."],
  EISDIR: ["must be a file, but is a folder", "Choose another path."],
  ENOENT: ["does not exist", "Check the path; something may have removed it in the meantime."],
  ENOSPC: ["must be on a disk with room", room],
  EDQUOT: ["must be within your disk quota", room],
  EFBIG: [
    "must be no larger than the system lets a file be",
    "Raise the limit (ulimit -f), or choose another disk.",
  ],
  ENAMETOOLONG: ["must have a shorter name", "Choose another path."],
};

/** An error of the operating system, in the form of every other error; undefined for any other kind. */
export function fileError(error: unknown): EspalierError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, path } = error as NodeJS.ErrnoException;
  const refusal = code === undefined ? undefined : refusals[code];
  if (refusal === undefined) return undefined;
  const [rule, remedy] = refusal;
  return new EspalierError(code === "ENOENT" ? "FILE_MISSING" : "PLATFORM", {
    thing: path ?? "file",
    rule,
    received: code,
    remedy,
    cause: error,
  });
}
