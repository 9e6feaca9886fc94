import type { Shape } from "../../graph/dim.ts";
import type { Graph, Value } from "../../graph/model.ts";
import { EspalierError } from "../../tensor/errors.ts";

/** The axis of the examples: the name of its size, or its number by input. */
export type BatchAxis = string | Readonly<Record<string, number>>;

/** Usual names of sizes that count examples; the clearest names first. */
const names = [/batch/i, /^(n|b|bs|bsz|examples?|samples?)$/i];

/**
 * The axis of examples of each input: the one that the caller names, else one with a usual name, else the one whose size is
 * the output's first (a recurrent model may take the sequence first), else axis 0. Throws `ARGUMENT` for an axis that no
 * input has, `SHAPE_MISMATCH` for a scalar.
 */
export function batchAxes(
  graph: Graph,
  [counted]: Shape,
  told: BatchAxis | undefined,
): ReadonlyMap<string, number> {
  const inputs = graph.inputs.filter(({ name }) => !graph.parameters.has(name));
  if (told !== undefined) refuseUnknown(inputs, told);
  return new Map(inputs.map((input) => [input.name, axisOf(input, counted, told)]));
}

function axisOf(
  { name, shape }: Value,
  counted: Shape[number] | undefined,
  told: BatchAxis | undefined,
): number {
  if (shape.length === 0) {
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: `input "${name}"`,
      rule: "needs an axis for the examples of a batch to be trained with",
      received: "a scalar",
    });
  }
  if (typeof told === "object" && told[name] !== undefined) return told[name];
  const candidates = [
    ...(typeof told === "string" ? [shape.indexOf(told)] : []),
    ...names.map((pattern) => shape.findIndex((dim) => typeof dim === "string" && pattern.test(dim))),
    typeof counted === "string" ? shape.indexOf(counted) : -1,
  ];
  return candidates.find((axis) => axis >= 0) ?? 0;
}

function refuseUnknown(inputs: readonly Value[], told: BatchAxis): void {
  const fits =
    typeof told === "string"
      ? inputs.some(({ shape }) => shape.includes(told))
      : Object.entries(told).every(([name, axis]) =>
          inputs.some((input) => input.name === name && input.shape[axis] !== undefined),
        );
  if (fits) return;
  throw new EspalierError("ARGUMENT", {
    thing: "batchAxis",
    rule: "must name an axis of the model's inputs, or give its number for an input",
    received: told,
    remedy: `Inputs: ${inputs.map(({ name, shape }) => `${name} [${shape.join(", ")}]`).join(", ")}.`,
  });
}
