import { expect, test } from "vitest";
import { philox, Random } from "./random.ts";

test.each([0, 1, 3, 4, 7, 64, 785])(
  "filling %i entries gives what as many single draws give, and goes on there",
  (count) => {
    const [one, many] = [new Random(7, "draws", 3), new Random(7, "draws", 3)];
    const filled = new Float32Array(count);
    many.fillUniform(filled);
    expect([...filled]).toEqual(Array.from({ length: count }, () => one.uniform()));
    expect(many.uniform()).toBe(one.uniform());
    many.fillUniform(filled);
    expect([...filled]).toEqual(Array.from({ length: count }, () => one.uniform()));
  },
);

test.each([0, 1, 3, 513, 2050])(
  "filling %i normal entries from any word gives what single draws give",
  (count) => {
    for (const word of [0, 1, 6, 2 ** 34 + 3]) {
      const [one, many] = [
        new Random(2 ** 40 + 7, "draws", 2 ** 32 + 3),
        new Random(2 ** 40 + 7, "draws", 2 ** 32 + 3),
      ];
      const filled = new Float64Array(count);
      one.seek(word);
      many.seek(word);
      many.fillNormal(filled);
      expect([...filled]).toEqual(Array.from({ length: count }, () => one.normal()));
      expect(many.uint32()).toBe(one.uint32());
    }
  },
);

/** Philox 4×32-10 as the article has it (Salmon et al., SC 2011), in big integers. */
function reference(key: readonly bigint[], counter: readonly bigint[]): number[] {
  const mask = 0xffffffffn;
  let [k0, k1] = key as [bigint, bigint];
  let [c0, c1, c2, c3] = counter as [bigint, bigint, bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const [a, b] = [0xd2511f53n * c0, 0xcd9e8d57n * c2];
    [c0, c1, c2, c3] = [(b >> 32n) ^ c1 ^ k0, b & mask, (a >> 32n) ^ c3 ^ k1, a & mask];
    k0 = (k0 + 0x9e3779b9n) & mask;
    k1 = (k1 + 0xbb67ae85n) & mask;
  }
  return [c0, c1, c2, c3].map(Number);
}

test("words are those of Philox 4×32-10", () => {
  const words = new Uint32Array(4);
  // Random123's known answer.
  philox(0, 0, 0, 0, words);
  expect([...words]).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  const halves = (number: number) => [BigInt(number) & 0xffffffffn, BigInt(number) >> 32n];
  for (const [seed, stream, low, high] of [
    [7, 0xffffffff, 2 ** 53 - 1, 5],
    [2 ** 52 + 12345, 0x8000_0001, 2 ** 33 + 77, 2 ** 40 + 0xfedcba98],
  ] as const) {
    const [k0, k1] = halves(seed) as [bigint, bigint];
    philox(seed, stream, low, high, words);
    expect([...words]).toEqual(reference([k0, BigInt(stream) ^ k1], [...halves(low), ...halves(high)]));
  }
});
