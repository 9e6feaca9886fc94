import type { GraphBuilder } from "../graph/builder.ts";
import { addDims, type Dim, evaluateDim, namesOf, productOfDims } from "../graph/dim.ts";
import { widthSizes } from "../growth/symbols.ts";
import type { Width } from "../growth/width.ts";
import { operatorOf } from "../ops/index.ts";
import { GraphCall } from "../ops/operator.ts";
import type { Program } from "./program.ts";
import { batchNames } from "./program-inputs.ts";

/** Floating-point operations of one run of a graph, as a polynomial in its named sizes: the batch, the widths, ... */
export function countFlops(graph: GraphBuilder): Dim {
  return graph.nodes.reduce<Dim>((total, node) => {
    const call = new GraphCall(graph, node);
    const rule = operatorOf(node).flops;
    return addDims(total, rule === undefined ? productOfDims(call.output(0).shape) : rule(call));
  }, 0);
}

/** What a training step costs, and with which sizes. */
export interface StepCost {
  readonly program: Program;
  /** FLOPs of the forward and backward pass, as {@link countFlops} gives them. */
  readonly flops: Dim;
  readonly widths: readonly Width[];
  /** Sizes of the inputs' named axes, such as the length of a sequence. */
  readonly sizes: ReadonlyMap<string, number>;
}

/**
 * FLOPs of one run of a graph over a batch, such as the forward and backward pass. A size that is not known counts as 1: before the first batch
 * the length of a sequence, and what a graph computes its sizes from (so that the figure is a lower bound).
 */
export function batchFlops({ program, flops, widths, sizes }: StepCost, batch: number): number {
  const known = new Map([...sizes, ...widthSizes(widths)]);
  for (const name of batchNames(program)) known.set(name, batch);
  for (const name of namesOf(flops)) if (!known.has(name)) known.set(name, 1);
  return evaluateDim(flops, known) as number;
}

/** FLOPs of a training step for one example, as the difference that one more example makes. */
export function flopsPerExample(cost: StepCost): number {
  return batchFlops(cost, 2) - batchFlops(cost, 1);
}

/** FLOPs of steps by batch size: the polynomial takes longer to evaluate than a small network to update. */
export class StepFlops {
  readonly #cost: StepCost;
  readonly #update: number;
  readonly #bySize = new Map<number, number>();

  /** `update` is what the optimiser adds. */
  constructor(cost: StepCost, update: number) {
    this.#cost = cost;
    this.#update = update;
  }

  /** Whether it counts for these widths. */
  isOf(widths: readonly Width[]): boolean {
    return this.#cost.widths === widths;
  }

  /** One training step on a batch of `size` examples, the update included. */
  of(size: number): number {
    const known = this.#bySize.get(size);
    if (known !== undefined) return known;
    const flops = batchFlops(this.#cost, size) + this.#update;
    this.#bySize.set(size, flops);
    return flops;
  }
}
