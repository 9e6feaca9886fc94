import { xor as points } from "../generated/xor.ts";
import { dataSource } from "./data-source.ts";

export const xor = dataSource({
  fields: {},
  drawn: true,
  load: (_, { splitSeed }) => ({ train: points({ seed: splitSeed }) }),
});
