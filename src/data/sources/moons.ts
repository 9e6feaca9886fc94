import { twoMoons } from "../generated/two-moons.ts";
import { dataSource } from "./data-source.ts";

export const moons = dataSource({
  fields: {},
  drawn: true,
  load: (_, { splitSeed }) => ({ train: twoMoons({ seed: splitSeed }) }),
});
