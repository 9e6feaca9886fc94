// npm run example minimal: strips the types from examples/minimal.ts and runs it against the built package.
import { rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const name = process.argv[2] ?? "minimal";
const { outputFiles } = await build({
  entryPoints: [`examples/${name}.ts`],
  bundle: true,
  packages: "external",
  platform: "node",
  format: "esm",
  write: false,
});
const script = new URL(`../examples/.${name}.mjs`, import.meta.url);
await writeFile(script, outputFiles[0].contents);
try {
  await import(script.href);
} finally {
  await rm(script);
}
