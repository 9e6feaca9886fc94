import { EspalierError } from "../../tensor/errors.ts";

/** A usual way to divide parameters into groups: which group each is in. */
interface Grouping {
  readonly says: string;
  readonly groups: number;
  readonly groupOf: (name: string, rank: number) => number;
}

/** From `Trainer.get_decay_parameter_names` of transformers 5: parameters without weight decay. */
const undecayed = /bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)/;

const groupings: readonly Grouping[] = [
  { says: "one group, in the order of model.parameters()", groups: 1, groupOf: () => 0 },
  {
    says: "two groups as Trainer makes them: norms and biases in the second",
    groups: 2,
    groupOf: (name) => Number(undecayed.test(name.toLowerCase())),
  },
  {
    says: "two groups by rank: vectors in the second",
    groups: 2,
    groupOf: (_, rank) => Number(rank < 2),
  },
];

/** The parameters of each group, given the groups' sizes, and the assumption behind that. */
export function shareOut(
  names: readonly string[],
  rankOf: (name: string) => number,
  sizes: readonly number[],
): { readonly groups: readonly (readonly string[])[]; readonly assumed: string } {
  const fitting = groupings
    .filter(({ groups }) => groups === sizes.length)
    .map(({ says, groupOf }) => ({
      assumed: says,
      groups: sizes.map((_, group) => names.filter((name) => groupOf(name, rankOf(name)) === group)),
    }))
    .filter(({ groups }) => groups.every((group, at) => group.length === sizes[at]));
  const different = new Map(fitting.map((one) => [JSON.stringify(one.groups), one]));
  const [found] = fitting;
  if (found !== undefined && different.size === 1) return found;
  throw new EspalierError("FORMAT", {
    thing: "optimizer state",
    rule:
      found === undefined
        ? `must have the ${names.length} parameters of the model, in one group or in Trainer's two`
        : "must say which parameter is in which group: several ways fit",
    received: sizes,
    remedy: "Make the optimizer of model.named_parameters(), so that its state names them, and save again.",
  });
}
