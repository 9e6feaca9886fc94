import fc from "fast-check";
import { expect, test } from "vitest";
import { take } from "./axis.ts";
import { insertInPlace, removeInPlace } from "./insert.ts";
import { float32, sizeOf } from "./tensor.ts";

/** A tensor's dims, one of its axes, and for each slice of the result whether it is new. */
const cases = fc
  .tuple(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }), fc.nat())
  .chain(([dims, pick]) => {
    const axis = pick % dims.length;
    const news = fc.array(fc.nat(2), { minLength: dims[axis]! + 1, maxLength: dims[axis]! + 1 });
    return fc.record({ dims: fc.constant(dims), axis: fc.constant(axis), before: news });
  });

test("inserting in place gives what take gives, and removing undoes it", () => {
  fc.assert(
    fc.property(cases, ({ dims, axis, before }) => {
      const indices = Int32Array.from(
        before.flatMap((count, old) => [
          ...new Array<number>(count).fill(-1),
          ...(old < dims[axis]! ? [old] : []),
        ]),
      );
      const old = float32(
        dims,
        Float32Array.from({ length: sizeOf(dims) }, (_, index) => index + 1),
      );
      const wanted = take(old, axis, indices);
      const data = new Float32Array(wanted.data.length).fill(Number.NaN);
      data.set(old.data);
      expect(insertInPlace(data, dims, { axis, indices })).toEqual(wanted.dims);
      expect(data).toEqual(wanted.data);
      expect(removeInPlace(data, wanted.dims, { axis, indices })).toEqual(dims);
      expect(data.subarray(0, old.data.length)).toEqual(old.data);
    }),
  );
});
