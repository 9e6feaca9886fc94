/** Words that are drawn at a time. */
const batchWords = 1024;

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
  fillUniform(into: Float32Array | Float64Array): void {
    this.#inBatches(into.length, 1, (words, from, count) => {
      for (let at = 0; at < count; at++) into[from + at] = ((words[at] as number) >>> 8) * 2 ** -24;
    });
  }

  /** Fills an array with the same values as calls of {@link normal}, but faster. */
  fillNormal(into: Float64Array): void {
    this.#inBatches(into.length, 2, (words, from, count) => {
      for (let at = 0; at < count; at++) {
        const radius = Math.sqrt(-2 * Math.log(1 - ((words[2 * at] as number) >>> 8) * 2 ** -24));
        into[from + at] = radius * Math.cos(2 * Math.PI * (((words[2 * at + 1] as number) >>> 8) * 2 ** -24));
      }
    });
  }

  /** Draws what `total` values take, `each` words a value, in batches. */
  #inBatches(
    total: number,
    each: number,
    take: (words: Uint32Array, from: number, count: number) => void,
  ): void {
    const most = batchWords / each;
    const words = new Uint32Array(Math.min(batchWords, total * each));
    for (let from = 0; from < total; from += most) {
      const count = Math.min(most, total - from);
      this.#fillWords(words, count * each);
      take(words, from, count);
    }
  }

  #fillWords(into: Uint32Array, count: number): void {
    let at = 0;
    while (at < count && this.#left > 0) into[at++] = this.uint32();
    const blocks = Math.floor((count - at) / 4);
    philoxBlocks(this.seed, this.stream, this.#counter, this.lane, into, at, blocks);
    this.#counter += blocks;
    for (at += 4 * blocks; at < count; at++) into[at] = this.uint32();
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
  philoxBlocks(seed, stream, low, high, out, 0, 1);
}

/**
 * Blocks of counters `low`, `low` + 1, … into `out` from `at` on. Products of 32 by 32 bits are put together from halves,
 * in whole numbers throughout: engines do these several times faster than floating point.
 */
function philoxBlocks(
  seed: number,
  stream: number,
  low: number,
  high: number,
  out: Uint32Array,
  at: number,
  blocks: number,
): void {
  const keyHigh = (stream ^ Math.floor(seed / 2 ** 32)) | 0;
  const laneHigh = Math.floor(high / 2 ** 32) | 0;
  for (let block = 0, to = at; block < blocks; block++, to += 4) {
    const counter = low + block;
    let c0 = counter | 0;
    let c1 = Math.floor(counter / 2 ** 32) | 0;
    let c2 = high | 0;
    let c3 = laneHigh;
    let key0 = seed | 0;
    let key1 = keyHigh;
    for (let round = 0; round < 10; round++) {
      // The high halves of 0xd2511f53 · c0 and 0xcd9e8d57 · c2.
      const low0 = c0 & 0xffff;
      const high0 = c0 >>> 16;
      const middle0 = (Math.imul(0x1f53, high0) + (Math.imul(0x1f53, low0) >>> 16)) | 0;
      const carry0 = (Math.imul(0xd251, low0) + (middle0 & 0xffff)) | 0;
      const product0 = Math.imul(0xd251, high0) + (middle0 >>> 16) + (carry0 >>> 16);
      const low2 = c2 & 0xffff;
      const high2 = c2 >>> 16;
      const middle2 = (Math.imul(0x8d57, high2) + (Math.imul(0x8d57, low2) >>> 16)) | 0;
      const carry2 = (Math.imul(0xcd9e, low2) + (middle2 & 0xffff)) | 0;
      const product2 = Math.imul(0xcd9e, high2) + (middle2 >>> 16) + (carry2 >>> 16);
      const next1 = Math.imul(0xcd9e8d57, c2);
      const next3 = Math.imul(0xd2511f53, c0);
      c0 = product2 ^ c1 ^ key0;
      c1 = next1;
      c2 = product0 ^ c3 ^ key1;
      c3 = next3;
      key0 = (key0 + 0x9e3779b9) | 0;
      key1 = (key1 + 0xbb67ae85) | 0;
    }
    out[to] = c0;
    out[to + 1] = c1;
    out[to + 2] = c2;
    out[to + 3] = c3;
  }
}
