import { openCheckpoint } from "../../src/checkpoints/checkpoint.ts";
import { planFolder } from "../../src/checkpoints/grow/plan-growth.ts";
import { writeFolder } from "../../src/checkpoints/grow/write-folder.ts";
import { random } from "../../src/growth/strategies/random.ts";
import { platform } from "../../src/platform/node.ts";
import type { TargetFile } from "../../src/platform/platform.ts";

type Call = (...args: never[]) => unknown;

/**
 * Grows a folder in a process that kills itself before operation number `last` on files; on stdout, how many operations
 * there were if it lives.
 */
export async function growUntil(last: number, old: string, out: string): Promise<void> {
  let done = 0;
  const counted =
    (call: Call): Call =>
    (...given) => {
      if (done++ === last) process.kill(process.pid, "SIGKILL");
      const result = call(...given);
      return result instanceof Promise ? result.then(watched) : result;
    };
  const watched = (result: unknown) =>
    isTarget(result) ? { ...result, write: counted(result.write), finish: counted(result.finish) } : result;
  const own = platform as unknown as Record<string, unknown>;
  for (const [name, call] of Object.entries(own)) {
    if (typeof call === "function") own[name] = counted(call as Call);
  }
  const checkpoint = await openCheckpoint(old);
  const sizes = new Map([["intermediate_size", 48]]);
  const planned = planFolder(checkpoint, { sizes, after: new Map([["", [1]]]), strategy: random, seed: 0 });
  await writeFolder(checkpoint, planned, out, { maxShardBytes: 20_000 });
  process.stdout.write(String(done));
}

const isTarget = (value: unknown): value is TargetFile =>
  typeof value === "object" && value !== null && "finish" in value;
