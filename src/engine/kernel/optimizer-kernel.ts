import { EspalierError } from "../../tensor/errors.ts";
import { kernelBytes } from "./bytes.ts";

/**
 * Where the float32 arrays of one parameter are: byte offsets into the kernel's memory, multiples of 4
 * (16 or more is faster). `next` receives the new values: the parameter itself, or another array, so that
 * the old values outlive a bad step. Apart from that, arrays must not overlap.
 */
export interface KernelAddresses {
  readonly parameter: number;
  readonly next: number;
  readonly gradient: number;
  /** Adam's first moment; SGD's momentum buffer. */
  readonly moment1: number;
  /** Adam's second moment; SGD does not use it. */
  readonly moment2: number;
}

export interface SgdScalars {
  readonly learningRate: number;
  /** 0 for none: the buffer is then neither read nor written. */
  readonly momentum: number;
  readonly nesterov: boolean;
  /** L2 weight decay, added to the gradient; 0 for none. */
  readonly weightDecay: number;
  /** Multiplies the gradient first: 1, or what clipping asks for. */
  readonly gradientScale: number;
}

/** Byte offsets of two float32 vectors: the {@link SgdScalars} of each column. */
export interface SgdPerColumn {
  readonly learningRates: number;
  readonly weightDecays: number;
}

export interface AdamScalars {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** L2 weight decay, added to the gradient (Adam); 0 for none. */
  readonly l2: number;
  /** Multiplies the parameter (AdamW): 1 − learningRate·weightDecay; 1 for none. */
  readonly decay: number;
  /** Multiplies the gradient first: 1, or what clipping asks for. */
  readonly gradientScale: number;
}

/** The bias corrections of entries that are all `t` steps old. */
export interface OneAge {
  /** learningRate / (1 − β₁ᵗ). */
  readonly stepSize: number;
  /** 1 / √(1 − β₂ᵗ). */
  readonly correction: number;
}

/**
 * Byte offsets of float32 vectors: the {@link OneAge} and {@link AdamScalars} of each column.
 */
export interface AdamPerColumn {
  readonly stepSizes: number;
  readonly corrections: number;
  /** The `l2` of each column, if there is such weight decay; not together with `decays`. */
  readonly l2s?: number | undefined;
  /** The `decay` of each column, if there is such weight decay. */
  readonly decays?: number | undefined;
}

type Arrays = [parameter: number, next: number, gradient: number, moment1: number, moment2: number];
type Betas = [beta1: number, rest1: number, beta2: number, rest2: number, epsilon: number];

interface KernelExports {
  sumOfSquares(offset: number, n: number): number;
  scale(offset: number, n: number, factor: number): void;
  sgd(
    ...args: [
      ...[parameter: number, next: number, gradient: number, buffer: number, n: number],
      ...[rate: number, momentum: number, decay: number, gradientScale: number, form: number],
    ]
  ): void;
  sgdColumns(
    ...args: [
      ...[parameter: number, next: number, gradient: number, buffer: number, rows: number, columns: number],
      ...[rates: number, momentum: number, decays: number, gradientScale: number, form: number],
    ]
  ): void;
  adam(
    ...args: [
      ...[...Arrays, n: number, ...Betas],
      ...[l2: number, decay: number, gradientScale: number, step: number, correction: number],
    ]
  ): void;
  adamColumns(
    ...args: [
      ...[...Arrays, rows: number, columns: number, ...Betas, gradientScale: number],
      ...[steps: number, corrections: number, decays: number, form: number],
    ]
  ): void;
}

/**
 * Updates float32 parameters in one SIMD pass over a WebAssembly memory. Scalars are rounded to float32
 * (1 − β after the float64 subtraction); every float32 operation is rounded on its own, in the order that the
 * formulas give, whatever the position of the entry: a `Math.fround` loop gives the same bits.
 * Follows PyTorch's `torch.optim.SGD`, `Adam` and `AdamW`. The memory may grow between calls.
 *
 * Every method throws `ARGUMENT` if an array is not within the memory.
 */
export class OptimizerKernel {
  readonly memory: WebAssembly.Memory;
  readonly #exports: KernelExports;

  private constructor(memory: WebAssembly.Memory, exports: KernelExports) {
    this.memory = memory;
    this.#exports = exports;
  }

  /** A kernel that works in `memory`, which must not be shared between threads. */
  static async create(memory: WebAssembly.Memory): Promise<OptimizerKernel> {
    const bytes = Uint8Array.from(atob(kernelBytes), (letter) => letter.charCodeAt(0));
    const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
    return new OptimizerKernel(memory, instance.exports as unknown as KernelExports);
  }

  /**
   * Σ x² over `n` entries, each product exact and summed in float64, always in the same order. Not finite
   * if and only if an entry is not: float32 squares cannot overflow float64.
   */
  sumOfSquares(offset: number, n: number): number {
    this.#check("sumOfSquares", n, [offset]);
    return this.#exports.sumOfSquares(offset, n);
  }

  /** x = x·factor, in place. */
  scale(offset: number, n: number, factor: number): void {
    this.#check("scale", n, [offset]);
    this.#exports.scale(offset, n, factor);
  }

  /**
   * d = g·gradientScale + weightDecay·p (the second term only if there is decay);
   * with momentum: b = momentum·b + d, and d = nesterov ? d + momentum·b : b; next = p − learningRate·d.
   * A buffer of zeros is PyTorch's first step; dampening is 0.
   */
  sgd(addresses: Omit<KernelAddresses, "moment2">, n: number, scalars: SgdScalars): void {
    const { parameter, next, gradient, moment1 } = addresses;
    const { learningRate, momentum, nesterov, weightDecay, gradientScale } = scalars;
    const form = momentum === 0 ? 0 : nesterov ? 2 : 1;
    this.#check("sgd", n, form === 0 ? [parameter, next, gradient] : [parameter, next, gradient, moment1]);
    const { sgd } = this.#exports;
    sgd(parameter, next, gradient, moment1, n, learningRate, momentum, weightDecay, gradientScale, form);
  }

  /** The same for a row-major [rows, columns] array whose columns differ in learning rate and weight decay. */
  sgdColumns(
    addresses: Omit<KernelAddresses, "moment2">,
    rows: number,
    columns: number,
    scalars: Omit<SgdScalars, "learningRate" | "weightDecay"> & SgdPerColumn,
  ): void {
    const { parameter: p, next, gradient: g, moment1: b } = addresses;
    const { learningRates, weightDecays, momentum, nesterov, gradientScale: scale } = scalars;
    const form = momentum === 0 ? 0 : nesterov ? 2 : 1;
    this.#check("sgdColumns", rows * columns, form === 0 ? [p, next, g] : [p, next, g, b]);
    this.#check("sgdColumns", columns, [learningRates, weightDecays]);
    const { sgdColumns } = this.#exports;
    sgdColumns(p, next, g, b, rows, columns, learningRates, momentum, weightDecays, scale, form);
  }

  /**
   * g′ = g·gradientScale + l2·p (the second term only if l2 ≠ 0); m = β₁·m + (1 − β₁)·g′;
   * v = β₂·v + ((1 − β₂)·g′)·g′; next = p·decay − (stepSize·m) / (√v·correction + epsilon).
   */
  adam(addresses: KernelAddresses, n: number, scalars: AdamScalars & OneAge): void {
    const { parameter: p, next, gradient: g, moment1: m, moment2: v } = addresses;
    const { beta1: b1, beta2: b2, epsilon, l2, decay, gradientScale: scale, stepSize, correction } = scalars;
    const { adam } = this.#exports;
    this.#check("adam", n, [p, next, g, m, v]);
    // Spelled out: spread arguments cost more than the update of a small parameter.
    adam(p, next, g, m, v, n, b1, 1 - b1, b2, 1 - b2, epsilon, l2, decay, scale, stepSize, correction);
  }

  /** The same for a row-major [rows, columns] array whose columns differ in age. */
  adamColumns(
    addresses: KernelAddresses,
    rows: number,
    columns: number,
    scalars: Omit<AdamScalars, "l2" | "decay"> & AdamPerColumn,
  ): void {
    const { parameter: p, next, gradient: g, moment1: m, moment2: v } = addresses;
    const { beta1: b1, beta2: b2, epsilon: e, gradientScale: scale } = scalars;
    const { stepSizes: steps, corrections, l2s, decays } = scalars;
    const form = l2s !== undefined ? 1 : decays !== undefined ? 2 : 0;
    const own = l2s ?? decays ?? steps;
    this.#check("adamColumns", rows * columns, [p, next, g, m, v]);
    this.#check("adamColumns", columns, [steps, corrections, own]);
    const { adamColumns } = this.#exports;
    // biome-ignore format: as the kernel lists them
    adamColumns(
      p, next, g, m, v, rows, columns, b1, 1 - b1, b2, 1 - b2, e, scale, steps, corrections, own, form,
    );
  }

  /** The kernel itself checks nothing, and a trap halfway would leave half-updated parameters. */
  #check(method: string, n: number, offsets: readonly number[]): void {
    const size = this.memory.buffer.byteLength;
    const counts = Number.isInteger(n) && n >= 0;
    // Not `for of`: after many growths this runs hundreds of times a step, and iterators are garbage.
    for (let index = 0; index < offsets.length; index++) {
      const offset = offsets[index] as number;
      if (counts && offset >= 0 && offset % 4 === 0 && offset + 4 * n <= size) continue;
      throw new EspalierError("ARGUMENT", {
        thing: `optimizer kernel, ${method}`,
        rule: `needs whole counts and offsets that are multiples of 4, within a memory of ${size} bytes`,
        received: { offset, n },
        remedy: "Allocate the arrays in the arena that the kernel was created with.",
      });
    }
  }
}
