const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The number that 16 bits of IEEE 754 binary16 stand for. */
export function fromFloat16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const double = new Float64Array(1);
/** Its words, the lower one first: WebAssembly and every processor that runs it are little-endian. */
const words = new Uint32Array(double.buffer);

/** The nearest binary16, ties to even; beyond 65504 infinity. Reads the bits of a binary64, so that it rounds once. */
export function toFloat16(value: number): number {
  double[0] = value;
  const low = words[0] as number;
  const high = words[1] as number;
  const sign = (high >>> 16) & 0x8000;
  const exponent = ((high >>> 20) & 0x7ff) - 1023;
  if (exponent === 1024) return sign | (Number.isNaN(value) ? 0x7e00 : 0x7c00);
  if (exponent > 15) return sign | 0x7c00;
  if (exponent < -25) return sign;
  const fraction = high & 0xfffff;
  // A carry out of the fraction moves into the exponent, from the largest number to infinity, too.
  if (exponent >= -14) return sign | (((exponent + 15) << 10) + nearest(fraction, 10, low));
  // Below 2^-14 the spacing stays 2^-24.
  return sign | nearest(fraction | 0x100000, -4 - exponent, low);
}

/** `bits` without the lowest `drop`, rounded to the nearest and ties to even; `below` is what comes after them. */
function nearest(bits: number, drop: number, below: number): number {
  const floor = bits >>> drop;
  const rest = bits & ((1 << drop) - 1);
  const half = 1 << (drop - 1);
  if (rest === half && below === 0) return floor + (floor & 1);
  return rest >= half ? floor + 1 : floor;
}

/** The number that the upper 16 bits of a binary32 stand for. */
export function fromBfloat16(half: number): number {
  bits[0] = half << 16;
  return float[0] as number;
}

/** The nearest bfloat16, ties to even. */
export function toBfloat16(value: number): number {
  float[0] = value;
  const word = bits[0] as number;
  if (Number.isNaN(value)) return (word >>> 16) | 0x40;
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}
