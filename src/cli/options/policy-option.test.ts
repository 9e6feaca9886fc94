import { describe, expect, it } from "vitest";
import { readPolicy } from "../../training/policy/read-policy.ts";
import { type PolicyOptions, policyOption } from "./policy-option.ts";

const basic = { growWhen: "every=200", growUnits: "8" };

describe("the options of a growth policy", () => {
  it("give none, or a complete one", () => {
    expect(policyOption({}, "zeros")).toBeUndefined();
    const policy = policyOption(
      {
        growWhen: "plateau=50:0.01",
        growWhere: "best",
        growUnits: "25%",
        growUntil: ["parameters=50000", "flops=1e12", "hidden1=128", "seconds=60", "growths=4"],
        growTrial: "200:0.01:validation",
        growScore: "tiny",
      },
      "candidates",
    );
    expect(policy).toEqual({
      when: { plateau: { window: 50, minGain: 0.01 } },
      where: { best: "flops" },
      howMany: { fraction: 0.25 },
      stop: { parameters: 50_000, growths: 4, widths: { hidden1: 128 } },
      budget: { flops: 1e12, seconds: 60 },
      trial: { steps: 200, minGain: 0.01, loss: "validation" },
      strategy: "candidates",
      score: "tiny",
    });
    expect(readPolicy(policy)).toEqual(policy);
  });

  it.each<[PolicyOptions, object]>([
    [{ growWhen: "at=0,100,400" }, { when: { at: [0, 100, 400] } }],
    [{ growWhen: "score=100:1e-3" }, { when: { score: { every: 100, above: 1e-3 } } }],
    [{ growWhen: "budget=0.2" }, { when: { budget: { every: 0.2 } } }],
    [{ growWhere: "round-robin" }, { where: { roundRobin: "all" } }],
    [{ growWhere: "together" }, { where: { together: "all" } }],
    [{ growWhere: "layer1.conv" }, { where: { width: "layer1.conv" } }],
    [{ growWhere: "b,a" }, { where: { roundRobin: ["b", "a"] } }],
    [{ growUnits: "marginal=0.3" }, { howMany: { marginal: { share: 0.3, most: 32 } } }],
    [{ growUnits: "a=64,b=32@3" }, { howMany: { targets: { a: 64, b: 32 }, growths: 3 } }],
    [{ growTrial: "20:-0.1" }, { trial: { steps: 20, minGain: -0.1 } }],
  ])("reads %j", (options, expected) => {
    expect(policyOption({ ...basic, ...options }, undefined)).toMatchObject(expected);
  });

  it.each<[PolicyOptions, RegExp]>([
    [{ growUnits: "8" }, /--grow-units: needs --grow-when/],
    [{ growWhen: "every=5" }, /--grow-when: needs --grow-units/],
    [{ ...basic, growWhen: "sometimes" }, /--grow-when: must be one of every=STEPS, at=.*budget=SHARE/],
    [{ ...basic, growWhen: "plateu=50:0.01" }, /Did you mean plateau\?/],
    [{ ...basic, growWhen: "plateau" }, /must be of the form plateau=WINDOW:SHARE, got "plateau"/],
    [{ ...basic, growWhen: "every=0" }, /--grow-when every: must be a whole number/],
    [{ ...basic, growWhen: "every=5:2" }, /--grow-when: must be of the form every=STEPS/],
    [{ ...basic, growWhen: "plateau=50" }, /--grow-when: must be of the form plateau=WINDOW:SHARE/],
    [{ ...basic, growUnits: "many" }, /--grow-units: must be UNITS/],
    [{ ...basic, growUnits: "-5%" }, /--grow-units: must be a number above 0/],
    [
      { ...basic, growWhen: "plateau=50:2" },
      /share of --grow-when plateau: must be a number above 0 and below 1/,
    ],
    [{ ...basic, growUntil: ["flops"] }, /--grow-until: must be parameters=.*For example flops=1000/],
    [{ ...basic, growUntil: ["foo"] }, /must be parameters=.*, got "foo"\. For example foo=128/],
    [
      { ...basic, growUntil: ["parameters=9", "hidden1=4", "parameters=8"] },
      /may be given once, got "parameters=9 parameters=8"/,
    ],
    [{ ...basic, growUntil: ["hidden1=9", "hidden1=8"] }, /--grow-until hidden1: may be given once/],
    [{ ...basic, growUntil: ["parameters=lots"] }, /--grow-until parameters: must be a whole number/],
    [{ ...basic, growTrial: "200" }, /--grow-trial: must be STEPS:SHARE/],
    [{ ...basic, growScore: "magic" }, /--grow-score: must be one of candidates/],
    [{ ...basic, grow: "{}" }, /--grow: is a whole policy and excludes its parts/],
    [{ grow: "{" }, /--grow: must name a file with JSON/],
  ])("refuses %j", (options, message) => {
    expect(() => policyOption(options, undefined)).toThrow(expect.objectContaining({ code: "USAGE" }));
    expect(() => policyOption(options, undefined)).toThrow(message);
  });
});
