import { loadCsv } from "../csv.ts";
import { encodings, missingRules } from "../table/options.ts";
import { dataSource } from "./data-source.ts";

export const csv = dataSource({
  fields: { file: { type: "file", word: "FILE" } },
  reading: {
    label: { type: "text" },
    target: { type: "one", of: ["class", "number", "auto"] },
    header: { type: "flag" },
    delimiter: { type: "text" },
    skipRows: { type: "whole", least: 0 },
    comment: { type: "text" },
    decimal: { type: "one", of: [".", ","] },
    thousands: { type: "text" },
    encoding: { type: "one", of: encodings },
    missing: { type: "one", of: missingRules },
    drop: { type: "texts" },
    keep: { type: "texts" },
    categories: { type: "texts" },
  },
  drawn: false,
  load: async ({ file, ...reading }) => ({ train: await loadCsv(file, reading) }),
});
