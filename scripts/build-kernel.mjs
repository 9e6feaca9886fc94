// Compiles kernels/optimizer.ts (AssemblyScript) into src/engine/kernel/bytes.ts.
//
//   node scripts/build-kernel.mjs           writes the file
//   node scripts/build-kernel.mjs --check   exits 1 where the committed file is not what the source gives

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = "kernels/optimizer.ts";
const target = "src/engine/kernel/bytes.ts";

const options = [
  source,
  ["--enable", "simd"],
  "-O3",
  "--noAssert",
  ["--runtime", "stub"],
  "--importMemory",
  "--noExportMemory",
  ["--outFile", "optimizer.wasm"],
].flat();

/** Compiles in memory; the result depends on the source and the compiler's version alone. */
async function compile() {
  let bytes;
  const { error, stderr } = await asc.main(options, {
    readFile: (name) => readFile(`${root}${name}`, "utf8").catch(() => null),
    writeFile: (_name, contents) => {
      bytes = contents;
    },
    listFiles: () => [],
  });
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  return bytes;
}

function render(bytes) {
  return `// Generated from ${source} by scripts/build-kernel.mjs (assemblyscript ${asc.version}); do not edit.

/** The optimizer kernel: a WebAssembly module of ${bytes.length} bytes, in base64. */
export const kernelBytes =
  "${Buffer.from(bytes).toString("base64")}";
`;
}

const text = render(await compile());
if (process.argv.includes("--check")) {
  const committed = await readFile(`${root}${target}`, "utf8").catch(() => "");
  if (committed !== text) {
    console.error(`${target} is not what ${source} compiles to: run node scripts/build-kernel.mjs`);
    process.exitCode = 1;
  }
} else {
  await writeFile(`${root}${target}`, text);
}
