import { describe, expect, test } from "vitest";
import { gunzip, isGzip } from "./gzip.ts";

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

describe("gunzip", () => {
  const plain = Uint8Array.from({ length: 100_000 }, (_, at) => (at * at) % 251);

  test("gives the bytes back", async () => {
    const packed = await gzip(plain);
    expect(isGzip(packed)).toBe(true);
    expect(isGzip(plain)).toBe(false);
    expect(await gunzip(packed)).toEqual(plain);
    expect(await gunzip(await gzip(new Uint8Array()))).toEqual(new Uint8Array());
  });

  test("stops a zip bomb at the limit and accepts what just fits", async () => {
    const bomb = await gzip(new Uint8Array(8_000_000));
    expect(bomb.length).toBeLessThan(10_000);
    await expect(gunzip(bomb, 7_999_999, "bomb.gz")).rejects.toMatchObject({
      code: "TOO_LARGE",
      thing: "bomb.gz",
    });
    expect(await gunzip(bomb, 8_000_000)).toHaveLength(8_000_000);
  });

  test("refuses cut off and corrupt bytes", async () => {
    const packed = await gzip(plain);
    const flipped = packed.slice();
    flipped[flipped.length - 6]! ^= 1;
    await expect(gunzip(packed.subarray(0, packed.length - 5))).rejects.toMatchObject({ code: "FORMAT" });
    await expect(gunzip(packed.subarray(0, 300))).rejects.toMatchObject({ code: "FORMAT" });
    await expect(gunzip(flipped)).rejects.toMatchObject({ code: "FORMAT" });
    await expect(gunzip(plain)).rejects.toMatchObject({ code: "FORMAT" });
  });
});
