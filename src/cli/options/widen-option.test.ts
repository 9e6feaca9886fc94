import { describe, expect, it } from "vitest";
import { widenEvents } from "./widen-option.ts";

describe("--widen", () => {
  it("reads one growth and the recurring form, in order", () => {
    const widen = ["hidden1=+16@500", "conv2=+4", "hidden1=+1@0"];
    expect(widenEvents({ widen, every: "50", until: "32" })).toEqual([
      { width: "hidden1", by: 16, at: 500 },
      { width: "conv2", by: 4, every: 50, until: 32 },
      { width: "hidden1", by: 1, at: 0 },
    ]);
    expect(widenEvents({ widen: ["a.b/c=+2"], every: "3" })).toEqual([{ width: "a.b/c", by: 2, every: 3 }]);
    expect(widenEvents({ widen: [] })).toEqual([]);
  });

  it.each([
    ["hidden1=16@500", {}],
    ["hidden1+16@500", {}],
    ["=+16@500", {}],
    ["hidden1=+@5", {}],
    ["hidden1=+1.5@5", {}],
    ["hidden1=+0@5", {}],
    ["hidden1=+-3@5", {}],
    ["hidden1=+3@", {}],
    ["hidden1=+3@-1", {}],
    ["hidden1=+3", {}],
    ["hidden1=+3", { every: "0" }],
    ["hidden1=+3", { every: "x" }],
    ["hidden1=+3", { every: "5", until: "0" }],
    ["hidden1=+3@5", { every: "5" }],
    ["hidden1=+3@5", { until: "5" }],
    ["hidden1=+99999999999999999999@5", {}],
  ])("refuses %s %o", (text, more) => {
    expect(() => widenEvents({ widen: [text], ...more })).toThrow(expect.objectContaining({ code: "USAGE" }));
  });
});
