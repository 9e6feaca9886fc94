import { expect, test } from "vitest";
import { EspalierError } from "../tensor/errors.ts";
import { Random } from "../tensor/random.ts";
import { Arena } from "./arena.ts";

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return error instanceof EspalierError ? error.code : String(error);
  }
  return undefined;
}

test("allocations are aligned to 64 bytes, do not overlap and are within the memory", () => {
  const arena = new Arena();
  const random = new Random(1, "arena");
  let end = 0;
  for (let i = 0; i < 200; i++) {
    const bytes = random.integer(5000);
    const offset = arena.allocate(bytes);
    expect(offset % 64).toBe(0);
    expect(offset).toBeGreaterThanOrEqual(end);
    expect(offset - end).toBeLessThan(64);
    end = offset + bytes;
    expect(end).toBeLessThanOrEqual(arena.byteLength);
  }
  expect(arena.used).toBeGreaterThanOrEqual(end);
});

test("after reserve, allocating in any order keeps the views", () => {
  const arena = new Arena();
  const sizes = Array.from({ length: 3000 }, (_, i) => 1 + (i % 130));
  arena.reserve(...sizes);
  const held = arena.byteLength;
  const view = arena.float32(arena.allocate(sizes[0]!), 1);
  view[0] = 3;
  for (const bytes of sizes.slice(1).reverse()) arena.allocate(bytes);
  expect(arena.byteLength).toBe(held);
  expect(view[0]).toBe(3);
});

test("growing detaches old views and keeps the values", () => {
  const arena = new Arena();
  const offset = arena.allocate(40);
  const view = arena.float32(offset, 10).fill(2);
  arena.allocate(200_000);
  expect(view.length).toBe(0);
  expect(arena.float32(offset, 10)).toEqual(new Float32Array(10).fill(2));
});

test("reset forgets allocations and keeps the memory and its bytes", () => {
  const arena = new Arena();
  arena.allocate(64);
  const offset = arena.allocate(100_000);
  arena.float32(offset, 1)[0] = 8;
  const held = arena.byteLength;
  arena.reset();
  expect(arena.used).toBe(0);
  expect(arena.allocate(64)).toBe(0);
  expect(arena.allocate(100_000)).toBe(offset);
  expect(arena.byteLength).toBe(held);
  expect(arena.float32(offset, 1)[0]).toBe(8);
});

test("zero bytes need no space", () => {
  const arena = new Arena();
  expect(arena.allocate(0)).toBe(0);
  expect(arena.byteLength).toBe(0);
  expect(arena.float32(0, 0).length).toBe(0);
});

test("beyond 4 GiB and for sizes that are not whole numbers, refuses and changes nothing", () => {
  const arena = new Arena();
  arena.allocate(100);
  const held = arena.byteLength;
  expect(codeOf(() => arena.allocate(2 ** 32))).toBe("TOO_LARGE");
  expect(codeOf(() => arena.reserve(2 ** 31, 2 ** 31))).toBe("TOO_LARGE");
  for (const bytes of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(codeOf(() => arena.allocate(bytes))).toBe("ARGUMENT");
    expect(codeOf(() => arena.reserve(bytes))).toBe("ARGUMENT");
  }
  expect(arena.used).toBe(128);
  expect(arena.byteLength).toBe(held);
});
