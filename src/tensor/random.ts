/**
 * Philox 4×32-10, a counter-based generator (Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011). Draw `n` of stream `s` under seed `k` is a pure function of (k, s, n): there is no
 * hidden state, so a run resumes from its counters alone.
 */
export class Random {
  readonly seed: number;
  readonly stream: number;
  readonly lane: number;
  /** Next counter: four 32-bit words come from each. */
  #counter = 0;
  #buffer = new Uint32Array(4);
  #left = 0;

  /**
   * `stream` may be a number or a name; a name is hashed (FNV-1a) into a 32-bit stream. `lane` separates the
   * users of one stream (an epoch, a unit): lanes never overlap.
   */
  constructor(seed: number, stream: number | string = 0, lane = 0) {
    this.seed = seed;
    this.lane = lane;
    this.stream = typeof stream === "number" ? stream : hashName(stream);
  }

  uint32(): number {
    if (this.#left === 0) {
      philox(this.seed, this.stream, this.#counter++, this.lane, this.#buffer);
      this.#left = 4;
    }
    return this.#buffer[4 - this.#left--] as number;
  }

  /** Moves to draw number `word`, as if that many words had been drawn. */
  seek(word: number): void {
    this.#counter = Math.floor(word / 4);
    this.#left = 0;
    for (let skipped = word % 4; skipped > 0; skipped--) this.uint32();
  }

  /** Uniform in [0, 1) with 24 bits, so that every draw is exact in float32. */
  uniform(): number {
    return (this.uint32() >>> 8) * 2 ** -24;
  }

  /** Fills an array with the same values as calls of {@link uniform}, but faster. */
  fillUniform(into: Float32Array): void {
    const whole = into.length - (into.length % 4);
    if (this.#left > 0) {
      for (let index = 0; index < into.length; index++) into[index] = this.uniform();
      return;
    }
    const block = this.#buffer;
    for (let index = 0; index < whole; index += 4) {
      philox(this.seed, this.stream, this.#counter++, this.lane, block);
      into[index] = ((block[0] as number) >>> 8) * 2 ** -24;
      into[index + 1] = ((block[1] as number) >>> 8) * 2 ** -24;
      into[index + 2] = ((block[2] as number) >>> 8) * 2 ** -24;
      into[index + 3] = ((block[3] as number) >>> 8) * 2 ** -24;
    }
    for (let index = whole; index < into.length; index++) into[index] = this.uniform();
  }

  /** Standard normal (Box–Muller; one draw of two is kept so that draws do not depend on call history). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Uniform integer in [0, bound), unbiased (Lemire's rejection). */
  integer(bound: number): number {
    const threshold = (2 ** 32 - bound) % bound;
    for (;;) {
      const product = BigInt(this.uint32()) * BigInt(bound);
      if (Number(product & 0xffffffffn) >= threshold) return Number(product >> 32n);
    }
  }

  /** A permutation of 0..n-1 (Fisher–Yates). */
  permutation(n: number): Uint32Array {
    return this.#shuffleEnd(n, n - 1);
  }

  /** `count` different numbers of 0..n-1, or all of them in random order if there are no more. */
  sample(n: number, count: number): Uint32Array {
    return this.#shuffleEnd(n, Math.min(count, n)).slice(-count);
  }

  /** 0..n-1 with the last `count` positions drawn from all, in time that grows with `count`. */
  #shuffleEnd(n: number, count: number): Uint32Array {
    const order = new Uint32Array(n);
    for (let index = 0; index < n; index++) order[index] = index;
    for (let last = n - 1; last > Math.max(0, n - 1 - count); last--) {
      const pick = Math.floor(((this.uint32() + this.uint32() * 2 ** -32) * (last + 1)) / 2 ** 32);
      const kept = order[last] as number;
      order[last] = order[pick] as number;
      order[pick] = kept;
    }
    return order;
  }
}

export function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** One Philox block: four 32-bit words for key (seed, stream) and counter (low, high), into `out`. */
export function philox(seed: number, stream: number, low: number, high: number, out: Uint32Array): void {
  let key0 = seed >>> 0;
  let key1 = (stream ^ Math.floor(seed / 2 ** 32)) >>> 0;
  let c0 = low >>> 0;
  let c1 = Math.floor(low / 2 ** 32) >>> 0;
  let c2 = high >>> 0;
  let c3 = Math.floor(high / 2 ** 32) >>> 0;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = (high1 ^ c1 ^ key0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ key1) >>> 0;
    c3 = low0 >>> 0;
    key0 = (key0 + 0x9e3779b9) >>> 0;
    key1 = (key1 + 0xbb67ae85) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** The high 32 bits of a 32×32-bit product. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = (middle & 0xffff) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0;
}
