import { spawnSync } from "node:child_process";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { platform } from "../../src/platform/node.ts";
import { Random } from "../../src/tensor/random.ts";
import { childScript } from "../child-script.ts";
import { runCli, snapshot, withFolder } from "../cli-harness.ts";
import { lawRuns } from "../laws/seed.ts";
import { tinyFolder } from "./tiny-folder.ts";

const { seed, numRuns } = lawRuns("growths of a folder killed at any moment", 8);

afterEach(() => vi.restoreAllMocks());

test("a growth that is killed leaves the old folder as it is, no part of a new one, and the next run cleans up", () =>
  withFolder(async (folder) => {
    const script = await childScript(
      import.meta.filename,
      `import { growUntil } from "./killed-child.ts";
      await growUntil(Number(process.argv[2]), process.argv[3], process.argv[4]);`,
    );
    const [old, out] = [join(folder, "old"), join(folder, "new")];
    await tinyFolder(old);
    const before = await snapshot(old);
    const grow = (last: number) =>
      spawnSync(process.execPath, [script, String(last), old, out], { encoding: "utf8" });
    const whole = grow(-1);
    expect(whole).toMatchObject({ status: 0, stderr: "" });
    const operations = Number(whole.stdout);
    const expected = await snapshot(out);
    await rm(out, { recursive: true });
    const draws = new Random(seed, "kills");
    // The last two are the rename and what follows it.
    const moments = [
      operations - 2,
      operations - 1,
      ...Array.from({ length: numRuns }, () => draws.integer(operations)),
    ];
    let leftovers = 0;
    for (const moment of moments) {
      const killed = grow(moment);
      expect([moment, killed.signal, killed.stderr]).toEqual([moment, "SIGKILL", ""]);
      expect(await snapshot(old)).toEqual(before);
      const names = await readdir(folder);
      if (names.includes("new")) {
        const found = new Map(await snapshot(out));
        found.delete(".espalier-writer");
        expect(found).toEqual(expected);
        await rm(out, { recursive: true });
      } else if (names.includes("new.tmp")) leftovers++;
    }
    expect(leftovers).toBeGreaterThan(numRuns / 3);
    expect(grow(-1)).toMatchObject({ status: 0, stderr: "" });
    expect((await readdir(folder)).sort()).toEqual(["new", "old"]);
    expect(await snapshot(out)).toEqual(expected);
    await rm(script);
  }));

test("what another run may be writing is left alone", () =>
  withFolder(async (folder) => {
    const [old, out] = [join(folder, "old"), join(folder, "new")];
    await tinyFolder(old);
    const grow = () => runCli(["grow", old, "--out", out, "--vocab", "+1", "--no-verify"]);
    for (const writer of [
      `${process.ppid} on ${platform.ownName().replace(/^\d+ on /, "")}`,
      "7 on another host",
      "?",
    ]) {
      await platform.writeFile(`${out}.tmp/.espalier-writer`, new TextEncoder().encode(writer));
      const before = await snapshot(folder);
      const { code, err } = await grow();
      expect(code).toBe(1);
      expect(err).toMatch(/another run may be writing[\s\S]*OUTPUT_EXISTS/);
      expect(await snapshot(folder)).toEqual(before);
    }
    await rm(`${out}.tmp`, { recursive: true });
    await mkdir(`${out}.tmp`);
    expect(await grow()).toMatchObject({ code: 0, err: "" });
    expect((await readdir(folder)).sort()).toEqual(["new", "old"]);
  }));

test.each([
  ["ENOSPC", /model\.safetensors must be on a disk with room[\s\S]*PLATFORM/],
  ["EDQUOT", /model\.safetensors must be within your disk quota[\s\S]*PLATFORM/],
  ["EFBIG", /model\.safetensors must be no larger[\s\S]*PLATFORM/],
])("a disk that ends with %s is said, and nothing is left", (code, message) =>
  withFolder(async (folder) => {
    const old = join(folder, "old");
    await tinyFolder(old);
    const before = await snapshot(folder);
    const { createFile } = platform;
    vi.spyOn(platform, "createFile").mockImplementation(async (path) => {
      const file = await createFile(path);
      let room = 20_000;
      return {
        ...file,
        async write(bytes) {
          room -= bytes.length;
          if (room < 0) throw Object.assign(new Error(code), { code, path });
          await file.write(bytes);
        },
      };
    });
    const { code: exit, err } = await runCli(["grow", old, "--out", join(folder, "new"), "--vocab", "+1"]);
    expect(exit).toBe(1);
    expect(err).toMatch(message);
    expect(await snapshot(folder)).toEqual(before);
  }),
);
