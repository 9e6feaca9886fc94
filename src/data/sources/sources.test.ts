import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadSource, type SourceName, withFiles } from "./index.ts";
import { parseSource, sourceForm, sourceHelp, sourceText } from "./source-text.ts";

/** A new source gets its text, its form and the shape of an example here: the compiler asks for them. */
const cases: Readonly<Record<SourceName, readonly [text: string, form: string, dims: readonly number[]]>> = {
  digits: ["digits", "digits", [64]],
  xor: ["xor", "xor", [2]],
  moons: ["moons", "moons", [2]],
  spirals: ["spirals", "spirals", [2]],
  "student-teacher": ["student-teacher:inputs=3,count=50", "student-teacher", [3]],
  mnist: ["mnist:.", "mnist:FOLDER", [2]],
  characters: ["characters:a,b.txt,context=3,count=100", "characters:FILE", [6]],
  idx: ["idx:train-images-idx3-ubyte,train-labels-idx1-ubyte", "idx:IMAGES,LABELS", [1, 1, 2]],
  csv: ["csv:rows.txt", "csv:FILE", [2]],
};

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "espalier-sources-"));
  const write = (name: string, content: string | Uint8Array) => writeFile(join(folder, name), content);
  for (const part of ["train", "t10k"]) {
    await write(
      `${part}-images-idx3-ubyte`,
      Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4),
    );
    await write(`${part}-labels-idx1-ubyte`, Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 0, 1));
  }
  await write("a,b.txt", "ab".repeat(5000));
  await write("rows.txt", "x,y,label\n1,2,a\n3,4,b\n");
});

afterAll(() => rm(folder, { recursive: true }));

describe.each(Object.entries(cases))("%s", (name, [text, form, dims]) => {
  test("is read from one text, and written back", () => {
    const source = parseSource(text);
    expect(source?.kind).toBe(name);
    expect(source && sourceText(source)).toBe(text);
    expect(sourceForm(name as SourceName)).toBe(form);
    expect(sourceHelp(name as SourceName).startsWith(form)).toBe(true);
  });

  test("loads examples", async () => {
    const source = withFiles(parseSource(text) as never, (file) => join(folder, file));
    const { train } = await loadSource(source, { seed: 1, splitSeed: 1, flat: true });
    expect(train.featureDims).toEqual(dims);
    expect(train.count).toBeGreaterThan(1);
  });
});

test.each(["", "nobody", "digits:x", "mnist", "mnist:", "idx:a", "idx:a,b,c", "student-teacher:count=0"])(
  "%j is no source",
  (text) => {
    expect(parseSource(text)).toBeUndefined();
  },
);
