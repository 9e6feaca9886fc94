import fc from "fast-check";
import type { Model } from "../../src/graph/model.ts";
import { float } from "../../src/graph/model.ts";
import { type ActivationName, activation, activationNames } from "../../src/nn/activation.ts";
import { batchNorm } from "../../src/nn/batch-norm.ts";
import { cnn } from "../../src/nn/cnn.ts";
import { conv2d } from "../../src/nn/conv2d.ts";
import { dropout } from "../../src/nn/dropout.ts";
import type { Layer } from "../../src/nn/layer.ts";
import { linear } from "../../src/nn/linear.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { averagePool, flatten, globalAveragePool, maxPool } from "../../src/nn/pooling.ts";
import { sequential } from "../../src/nn/sequential.ts";

/** A description of a network, as plain data that fast-check can print. */
export interface Architecture {
  /** One example: [features] or [channels, side, side]. */
  readonly input: readonly number[];
  readonly layers: readonly LayerSpec[];
  readonly seed: number;
}

export type LayerSpec =
  | { readonly kind: "linear"; readonly units: number; readonly bias: boolean }
  | {
      readonly kind: "conv";
      readonly filters: number;
      readonly kernel: number;
      readonly stride: number;
      readonly padding: number;
      readonly dilation: number;
      readonly bias: boolean;
    }
  | { readonly kind: "activation"; readonly name: ActivationName }
  /** A leaky ReLU whose slope is a power of two, so that it is exact. */
  | { readonly kind: "halfSlope"; readonly slope: number }
  | { readonly kind: "batchNorm"; readonly epsilon: number }
  | { readonly kind: "dropout"; readonly ratio: number }
  | { readonly kind: "maxPool" | "averagePool"; readonly size: number; readonly padding: number }
  | { readonly kind: "globalAveragePool" | "flatten" };

export function layerOf(spec: LayerSpec): Layer {
  switch (spec.kind) {
    case "linear":
      return linear(spec.units, { bias: spec.bias });
    case "conv": {
      const { kind: _, filters, ...options } = spec;
      return conv2d(filters, options);
    }
    case "activation":
      return activation(spec.name);
    case "halfSlope":
      return {
        kind: "leakyRelu",
        build: ({ graph, name }, input) =>
          graph.emit("LeakyRelu", [input], { alpha: float(spec.slope) }, name),
      };
    case "batchNorm":
      // Without epsilon the law is exact, as long as steps do not change the running statistics.
      return batchNorm({ epsilon: spec.epsilon, momentum: spec.epsilon === 0 ? 1 : 0.9 });
    case "dropout":
      return dropout(spec.ratio);
    case "maxPool":
      return maxPool(spec.size, { padding: spec.padding });
    case "averagePool":
      return averagePool(spec.size, { padding: spec.padding });
    case "globalAveragePool":
      return globalAveragePool();
    case "flatten":
      return flatten();
  }
}

export function build({ input, layers, seed }: Architecture): Model {
  return sequential(input, layers.map(layerOf), { seed });
}

export interface ArchitectureLimits {
  /** Piecewise-linear activations, powers of two in every mean: exact for small integers. */
  readonly exact: boolean;
  /** The most units of a hidden layer. */
  readonly units: number;
}

const unit = (limits: ArchitectureLimits) => fc.integer({ min: 1, max: limits.units });

function activationSpec(limits: ArchitectureLimits): fc.Arbitrary<LayerSpec> {
  return limits.exact
    ? fc.oneof(
        fc.constant<LayerSpec>({ kind: "activation", name: "relu" }),
        fc.constantFrom(0.5, 0.25).map((slope): LayerSpec => ({ kind: "halfSlope", slope })),
      )
    : fc.constantFrom(...activationNames).map((name): LayerSpec => ({ kind: "activation", name }));
}

/** The layers that may be between a producer and its consumer, in any order. */
function between(limits: ArchitectureLimits): fc.Arbitrary<readonly LayerSpec[]> {
  const norm: LayerSpec = { kind: "batchNorm", epsilon: limits.exact ? 0 : 1e-5 };
  return fc
    .tuple(activationSpec(limits), fc.boolean(), fc.boolean(), fc.constantFrom(0.25, 0.5), fc.boolean())
    .map(([act, normalized, dropped, ratio, normFirst]) => {
      const layers = normalized ? (normFirst ? [norm, act] : [act, norm]) : [act];
      return dropped ? [...layers, { kind: "dropout", ratio } satisfies LayerSpec] : layers;
    });
}

function linearBlock(limits: ArchitectureLimits): fc.Arbitrary<readonly LayerSpec[]> {
  return fc
    .tuple(unit(limits), fc.boolean(), between(limits))
    .map(([units, bias, rest]) => [{ kind: "linear", units, bias } satisfies LayerSpec, ...rest]);
}

/** A convolution, what follows it, and perhaps a pool, on an image of `side` pixels; at most one halving. */
function convBlock(
  limits: ArchitectureLimits,
  side: number,
): fc.Arbitrary<readonly [readonly LayerSpec[], number]> {
  const shape = fc.record({
    kernel: fc.constantFrom(1, 2, 3),
    stride: fc.constantFrom(1, 2),
    dilation: fc.constantFrom(1, 2),
    padding: fc.constantFrom(0, 1),
  });
  const pool = fc.constantFrom<"none" | "maxPool" | "averagePool">("none", "maxPool", "averagePool");
  return fc
    .tuple(unit(limits), fc.boolean(), shape, between(limits), pool, fc.constantFrom(0, 1), fc.boolean())
    .map(([filters, bias, { kernel, stride, dilation, padding }, rest, kind, poolPadding, poolFirst]) => {
      const reach = (s: number, p: number, d: number) =>
        Math.floor((side + 2 * p - d * (kernel - 1) - 1) / s) + 1;
      const fits = reach(stride, padding, dilation) >= 2;
      const used = fits ? { stride, padding, dilation } : { stride: 1, padding: 1, dilation: 1 };
      const after = reach(used.stride, used.padding, used.dilation);
      const conv: LayerSpec = { kind: "conv", filters, kernel, bias, ...used };
      if (kind === "none" || after < 2) return [[conv, ...rest], after] as const;
      const pooled: LayerSpec = { kind, size: 2, padding: poolPadding };
      const left = Math.floor((after + 2 * poolPadding - 2) / 2) + 1;
      return [poolFirst ? [conv, pooled, ...rest] : [conv, ...rest, pooled], left] as const;
    });
}

function outputLayer(): fc.Arbitrary<LayerSpec> {
  return fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.boolean())
    .map(([units, bias]) => ({ kind: "linear", units, bias }) as const);
}

function multilayer(limits: ArchitectureLimits): fc.Arbitrary<Architecture> {
  return fc
    .record({
      features: fc.integer({ min: 1, max: 9 }),
      blocks: fc.array(linearBlock(limits), { minLength: 1, maxLength: 3 }),
      output: outputLayer(),
      seed: fc.nat(1e6),
    })
    .map(({ features, blocks, output, seed }) => ({
      input: [features],
      layers: [...blocks.flat(), output],
      seed,
    }));
}

function convolutional(limits: ArchitectureLimits): fc.Arbitrary<Architecture> {
  return fc
    .record({
      channels: fc.integer({ min: 1, max: 3 }),
      side: fc.integer({ min: 4, max: 8 }),
      deep: fc.boolean(),
      global: fc.boolean(),
      hidden: fc.array(linearBlock(limits), { maxLength: 1 }),
      output: outputLayer(),
      seed: fc.nat(1e6),
    })
    .chain(({ channels, side, deep, global, hidden, output, seed }) =>
      convBlock(limits, side)
        .chain(([first, left]) =>
          deep && left >= 2
            ? convBlock(limits, left).map(([second, rest]) => [[...first, ...second], rest] as const)
            : fc.constant([first, left] as const),
        )
        .map(([convolutions, left]) => {
          // A mean over the whole image is exact if its area is a power of two.
          const whole = global && (!limits.exact || Number.isInteger(Math.log2(left)));
          const head: LayerSpec[] = whole
            ? [{ kind: "globalAveragePool" }, { kind: "flatten" }]
            : [{ kind: "flatten" }];
          return {
            input: [channels, side, side],
            layers: [...convolutions, ...head, ...hidden.flat(), output],
            seed,
          };
        }),
    );
}

/** Random networks of linear and convolution layers with everything that may be between them. */
export function architectures(limits: ArchitectureLimits): fc.Arbitrary<Architecture> {
  return fc.oneof(multilayer(limits), convolutional(limits));
}

/** The ready-made builders, with random options. */
export const readyMade: fc.Arbitrary<() => Model> = fc.oneof(
  fc
    .record({
      sizes: fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 3, maxLength: 5 }),
      activation: fc.constantFrom(...activationNames),
      batchNorm: fc.boolean(),
      dropout: fc.constantFrom(0, 0.3),
      seed: fc.nat(1e6),
    })
    .map(({ sizes, ...options }) =>
      readable(`mlp(${JSON.stringify([sizes, options])})`, () => mlp(sizes, options)),
    ),
  fc
    .record({
      input: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom(8, 9), fc.constantFrom(8, 10)),
      filters: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 2 }),
      hidden: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 1 }),
      classes: fc.integer({ min: 2, max: 4 }),
      activation: fc.constantFrom(...activationNames),
      batchNorm: fc.boolean(),
      dropout: fc.constantFrom(0, 0.3),
      seed: fc.nat(1e6),
    })
    .map((options) => readable(`cnn(${JSON.stringify(options)})`, () => cnn(options))),
);

function readable(text: string, make: () => Model): () => Model {
  return Object.assign(make, { [fc.toStringMethod]: () => text });
}

/** Growths to come: which of the growable widths (modulo their number), and by how many units. */
export const growthSequence = (
  longest: number,
): fc.Arbitrary<readonly { readonly pick: number; readonly by: number }[]> =>
  fc.array(fc.record({ pick: fc.nat(5), by: fc.integer({ min: 1, max: 7 }) }), {
    minLength: 1,
    maxLength: longest,
  });
