import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { platform } from "./node.ts";

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "espalier-"));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("writing a file creates its folders, several writers at once too", () =>
  withFolder(async (folder) => {
    const files = ["a/b/c/one", "a/b/c/two", "a/three"].map((name) => join(folder, name));
    await Promise.all(files.map((file) => platform.writeFile(file, Uint8Array.of(7))));
    for (const file of files) expect([...(await readFile(file))]).toEqual([7]);
    await platform.makeFolder(join(folder, "a/b"));
  }));

test("no folder is created in place of a file", () =>
  withFolder(async (folder) => {
    await writeFile(join(folder, "file"), "");
    await expect(platform.makeFolder(join(folder, "file"))).rejects.toThrow("EEXIST");
    await expect(platform.makeFolder(join(folder, "file/below"))).rejects.toThrow("ENOTDIR");
  }));

test.skipIf(process.platform !== "linux")(
  "nor where the system takes none, and the answer comes",
  async () => {
    await expect(platform.makeFolder("/proc/espalier/runs/first")).rejects.toThrow("ENOENT");
  },
);
