import { describe, expect, it } from "vitest";
import { readGrowths } from "./growth-options.ts";

const none = { widen: [], inputs: [], outputs: [], deepen: [] };
const readWidenings = (widen: readonly string[]) => readGrowths({ ...none, widen });

describe("--widen of espalier grow", () => {
  it("reads units and factors, of one width or several", () => {
    expect(readWidenings(["fc1=+16", "fc2=x1.5,all=x2"])).toEqual([
      { width: "fc1", by: 16 },
      { width: "fc2", times: 1.5 },
      { width: "all", times: 2 },
    ]);
    expect(readWidenings([])).toEqual([]);
  });

  it("accepts names with commas and equals signs", () => {
    expect(readWidenings(["a,b=c=+1,d#2=x3"])).toEqual([
      { width: "a,b=c", by: 1 },
      { width: "d#2", times: 3 },
    ]);
  });

  it.each(["", "fc1", "fc1=16", "fc1=+", "fc1=x", "=+3", "fc1=+3,", "fc1=+1.5", "fc1=-3", "fc1=+0"])(
    "refuses %s",
    (text) => {
      expect(() => readWidenings([text])).toThrow(expect.objectContaining({ code: "USAGE" }));
    },
  );
});

describe("--vocab", () => {
  it.each([
    ["+256", { vocabulary: undefined, by: 256 }],
    ["x1.5", { vocabulary: undefined, times: 1.5 }],
    ["50432", { vocabulary: undefined, to: 50432 }],
    ["input=ids=+2", { vocabulary: "input=ids", by: 2 }],
  ])("reads %s", (vocab, growth) => expect(readGrowths({ ...none, vocab })).toEqual([growth]));

  it.each(["", "+", "ids=", "-3", "+1.5", "+0"])("refuses %s", (vocab) => {
    expect(() => readGrowths({ ...none, vocab })).toThrow(expect.objectContaining({ code: "USAGE" }));
  });
});

describe("--inputs, --outputs and --deepen", () => {
  it("come in the order in which they are carried out", () => {
    const read = readGrowths({
      widen: ["fc=+1"],
      inputs: ["+3", "x=+2"],
      outputs: ["y.1=+4"],
      deepen: ["fc=+2"],
    });
    expect(read).toEqual([
      { border: "input", by: 3 },
      { border: "input", name: "x", by: 2 },
      { border: "output", name: "y.1", by: 4 },
      { width: "fc", by: 1 },
      { deepen: "fc", by: 2 },
    ]);
  });

  it.each([
    { inputs: ["3"] },
    { inputs: ["x=3"] },
    { outputs: ["+0"] },
    { outputs: [""] },
    { deepen: ["+1"] },
    { deepen: ["fc=x2"] },
  ])("refuse %o", (given) => {
    expect(() => readGrowths({ ...none, ...given })).toThrow(expect.objectContaining({ code: "USAGE" }));
  });
});
