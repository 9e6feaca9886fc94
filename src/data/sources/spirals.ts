import { spirals as points } from "../generated/spirals.ts";
import { dataSource } from "./data-source.ts";

export const spirals = dataSource({
  fields: {},
  drawn: true,
  load: (_, { splitSeed }) => ({ train: points({ seed: splitSeed }) }),
});
