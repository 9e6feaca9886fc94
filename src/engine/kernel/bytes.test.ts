import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { kernelBytes } from "./bytes.ts";

test("the committed kernel is what its source compiles to", () => {
  expect(() => execFileSync(process.execPath, ["scripts/build-kernel.mjs", "--check"])).not.toThrow();
});

test("the kernel imports one memory and brings no data, memory or start function of its own", async () => {
  const module = await WebAssembly.compile(
    Uint8Array.from(atob(kernelBytes), (letter) => letter.charCodeAt(0)),
  );
  expect(WebAssembly.Module.imports(module)).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
  expect(WebAssembly.Module.exports(module).map(({ name }) => name)).toEqual([
    "sumOfSquares",
    "scale",
    "sgd",
    "sgdColumns",
    "adam",
    "adamColumns",
  ]);
  const memory = new WebAssembly.Memory({ initial: 1 });
  new Uint8Array(memory.buffer).fill(9);
  await WebAssembly.instantiate(module, { env: { memory } });
  expect(new Uint8Array(memory.buffer).every((byte) => byte === 9)).toBe(true);
});
