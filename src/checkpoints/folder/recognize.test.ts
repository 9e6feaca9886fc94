import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readConfig } from "./config.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "espalier-recognize-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("a folder without config.json is refused by what it contains", () => {
  test.each([
    ["modules.json", /sentence-transformers folder/, /modules\.json names/],
    ["adapter_config.json", /adapter, not a model/, /merge_and_unload/],
    ["model-Q4_K_M.gguf", /GGUF weights/, /gguf_file/],
    ["model.safetensors", /without the config\.json/, /next to them/],
    ["notes.txt", /not a model/, /Hugging Face folder/],
  ])("%s", async (name, rule, remedy) => {
    await writeFile(join(folder, name), "{}");
    await expect(readConfig(folder)).rejects.toMatchObject({
      code: "FORMAT",
      thing: folder,
      rule: expect.stringMatching(rule),
      remedy: expect.stringMatching(remedy),
    });
  });

  test("an empty one, and one that is missing", async () => {
    await expect(readConfig(folder)).rejects.toMatchObject({ code: "FORMAT", received: "an empty folder" });
    await expect(readConfig(join(folder, "none"))).rejects.toMatchObject({ code: "FILE_MISSING" });
  });
});
