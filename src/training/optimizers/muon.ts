import type { GraphBuilder } from "../../graph/builder.ts";
import { int, ints } from "../../graph/model.ts";
import { adamw } from "./adam.ts";
import { type GraphUpdate, optimizer } from "./optimizer.ts";

/** Coefficients of Jordan's quintic: in five steps it moves singular values between 0 and 1 close to 1. */
const [linear, cubic, quintic] = [3.4445, -4.775, 2.0315];

const isMatrix = (rank: number) => rank >= 2;

/**
 * Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon): momentum whose direction is made orthogonal, so that all
 * singular values of a step are near 1, times √(rows / columns) for tall matrices. Convolutions count as
 * matrices [filters, channels × positions]. Parameters of fewer than two axes (biases, scales) are trained by AdamW with
 * β = (0.9, 0.95), at `adamRate` times the learning rate. Jordan trains embeddings and the output layer by AdamW, too; here
 * every matrix is Muon's.
 */
export const muon = optimizer(
  "muon",
  0.02,
  {
    momentum: { default: 0.95, least: 0, below: 1, says: "the share of the momentum that a step keeps" },
    nesterov: { default: true, says: "whether the gradient is mixed with the new momentum" },
    weightDecay: {
      default: 0,
      least: 0,
      says: "the fraction of a weight, times the learning rate, that a step subtracts",
    },
    adamRate: { default: 0.015, least: 0, says: "AdamW's learning rate for vectors, as a share of Muon's" },
  },
  ({ momentum, nesterov, weightDecay, adamRate }) => {
    const forVectors = adamw({ beta2: 0.95, epsilon: 1e-10, weightDecay });
    return {
      slots: [
        { name: "momentum", degree: 1, ranks: isMatrix },
        ...forVectors.slots.map((slot) => ({ ...slot, ranks: (rank: number) => !isMatrix(rank) })),
      ],
      // The learning rate and what is left of the weight, for matrices; then AdamW's.
      factors: [
        { byAge: false, of: (_age, learningRate) => learningRate },
        { byAge: false, of: (_age, learningRate, share) => 1 - learningRate * weightDecay * share },
        ...forVectors.factors.map(({ byAge, of }) => ({
          byAge,
          of: (age: number, learningRate: number, share: number) => of(age, learningRate * adamRate, share),
        })),
      ],
      emit(update) {
        const { graph, parameter, gradient, slots, factors } = update;
        const [rate, left, ...others] = factors as [string, string, ...string[]];
        if (!isMatrix(graph.typeOf(parameter).shape.length))
          return forVectors.emit({ ...update, factors: others });
        const [old = ""] = slots;
        const mixed = (value: string) =>
          graph.emit("Add", [
            graph.emit("Mul", [value, graph.scalar(momentum)]),
            graph.emit("Mul", [gradient, graph.scalar(1 - momentum)]),
          ]);
        const next = mixed(old);
        const direction = orthogonal(update, nesterov ? mixed(next) : next);
        const kept = weightDecay === 0 ? parameter : graph.emit("Mul", [parameter, left]);
        return [graph.emit("Sub", [kept, graph.emit("Mul", [direction, rate])]), next];
      },
    };
  },
);

/** Approximately the orthogonal matrix nearest to a direction: five Newton–Schulz steps x ← (a + b·xxᵀ + c·(xxᵀ)²)x. */
function orthogonal({ graph, parameter }: GraphUpdate, direction: string): string {
  const { shape } = graph.typeOf(parameter);
  const scaled = (value: string, factor: number) => graph.emit("Mul", [value, graph.scalar(factor)]);
  const product = (a: string, b: string) => graph.emit("MatMul", [a, b]);
  const transposed = (value: string) => graph.emit("Transpose", [value], { perm: ints([1, 0]) });
  const flat = shape.length === 2 ? direction : graph.emit("Flatten", [direction], { axis: int(1) });
  const [rows, columns] = graph.typeOf(flat).shape;
  // Both products with the transpose give the same result; the smaller one is cheaper, if sizes are known.
  const tall = typeof rows === "number" && typeof columns === "number" && rows > columns;
  const squares = graph.emit("ReduceSum", [graph.emit("Mul", [flat, flat])], { keepdims: int(0) });
  const norm = graph.emit("Add", [graph.emit("Sqrt", [squares]), graph.scalar(1e-7)]);
  let x = graph.emit("Div", [flat, norm]);
  for (let step = 0; step < 5; step++) {
    const gram = tall ? product(transposed(x), x) : product(x, transposed(x));
    const polynomial = graph.emit("Add", [scaled(gram, cubic), scaled(product(gram, gram), quintic)]);
    const turned = tall ? product(x, polynomial) : product(polynomial, x);
    x = graph.emit("Add", [scaled(x, linear), turned]);
  }
  const step = graph.emit("Mul", [x, tallness(graph, flat)]);
  return shape.length === 2 ? step : graph.emit("Reshape", [step, graph.emit("Shape", [parameter])]);
}

/** √(rows / columns) of a matrix that is taller than wide, else 1, computed from its sizes at run time. */
function tallness(graph: GraphBuilder, matrix: string): string {
  const size = (axis: number) =>
    graph.emit("Cast", [graph.emit("Shape", [matrix], { start: int(axis), end: int(axis + 1) })], {
      to: int(1),
    });
  const ratio = graph.emit("Div", [size(0), size(1)]);
  return graph.emit("Sqrt", [graph.emit("Max", [ratio, graph.scalar(1)])]);
}
