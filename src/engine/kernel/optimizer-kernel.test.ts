import { beforeAll, describe, expect, test } from "vitest";
import { EspalierError } from "../../tensor/errors.ts";
import { Random } from "../../tensor/random.ts";
import {
  type AdamScalars,
  type KernelAddresses,
  OptimizerKernel,
  type SgdScalars,
} from "./optimizer-kernel.ts";

const f = Math.fround;
const names = ["parameter", "next", "gradient", "moment1", "moment2"] as const;
type Arrays = Record<(typeof names)[number], Float32Array>;

let kernel: OptimizerKernel;
let memory: WebAssembly.Memory;
beforeAll(async () => {
  memory = new WebAssembly.Memory({ initial: 1 });
  kernel = await OptimizerKernel.create(memory);
});

/** Values of many sizes: zeros of both signs, subnormals, and normal draws from 1e-6 to 1e6. */
function draw(random: Random, n: number): Float32Array {
  return Float32Array.from({ length: n }, () => {
    const kind = random.integer(20);
    if (kind === 0) return 0;
    if (kind === 1) return -0;
    if (kind === 2) return random.normal() * 1e-41;
    return random.normal() * 10 ** (random.integer(13) - 6);
  });
}

function drawArrays(random: Random, n: number): Arrays {
  const arrays = Object.fromEntries(names.map((name) => [name, draw(random, n)])) as Arrays;
  return { ...arrays, moment2: arrays.moment2.map(Math.abs) };
}

/** Puts the arrays into the memory one after another, `gap` floats apart, so that most are unaligned. */
function place(arrays: Arrays, { gap, inPlace }: { gap: number; inPlace: boolean }): KernelAddresses {
  const addresses: Partial<Record<(typeof names)[number], number>> = {};
  let at = 64;
  for (const name of names) {
    addresses[name] = at;
    view(at, arrays[name].length).set(arrays[name]);
    at += (arrays[name].length + gap) * 4;
  }
  const { parameter, next, gradient, moment1, moment2 } = addresses as Required<typeof addresses>;
  return { parameter, next: inPlace ? parameter : next, gradient, moment1, moment2 };
}

/** Addresses of entry `i` of placed arrays. */
function oneOf(arrays: KernelAddresses, i: number): KernelAddresses {
  const at = (offset: number) => offset + 4 * i;
  return {
    parameter: at(arrays.parameter),
    next: at(arrays.next),
    gradient: at(arrays.gradient),
    moment1: at(arrays.moment1),
    moment2: at(arrays.moment2),
  };
}

const view = (offset: number, n: number) => new Float32Array(memory.buffer, offset, n);
const bits = (values: Float32Array) => Array.from(new Uint32Array(values.slice().buffer));

function expectSame(
  addresses: KernelAddresses,
  expected: Pick<Arrays, "next" | "moment1" | "moment2">,
  n: number,
) {
  for (const name of ["next", "moment1", "moment2"] as const) {
    expect(bits(view(addresses[name], n)), name).toEqual(bits(expected[name]));
  }
}

/** What differs between the columns of an array: for entry `i` its scalars. */
type Of<Scalars> = (i: number) => Partial<Scalars>;

/** One rounding for each operation, in the order that the kernel's docstring gives. */
function sgdReference(arrays: Arrays, common: SgdScalars, of: Of<SgdScalars> = () => ({})): Arrays {
  const next = new Float32Array(arrays.parameter.length);
  const moment1 = arrays.moment1.slice();
  for (let i = 0; i < next.length; i++) {
    const s = { ...common, ...of(i) };
    const p = arrays.parameter[i]!;
    let d = f(arrays.gradient[i]! * f(s.gradientScale));
    if (s.weightDecay !== 0) d = f(d + f(f(s.weightDecay) * p));
    if (s.momentum !== 0) {
      const b = f(f(f(s.momentum) * moment1[i]!) + d);
      moment1[i] = b;
      d = s.nesterov ? f(d + f(f(s.momentum) * b)) : b;
    }
    next[i] = f(p - f(f(s.learningRate) * d));
  }
  return { ...arrays, next, moment1 };
}

function adamReference(
  arrays: Arrays,
  common: AdamScalars,
  age: (i: number) => [number, number],
  of: Of<AdamScalars> = () => ({}),
): Arrays {
  const next = new Float32Array(arrays.parameter.length);
  const moment1 = arrays.moment1.slice();
  const moment2 = arrays.moment2.slice();
  for (let i = 0; i < next.length; i++) {
    const [stepSize, correction] = age(i);
    const s = { ...common, ...of(i) };
    const p = arrays.parameter[i]!;
    let g = f(arrays.gradient[i]! * f(s.gradientScale));
    if (s.l2 !== 0) g = f(g + f(f(s.l2) * p));
    const m = f(f(f(s.beta1) * moment1[i]!) + f(f(1 - s.beta1) * g));
    const v = f(f(f(s.beta2) * moment2[i]!) + f(f(f(1 - s.beta2) * g) * g));
    const denominator = f(f(f(Math.sqrt(v)) * f(correction)) + f(s.epsilon));
    next[i] = f(f(p * f(s.decay)) - f(f(f(stepSize) * m) / denominator));
    moment1[i] = m;
    moment2[i] = v;
  }
  return { ...arrays, next, moment1, moment2 };
}

const adamOf = (random: Random): AdamScalars => ({
  beta1: 0.8 + 0.2 * random.uniform(),
  beta2: 0.9 + 0.1 * random.uniform(),
  epsilon: 1e-8,
  l2: random.integer(2) * 0.01,
  decay: random.integer(2) === 0 ? 1 : 1 - 1e-3 * random.uniform(),
  gradientScale: random.integer(2) === 0 ? 1 : random.uniform(),
});

describe("bit for bit the float32 reference, sizes 0 to 200", () => {
  const random = new Random(1, "kernel");

  test("sgd: plain, momentum, Nesterov, with and without decay", () => {
    for (let n = 0; n <= 200; n++) {
      for (const [momentum, nesterov] of [
        [0, false],
        [0.9, false],
        [0.9, true],
      ] as const) {
        for (const weightDecay of [0, 0.01]) {
          const scalars = { learningRate: 0.1, momentum, nesterov, weightDecay, gradientScale: 0.3 };
          const arrays = drawArrays(random, n);
          const addresses = place(arrays, { gap: random.integer(4), inPlace: random.integer(2) === 0 });
          kernel.sgd(addresses, n, scalars);
          expectSame(addresses, sgdReference(arrays, scalars), n);
        }
      }
    }
  });

  test("adam, and every array that is only read keeps its values", () => {
    for (let n = 0; n <= 200; n++) {
      const arrays = drawArrays(random, n);
      const addresses = place(arrays, { gap: 1 + random.integer(4), inPlace: n % 2 === 0 });
      const scalars = { ...adamOf(random), stepSize: random.uniform(), correction: 1 + random.uniform() };
      kernel.adam(addresses, n, scalars);
      expectSame(
        addresses,
        adamReference(arrays, scalars, () => [scalars.stepSize, scalars.correction]),
        n,
      );
      expect(bits(view(addresses.gradient, n))).toEqual(bits(arrays.gradient));
      if (n % 2 === 1) expect(bits(view(addresses.parameter, n))).toEqual(bits(arrays.parameter));
    }
  });

  test("sgdColumns: each entry is updated as by sgd alone", () => {
    for (let columns = 1; columns <= 40; columns++) {
      for (const [momentum, nesterov] of [
        [0, false],
        [0.9, false],
        [0.9, true],
      ] as const) {
        const rows = 1 + random.integer(5);
        const n = rows * columns;
        const arrays = drawArrays(random, n);
        const addresses = place(arrays, { gap: random.integer(4), inPlace: columns % 2 === 0 });
        const rates = Float32Array.from({ length: columns }, () => random.uniform());
        const decays = Float32Array.from({ length: columns }, () => random.integer(2) * random.uniform());
        view(60_000, columns).set(rates);
        view(62_004, columns).set(decays);
        const scalars = { momentum, nesterov, gradientScale: 0.3 };
        const perColumn = { learningRates: 60_000, weightDecays: 62_004 };
        kernel.sgdColumns(addresses, rows, columns, { ...scalars, ...perColumn });
        const of = (i: number) => ({ learningRate: rates[i % columns]!, weightDecay: decays[i % columns]! });
        const expected = sgdReference(arrays, { ...scalars, learningRate: 0, weightDecay: 0 }, of);
        expectSame(addresses, expected, n);

        const alone = place(arrays, { gap: 0, inPlace: true });
        for (let i = 0; i < n; i++) kernel.sgd(oneOf(alone, i), 1, { ...scalars, ...of(i) });
        expectSame(alone, expected, n);
      }
    }
  });

  test("adamColumns: each entry is updated as by adam alone", () => {
    for (const decaying of ["none", "l2", "decay"] as const) {
      for (let columns = 1; columns <= 40; columns++) {
        const rows = 1 + random.integer(5);
        const n = rows * columns;
        const arrays = drawArrays(random, n);
        const addresses = place(arrays, { gap: random.integer(4), inPlace: columns % 2 === 0 });
        const stepSizes = Float32Array.from({ length: columns }, () => random.uniform());
        const corrections = Float32Array.from({ length: columns }, () => 1 + 30 * random.uniform());
        // Some columns are exempt: no L2 factor, no decay of the weight.
        const decays = Float32Array.from({ length: columns }, () =>
          random.integer(2) === 0 ? Number(decaying === "decay") : random.uniform(),
        );
        view(60_000, columns).set(stepSizes);
        view(62_004, columns).set(corrections);
        view(63_204, columns).set(decays);
        const scalars = { ...adamOf(random), l2: 0, decay: 1 };
        kernel.adamColumns(addresses, rows, columns, {
          ...scalars,
          stepSizes: 60_000,
          corrections: 62_004,
          l2s: decaying === "l2" ? 63_204 : undefined,
          decays: decaying === "decay" ? 63_204 : undefined,
        });
        const age = (i: number): [number, number] => [stepSizes[i % columns]!, corrections[i % columns]!];
        const of = (i: number): Partial<AdamScalars> =>
          decaying === "none" ? {} : { [decaying]: decays[i % columns]! };
        const expected = adamReference(arrays, scalars, age, of);
        expectSame(addresses, expected, n);

        const alone = place(arrays, { gap: 0, inPlace: true });
        for (let i = 0; i < n; i++) {
          const [stepSize, correction] = age(i);
          kernel.adam(oneOf(alone, i), 1, { ...scalars, ...of(i), stepSize, correction });
        }
        expectSame(alone, expected, n);
      }
    }
  });

  test("scale and sumOfSquares", () => {
    for (let n = 0; n <= 200; n++) {
      const values = draw(random, n);
      view(68, n).set(values);
      const sums = new Float64Array(8);
      const whole = n - (n % 8);
      values.subarray(0, whole).forEach((x, i) => {
        sums[i % 8]! += x * x;
      });
      // The kernel's lanes: sums 0, 2, 4, 6 are in lane 0 of four vectors and 1, 3, 5, 7 in lane 1.
      const fold = (lane: number) => sums[lane]! + sums[lane + 2]! + (sums[lane + 4]! + sums[lane + 6]!);
      let expected = fold(0) + fold(1);
      for (const x of values.subarray(whole)) expected += x * x;
      expect(kernel.sumOfSquares(68, n)).toBe(expected);

      kernel.scale(68, n, 0.1);
      expect(bits(view(68, n))).toEqual(bits(values.map((x) => f(x * f(0.1)))));
    }
  });
});

test("nothing beyond a range is written, whatever its length", () => {
  const random = new Random(2, "kernel");
  for (let n = 1; n <= 20; n++) {
    const arrays = drawArrays(random, n);
    new Float32Array(memory.buffer).fill(7);
    const addresses = place(arrays, { gap: 4, inPlace: false });
    kernel.adam(addresses, n, { ...adamOf(random), stepSize: 0.1, correction: 1 });
    for (const name of names) {
      expect(view(addresses[name] - 16, 4)).toEqual(Float32Array.of(7, 7, 7, 7));
      expect(view(addresses[name] + 4 * n, 4)).toEqual(Float32Array.of(7, 7, 7, 7));
    }
  }
});

test("sumOfSquares is not finite if and only if a value is not", () => {
  for (const n of [1, 7, 8, 9, 64, 67]) {
    for (let i = 0; i < n; i++) {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const values = view(64, n).fill(1);
        values[i] = bad;
        expect(Number.isFinite(kernel.sumOfSquares(64, n))).toBe(false);
      }
    }
    view(64, n).fill(3.4028234663852886e38);
    expect(Number.isFinite(kernel.sumOfSquares(64, n))).toBe(true);
  }
});

test("the memory may grow between calls, and the new bytes are reached", async () => {
  const own = new WebAssembly.Memory({ initial: 1 });
  const grown = await OptimizerKernel.create(own);
  new Float32Array(own.buffer).fill(1);
  expect(grown.sumOfSquares(0, 16_384)).toBe(16_384);
  own.grow(31);
  const last = 32 * 65_536 - 4 * 10;
  new Float32Array(own.buffer, last, 10).fill(2);
  expect(grown.sumOfSquares(last, 10)).toBe(40);
  expect(grown.sumOfSquares(0, 16_384)).toBe(16_384);
  const addresses = { parameter: last, next: last, gradient: 0, moment1: 64 };
  const scalars = { learningRate: 0.5, momentum: 0, nesterov: false, weightDecay: 0, gradientScale: 1 };
  grown.sgd(addresses, 10, scalars);
  expect(new Float32Array(own.buffer, last, 10)).toEqual(new Float32Array(10).fill(1.5));
});

test("arrays outside the memory are refused before anything is written", () => {
  const end = memory.buffer.byteLength;
  for (const [offset, n] of [
    [end - 12, 4],
    [-4, 1],
    [2, 1],
    [0, 1.5],
    [0, -1],
    [Number.NaN, 1],
  ] as const) {
    expect(() => kernel.scale(offset, n, 2)).toThrow(EspalierError);
  }
  const inside = { parameter: 0, next: 0, gradient: 64, moment1: 128 };
  view(0, 1)[0] = 5;
  const scalars = { ...adamOf(new Random(3)), stepSize: 1, correction: 1 };
  expect(() => kernel.adam({ ...inside, moment2: end }, 1, scalars)).toThrow(/multiples of 4, within/);
  for (const bad of [{ corrections: end }, { corrections: 0, l2s: end }, { corrections: 0, decays: -4 }]) {
    expect(() =>
      kernel.adamColumns({ ...inside, moment2: 192 }, 1, 4, { ...scalars, stepSizes: 0, ...bad }),
    ).toThrow(/multiples of 4, within/);
  }
  const plain = { momentum: 0, nesterov: false, gradientScale: 1, learningRates: 0, weightDecays: end };
  expect(() => kernel.sgdColumns(inside, 1, 4, plain)).toThrow(/multiples of 4, within/);
  expect(view(0, 1)[0]).toBe(5);
});
