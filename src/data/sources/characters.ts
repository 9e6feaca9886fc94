import { characters as draw } from "../characters.ts";
import { dataSource } from "./data-source.ts";

export const characters = dataSource({
  fields: {
    file: { type: "file", word: "FILE" },
    context: { type: "whole", default: 8 },
    count: { type: "whole" },
  },
  drawn: true,
  load({ file, context, count = 20_000 }, { train = count, validation = 0.2, splitSeed }) {
    const share = validation === "train" ? train : validation;
    const held = share < 1 ? Math.round(share * train) : share;
    return draw(file, { context, train, held, seed: splitSeed });
  },
});
