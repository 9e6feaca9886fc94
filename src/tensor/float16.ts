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

/** The nearest binary16, ties to even; beyond 65504 infinity. */
export function toFloat16(value: number): number {
  float[0] = value;
  const sign = ((bits[0] as number) >>> 16) & 0x8000;
  if (Number.isNaN(value)) return sign | 0x7e00;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  // Below 2^-14 the spacing stays 2^-24; above, it is 2^-10 of the power of two.
  const exponent = Math.max(-14, Math.floor(Math.log2(size || 2 ** -30)));
  const steps = roundToEven(size / 2 ** (exponent - 10));
  // A carry out of the fraction moves into the exponent automatically.
  return sign | ((exponent + 14) * 1024 + steps);
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

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
