import type { Feeds } from "../../engine/session.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import { addDims, type Dim, evaluateDim, namesOf, productOfDims } from "../../graph/dim.ts";
import { widthSizes } from "../../growth/plan/symbols.ts";
import type { Width } from "../../growth/plan/width.ts";
import { newGraph, rulesOrNone } from "../../ops/index.ts";
import { GraphCall } from "../../ops/rules/operator.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import { slotsOf } from "../optimizers/optimizer.ts";
import type { Program } from "./program.ts";
import { batchNames, feedSizes } from "./program-inputs.ts";

/** Floating-point operations of one run of a graph, as a polynomial in its named sizes: the batch, the widths, ... */
export function countFlops(graph: GraphBuilder): Dim {
  return graph.nodes.reduce<Dim>((total, node) => {
    const call = new GraphCall(graph, node);
    const rule = rulesOrNone(node).flops;
    return addDims(total, rule === undefined ? productOfDims(call.output(0).shape) : rule(call));
  }, 0);
}

/** The cost of a training step, and the sizes that it depends on. */
export interface StepCost {
  readonly program: Program;
  /** FLOPs of the forward and backward pass, as {@link countFlops} gives them. */
  readonly flops: Dim;
  readonly widths: readonly Width[];
  /** Sizes of the inputs' named axes, such as the length of a sequence. */
  readonly sizes: ReadonlyMap<string, number>;
}

/**
/**
 * FLOPs of one run of a graph over a batch, such as the forward and backward pass. A size that is not known counts as 1:
 * the length of a sequence before the first batch, or sizes that the graph computes from data (so that the figure is a lower
 * bound).
 */
export function batchFlops({ program, flops, widths, sizes }: StepCost, batch: number): number {
  const known = new Map([...sizes, ...widthSizes(widths)]);
  for (const name of batchNames(program)) known.set(name, batch);
  for (const name of namesOf(flops)) if (!known.has(name)) known.set(name, 1);
  return evaluateDim(flops, known) as number;
}

/** FLOPs that one more example adds to a training step. */
export function flopsPerExample(cost: StepCost): number {
  return batchFlops(cost, 2) - batchFlops(cost, 1);
}

/** The cost of a training step of a compiled model, on batches like this one. */
export function costOf(compiled: Omit<StepCost, "sizes">, batch: Feeds = {}): StepCost {
  return { ...compiled, sizes: feedSizes(compiled.program, batch) };
}

/** FLOPs of one update of a parameter of this shape; a kernel is charged the same as the reference graph. */
export function updateFlops(optimizer: Optimizer, shape: readonly number[]): number {
  const graph = newGraph();
  const input = (name: string, dims: readonly number[]) =>
    graph.input(name, { dtype: "float32", shape: dims });
  optimizer.emit({
    graph,
    parameter: input("parameter", shape),
    gradient: input("gradient", shape),
    slots: slotsOf(optimizer, shape.length).map(({ name }) => input(`slot ${name}`, shape)),
    factors: optimizer.factors.map((_, index) => input(`factor ${index}`, [])),
  });
  return countFlops(graph) as number;
}

/** FLOPs of steps by batch size: the polynomial takes longer to evaluate than a small network to update. */
export class StepFlops {
  readonly #optimizer: Optimizer;
  /** FLOPs of the update by shape. */
  readonly #updates = new Map<string, number>();
  readonly #bySize = new Map<number, number>();
  #widths: readonly Width[] | undefined;

  constructor(optimizer: Optimizer) {
    this.#optimizer = optimizer;
  }

  /** Discards the cached figures: other data may have other lengths. */
  forget(): void {
    this.#widths = undefined;
  }

  /** One training step on a batch of `size` examples like `batch`, the update included. */
  of(
    size: number,
    compiled: Omit<StepCost, "sizes"> & { readonly learner: { readonly variables: Feeds } },
    batch?: Feeds,
  ): number {
    if (this.#widths !== compiled.widths) this.#bySize.clear();
    this.#widths = compiled.widths;
    const known = this.#bySize.get(size);
    if (known !== undefined) return known;
    const { variables } = compiled.learner;
    const update = compiled.program.trainable.reduce(
      (sum, name) => sum + this.#update(variables[name]?.dims ?? []),
      0,
    );
    const flops = batchFlops(costOf(compiled, batch), size) + update;
    this.#bySize.set(size, flops);
    return flops;
  }

  #update(shape: readonly number[]): number {
    const key = shape.join();
    const known = this.#updates.get(key) ?? updateFlops(this.#optimizer, shape);
    this.#updates.set(key, known);
    return known;
  }
}
