import { expect, test } from "vitest";
import { JsonReader } from "./json-reader.ts";
import { readTask } from "./read-task.ts";

const task = (csv: object) =>
  readTask(
    new JsonReader(
      {
        data: { kind: "csv", file: "prices.csv", ...csv },
        network: { kind: "mlp" },
        loss: "meanSquaredError",
        batch: 32,
        split: { validation: 0.2 },
      },
      "task",
    ),
  ).data;

test("a comparison says how a CSV file is read, as the command line does", () => {
  const reading = {
    label: "price",
    target: "number",
    header: false,
    delimiter: ";",
    skipRows: 1,
    comment: "#",
    decimal: ",",
    thousands: ".",
    encoding: "latin1",
    missing: "drop",
    drop: ["id"],
    keep: ["day"],
    categories: ["zip"],
  };
  expect(task(reading)).toEqual({ kind: "csv", file: "prices.csv", ...reading });
  expect(() => task({ missing: "guess" })).toThrow(/task\.data\.missing/);
  expect(() => task({ fill: "mean" })).toThrow(/task\.data\.fill/);
});
