import { openCheckpoint } from "../../checkpoints/checkpoint.ts";
import { type FolderVerification, verifyFolders } from "../../checkpoints/verify/verify-folders.ts";
import { figure } from "../../tensor/number-text.ts";
import { exitCodes } from "../print/exit-code.ts";
import { visible } from "../print/format.ts";
import type { CliIo } from "../print/io.ts";

/** `espalier verify` of two checkpoint folders. Returns the exit code. */
export async function verifyFolder(
  beforePath: string,
  afterPath: string,
  { seed, json }: { readonly seed: number; readonly json: boolean },
  io: CliIo,
): Promise<number> {
  const before = await openCheckpoint(beforePath);
  try {
    const after = await openCheckpoint(afterPath);
    try {
      const result = await verifyFolders(before, after, seed);
      const document = { before: beforePath, after: afterPath, seed, ...result };
      io.out(
        json
          ? `${JSON.stringify(document, null, 2)}\n`
          : `${visible(`${afterPath}: ${verdictOf(result)}`)}\n`,
      );
      return result.preserved ? exitCodes.success : exitCodes.different;
    } finally {
      after.weights.close();
    }
  } finally {
    before.weights.close();
  }
}

/** The findings, in words. */
export function verdictOf({ preserved, identical, maximum, relative, checks }: FolderVerification): string {
  const tokens = checks.flatMap(({ sizes }) => sizes.sequence ?? []).join(", ");
  const sets = checks.length === 1 ? "1 set" : `${checks.length} sets`;
  const on = `on ${sets} of inputs${tokens === "" ? "" : ` (of ${tokens} tokens)`}, in float32`;
  if (identical) return `the same, bit for bit, ${on}`;
  const off = `they differ by at most ${figure(maximum, 2)}, ${figure(relative, 2)} of an entry's channel or example, ${on}`;
  return preserved ? `the same: ${off}` : `different: ${off}`;
}
