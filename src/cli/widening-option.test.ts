import { describe, expect, it } from "vitest";
import { readWidenings } from "./widening-option.ts";

describe("--widen of espalier grow", () => {
  it("reads units and factors, of one width or several", () => {
    expect(readWidenings(["fc1=+16", "fc2=x1.5,all=x2"])).toEqual([
      { width: "fc1", by: 16 },
      { width: "fc2", times: 1.5 },
      { width: "all", times: 2 },
    ]);
    expect(readWidenings([])).toEqual([]);
  });

  it("takes names with commas and equals signs", () => {
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
