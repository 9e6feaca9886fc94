import { describe, expect, it } from "vitest";
import { nearest, unknownName } from "./unknown-name.ts";

const losses = ["crossEntropy", "tokenCrossEntropy", "binaryCrossEntropy", "meanSquaredError"];

describe("a name that is not known", () => {
  it("is answered with the name that was meant", () => {
    for (const [typed, names, meant] of [
      ["mse", losses, "meanSquaredError"],
      ["bce", losses, "binaryCrossEntropy"],
      ["CE", losses, "crossEntropy"],
      ["cross_entrpy", losses, "crossEntropy"],
      ["meanSquared", losses, "meanSquaredError"],
      ["digit", ["digits", "xor", "moons"], "digits"],
      ["moon", ["digits", "xor", "moons"], "moons"],
      ["adma", ["sgd", "adam", "adamw"], "adam"],
      ["hiden1", ["hidden1", "hidden2"], "hidden1"],
      ["rr", ["together", "round-robin"], "round-robin"],
      ["plateu", ["every", "at", "plateau"], "plateau"],
      ["sgdm", ["adam", "sgd"], "sgd"],
    ] as const) {
      expect(nearest(typed, names), typed).toBe(meant);
    }
  });

  it("is not given a name that has nothing to do with it", () => {
    for (const typed of ["", "x", "huber", "a"]) expect(nearest(typed, losses), typed).toBeUndefined();
    expect(nearest("price", ["area", "rooms"])).toBeUndefined();
  });

  it("lists the known ones, and more", () => {
    const error = unknownName("USAGE", "--loss", "mse", losses, "Or write your own.");
    expect(error.rule).toBe(`must be one of ${losses.join(", ")}`);
    expect(error.remedy).toBe("Did you mean meanSquaredError? Or write your own.");
    expect(unknownName("USAGE", "--loss", 5, losses).remedy).toBe("Choose one of these.");
    expect(unknownName("USAGE", "--loss", 5, []).remedy).toBeUndefined();
  });
});
