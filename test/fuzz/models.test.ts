import { expect, test } from "vitest";
import { Random } from "../../src/tensor/random.ts";
import { lawRuns } from "../laws/seed.ts";
import { campaign } from "./campaign.ts";
import { isMessage, type Message, parse, serialize } from "./message.ts";
import { mutate } from "./mutate.ts";
import { run } from "./pipeline.ts";
import { seeds, seedsFrom } from "./seeds.ts";

const { seed, numRuns } = lawRuns("mutated models", 5000);

/** ESPALIER_FUZZ_MODELS names a folder of ONNX files to use as seeds as well. */
const folder = process.env.ESPALIER_FUZZ_MODELS;
const starts = folder === undefined ? seeds : [...seeds, ...seedsFrom(folder)];

function bytesOf(index: number): Uint8Array {
  const random = new Random(seed, "fuzz", index);
  const [model, donor] = [starts[random.integer(starts.length)], starts[random.integer(starts.length)]];
  return mutate(model as Message, donor as Message, random);
}

test("the seeds are as intended: they can be read, grown, and parsed without change", () => {
  for (const model of seeds) {
    const bytes = serialize(model);
    expect(run(bytes)).toEqual({ stage: "grown", error: undefined });
    expect(serialize(parse(bytes, "Model"))).toEqual(bytes);
    expect(model.entries.some(({ value }) => isMessage(value))).toBe(true);
  }
});

test(
  "a mutated model is read, typed, searched, grown and written, or refused with a typed error",
  () =>
    campaign(
      {
        seed,
        numRuns,
        maxGrowth: 2 ** 30,
        expected: ["grown", "nothing, then FORMAT", "nothing, then INVALID_MODEL"],
      },
      (index) => {
        const { stage, error } = run(bytesOf(index));
        return error === undefined ? stage : `${stage}, then ${error.code}`;
      },
    ),
  30 * 60_000,
);
