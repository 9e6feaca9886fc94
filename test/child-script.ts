import { mkdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { build } from "esbuild";

/**
 * Bundles a module for a child process that a test kills; returns the script's path. `contents` are what it does, in
 * TypeScript, with imports relative to the folder of `from`. The script is next to the project's modules.
 */
export async function childScript(from: string, contents: string): Promise<string> {
  const place = join(import.meta.dirname, "../node_modules/.espalier-laws");
  await mkdir(place, { recursive: true });
  const outfile = join(place, `${basename(from, ".test.ts")}-${process.pid}.mjs`);
  await build({
    stdin: { contents, resolveDir: dirname(from), loader: "ts" },
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    conditions: ["espalier-source", "node", "import"],
    outfile,
    logLevel: "error",
  });
  return outfile;
}
