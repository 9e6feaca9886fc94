import { expect, test } from "vitest";
import { charactersOf } from "./characters.ts";
import type { Dataset } from "./dataset.ts";

/** The text at every position is unique: a counter in base 10, so that a window shows where it comes from. */
const text = Array.from({ length: 4000 }, (_, index) => String(index).padStart(5, "0")).join("");
const options = { context: 10, train: 300, held: 50, seed: 4 };

/** The window and the next character of an example, read back from its one-hot rows. */
function read({ features, labels, classNames }: Dataset, row: number): string {
  const letters = classNames as readonly string[];
  const window = Array.from({ length: 10 }, (_, at) => {
    const start = (row * 10 + at) * letters.length;
    const hot = features.subarray(start, start + letters.length);
    expect(hot.reduce((sum, value) => sum + value, 0)).toBe(1);
    return letters[hot.indexOf(1)];
  });
  return window.join("") + letters[labels?.[row] as number];
}

test("an example is a window of the text and the character after it", () => {
  const { train } = charactersOf(text, options);
  expect(train.classes).toBe(10);
  expect(train.featureDims).toEqual([100]);
  for (let row = 0; row < train.count; row++) expect(text).toContain(read(train, row));
});

test("no character of one part is in a window of another", () => {
  const parts = charactersOf(text, options);
  const taken = new Map<number, string>();
  for (const [name, part] of Object.entries(parts)) {
    for (let row = 0; row < part.count; row++) {
      const from = text.indexOf(read(part, row));
      for (let place = from; place < from + 11; place++) {
        expect(taken.get(place) ?? name).toBe(name);
        taken.set(place, name);
      }
    }
  }
});

test("the same seed draws the same examples, another seed others", () => {
  expect(charactersOf(text, options)).toEqual(charactersOf(text, options));
  const other = charactersOf(text, { ...options, seed: 5 });
  expect(other.train.features).not.toEqual(charactersOf(text, options).train.features);
});

test("a text that is too short is refused", () => {
  expect(() => charactersOf("short", options)).toThrow(/positions with 10 characters/);
  expect(() => charactersOf(text, { ...options, train: 1e6 })).toThrow(/fewer examples/);
});
