// AssemblyScript, not TypeScript: compiled by scripts/build-kernel.mjs into src/engine/kernel/bytes.ts.
//
// Each formula stands here once, on four float32 lanes, and the last one to three entries of a range go
// through the same instructions one at a time: an entry's result does not depend on where it lies.
// WebAssembly rounds every float32 operation on its own (without relaxed SIMD there is no fused
// multiply-add), so the nesting below is the rounding order and a Math.fround loop gives the same bits.
// Addresses and `end` are bytes; loops compare with != so that a range may end at 4 GiB.

/** Four entries, or one in lane 0 and zeros in the others. */
@inline function read(at: usize, whole: bool): v128 {
  return whole ? v128.load(at) : v128.load32_zero(at);
}

@inline function write(at: usize, lanes: v128, whole: bool): void {
  if (whole) v128.store(at, lanes);
  else v128.store_lane<f32>(at, lanes, 0);
}

/** Σ g² in float64: entry i goes to running sum i mod 8, these are folded pairwise, the last n mod 8 follow. */
export function sumOfSquares(offset: usize, n: u32): f64 {
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  let c = f64x2.splat(0);
  let d = f64x2.splat(0);
  let at = offset;
  const end = offset + ((<usize>n & ~7) << 2);
  for (; at != end; at += 32) {
    const low = v128.load(at);
    const high = v128.load(at, 16);
    const w = f64x2.promote_low_f32x4(low);
    const x = f64x2.promote_low_f32x4(v128.shuffle<u64>(low, low, 1, 1));
    const y = f64x2.promote_low_f32x4(high);
    const z = f64x2.promote_low_f32x4(v128.shuffle<u64>(high, high, 1, 1));
    a = f64x2.add(a, f64x2.mul(w, w));
    b = f64x2.add(b, f64x2.mul(x, x));
    c = f64x2.add(c, f64x2.mul(y, y));
    d = f64x2.add(d, f64x2.mul(z, z));
  }
  const folded = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  let sum = f64x2.extract_lane(folded, 0) + f64x2.extract_lane(folded, 1);
  for (let rest = n & 7; rest != 0; rest--, at += 4) {
    const value = <f64>load<f32>(at);
    sum += value * value;
  }
  return sum;
}

/** x = x·factor. */
export function scale(offset: usize, n: u32, factor: f32): void {
  const lanes = f32x4.splat(factor);
  let at = offset;
  const end = offset + ((<usize>n & ~3) << 2);
  for (; at != end; at += 16) write(at, f32x4.mul(read(at, true), lanes), true);
  for (let rest = n & 3; rest != 0; rest--, at += 4) write(at, f32x4.mul(read(at, false), lanes), false);
}

/** g·gradientScale, plus decay·p where there is weight decay: `has` is 0 for nowhere, 1 everywhere, 2 in some lanes. */
@inline function decayed(gradient: v128, parameter: v128, gradientScale: v128, decay: v128, has: i32): v128 {
  const scaled = f32x4.mul(gradient, gradientScale);
  if (has == 0) return scaled;
  const sum = f32x4.add(scaled, f32x4.mul(decay, parameter));
  // Selected, as -0 + 0·p is not -0: a lane without decay gives the bits of a loop without.
  return has == 1 ? sum : v128.bitselect(sum, scaled, f32x4.ne(decay, f32x4.splat(0)));
}

@inline function sgdAt(
  parameter: usize, next: usize, gradient: usize, buffer: usize,
  rate: v128, keep: v128, decay: v128, gradientScale: v128, form: i32, has: i32, whole: bool,
): void {
  const p = read(parameter, whole);
  let d = decayed(read(gradient, whole), p, gradientScale, decay, has);
  if (form != 0) {
    const b = f32x4.add(f32x4.mul(keep, read(buffer, whole)), d);
    write(buffer, b, whole);
    d = form == 2 ? f32x4.add(d, f32x4.mul(keep, b)) : b;
  }
  write(next, f32x4.sub(p, f32x4.mul(rate, d)), whole);
}

@inline function sgdLoop(
  parameter: usize, next: usize, gradient: usize, buffer: usize, n: u32,
  learningRate: f32, momentum: f32, weightDecay: f32, gradientScale: f32, form: i32, has: i32,
): void {
  const rate = f32x4.splat(learningRate);
  const keep = f32x4.splat(momentum);
  const decay = f32x4.splat(weightDecay);
  const gs = f32x4.splat(gradientScale);
  let i: usize = 0;
  const end = (<usize>n & ~3) << 2;
  for (; i != end; i += 16) {
    sgdAt(parameter + i, next + i, gradient + i, buffer + i, rate, keep, decay, gs, form, has, true);
  }
  for (let rest = n & 3; rest != 0; rest--, i += 4) {
    sgdAt(parameter + i, next + i, gradient + i, buffer + i, rate, keep, decay, gs, form, has, false);
  }
}

/** SGD; form 0 is plain (the buffer is not touched), 1 momentum, 2 Nesterov. */
export function sgd(
  p: usize, next: usize, g: usize, buffer: usize, n: u32,
  rate: f32, momentum: f32, decay: f32, scale: f32, form: i32,
): void {
  // One loop for each case: a choice inside it costs as much as the arithmetic (measured: 1.6 times).
  if (decay != 0) {
    if (form == 0) sgdLoop(p, next, g, buffer, n, rate, momentum, decay, scale, 0, 1);
    else if (form == 1) sgdLoop(p, next, g, buffer, n, rate, momentum, decay, scale, 1, 1);
    else sgdLoop(p, next, g, buffer, n, rate, momentum, decay, scale, 2, 1);
  } else {
    if (form == 0) sgdLoop(p, next, g, buffer, n, rate, momentum, decay, scale, 0, 0);
    else if (form == 1) sgdLoop(p, next, g, buffer, n, rate, momentum, decay, scale, 1, 0);
    else sgdLoop(p, next, g, buffer, n, rate, momentum, decay, scale, 2, 0);
  }
}

@inline function sgdRows(
  p: usize, next: usize, g: usize, buffer: usize, rows: u32, columns: u32,
  rates: usize, momentum: f32, decays: usize, gradientScale: f32, form: i32,
): void {
  const keep = f32x4.splat(momentum);
  const gs = f32x4.splat(gradientScale);
  const end = (<usize>columns & ~3) << 2;
  for (; rows != 0; rows--) {
    let j: usize = 0;
    for (; j != end; j += 16) {
      const rate = read(rates + j, true);
      const decay = read(decays + j, true);
      sgdAt(p + j, next + j, g + j, buffer + j, rate, keep, decay, gs, form, 2, true);
    }
    for (let rest = columns & 3; rest != 0; rest--, j += 4) {
      const rate = read(rates + j, false);
      const decay = read(decays + j, false);
      sgdAt(p + j, next + j, g + j, buffer + j, rate, keep, decay, gs, form, 2, false);
    }
    p += j;
    next += j;
    g += j;
    buffer += j;
  }
}

/** The same over rows × columns entries, with a rate and a weight decay for each column. */
export function sgdColumns(
  p: usize, next: usize, g: usize, buffer: usize, rows: u32, columns: u32,
  rates: usize, momentum: f32, decays: usize, scale: f32, form: i32,
): void {
  if (form == 0) sgdRows(p, next, g, buffer, rows, columns, rates, momentum, decays, scale, 0);
  else if (form == 1) sgdRows(p, next, g, buffer, rows, columns, rates, momentum, decays, scale, 1);
  else sgdRows(p, next, g, buffer, rows, columns, rates, momentum, decays, scale, 2);
}

@inline function adamAt(
  parameter: usize, next: usize, gradient: usize, moment1: usize, moment2: usize,
  beta1: v128, rest1: v128, beta2: v128, rest2: v128, epsilon: v128,
  stepSize: v128, correction: v128, l2: v128, has: i32, decay: v128, gradientScale: v128, whole: bool,
): void {
  const p = read(parameter, whole);
  const g = decayed(read(gradient, whole), p, gradientScale, l2, has);
  const m = f32x4.add(f32x4.mul(beta1, read(moment1, whole)), f32x4.mul(rest1, g));
  // (rest2·g)·g, PyTorch's order, is finite for larger gradients than rest2·(g·g).
  const v = f32x4.add(f32x4.mul(beta2, read(moment2, whole)), f32x4.mul(f32x4.mul(rest2, g), g));
  write(moment1, m, whole);
  write(moment2, v, whole);
  const denominator = f32x4.add(f32x4.mul(f32x4.sqrt(v), correction), epsilon);
  const change = f32x4.div(f32x4.mul(stepSize, m), denominator);
  write(next, f32x4.sub(f32x4.mul(p, decay), change), whole);
}

@inline function adamLoop(
  p: usize, next: usize, g: usize, m: usize, v: usize, n: u32,
  beta1: f32, rest1: f32, beta2: f32, rest2: f32, epsilon: f32,
  l2: f32, decay: f32, gradientScale: f32, stepSize: f32, correction: f32, has: i32,
): void {
  const b1 = f32x4.splat(beta1);
  const r1 = f32x4.splat(rest1);
  const b2 = f32x4.splat(beta2);
  const r2 = f32x4.splat(rest2);
  const e = f32x4.splat(epsilon);
  const l = f32x4.splat(l2);
  const d = f32x4.splat(decay);
  const gs = f32x4.splat(gradientScale);
  const s = f32x4.splat(stepSize);
  const c = f32x4.splat(correction);
  let i: usize = 0;
  const end = (<usize>n & ~3) << 2;
  for (; i != end; i += 16) {
    adamAt(p + i, next + i, g + i, m + i, v + i, b1, r1, b2, r2, e, s, c, l, has, d, gs, true);
  }
  for (let rest = n & 3; rest != 0; rest--, i += 4) {
    adamAt(p + i, next + i, g + i, m + i, v + i, b1, r1, b2, r2, e, s, c, l, has, d, gs, false);
  }
}

/** Adam and AdamW over n entries of one age. Bound by the division and the root: unrolling gained 2 %. */
export function adam(
  p: usize, next: usize, g: usize, m: usize, v: usize, n: u32,
  b1: f32, r1: f32, b2: f32, r2: f32, epsilon: f32,
  l2: f32, decay: f32, scale: f32, step: f32, correction: f32,
): void {
  if (l2 != 0) adamLoop(p, next, g, m, v, n, b1, r1, b2, r2, epsilon, l2, decay, scale, step, correction, 1);
  else adamLoop(p, next, g, m, v, n, b1, r1, b2, r2, epsilon, l2, decay, scale, step, correction, 0);
}

@inline function adamRows(
  p: usize, next: usize, g: usize, m: usize, v: usize, rows: u32, columns: u32,
  beta1: f32, rest1: f32, beta2: f32, rest2: f32, epsilon: f32, gradientScale: f32,
  stepSizes: usize, corrections: usize, decays: usize, form: i32,
): void {
  const b1 = f32x4.splat(beta1);
  const r1 = f32x4.splat(rest1);
  const b2 = f32x4.splat(beta2);
  const r2 = f32x4.splat(rest2);
  const e = f32x4.splat(epsilon);
  const gs = f32x4.splat(gradientScale);
  const none = f32x4.splat(0);
  const one = f32x4.splat(1);
  const has = form == 1 ? 2 : 0;
  const end = (<usize>columns & ~3) << 2;
  for (; rows != 0; rows--) {
    let j: usize = 0;
    for (; j != end; j += 16) {
      const s = read(stepSizes + j, true);
      const c = read(corrections + j, true);
      const l = form == 1 ? read(decays + j, true) : none;
      const d = form == 2 ? read(decays + j, true) : one;
      adamAt(p + j, next + j, g + j, m + j, v + j, b1, r1, b2, r2, e, s, c, l, has, d, gs, true);
    }
    for (let rest = columns & 3; rest != 0; rest--, j += 4) {
      const s = read(stepSizes + j, false);
      const c = read(corrections + j, false);
      const l = form == 1 ? read(decays + j, false) : none;
      const d = form == 2 ? read(decays + j, false) : one;
      adamAt(p + j, next + j, g + j, m + j, v + j, b1, r1, b2, r2, e, s, c, l, has, d, gs, false);
    }
    p += j;
    next += j;
    g += j;
    m += j;
    v += j;
  }
}

/**
 * The same over rows × columns entries, with a step size and a correction for each column; so with form 1 an `l2`, and
 * with form 2 a `decay`, which `decays` then holds. Form 0 is without weight decay.
 */
export function adamColumns(
  p: usize, next: usize, g: usize, m: usize, v: usize, rows: u32, columns: u32,
  b1: f32, r1: f32, b2: f32, r2: f32, epsilon: f32, scale: f32,
  steps: usize, corrections: usize, decays: usize, form: i32,
): void {
  if (form == 0) adamRows(p, next, g, m, v, rows, columns, b1, r1, b2, r2, epsilon, scale, steps, corrections, decays, 0);
  else if (form == 1) adamRows(p, next, g, m, v, rows, columns, b1, r1, b2, r2, epsilon, scale, steps, corrections, decays, 1);
  else adamRows(p, next, g, m, v, rows, columns, b1, r1, b2, r2, epsilon, scale, steps, corrections, decays, 2);
}
