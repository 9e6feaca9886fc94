import { expect, test } from "vitest";
import { updateFlops } from "../graphs/flops.ts";
import { adam, adamw } from "./adam.ts";
import { lion } from "./lion.ts";
import { muon } from "./muon.ts";
import type { Optimizer } from "./optimizer.ts";
import { rmsprop } from "./rmsprop.ts";
import { sgd } from "./sgd.ts";

/** FLOPs of one update of one entry, counted by hand. */
const elementwise: readonly (readonly [string, Optimizer, number])[] = [
  ["sgd", sgd(), 2],
  ["sgd, weight decay", sgd({ weightDecay: 0.1 }), 4],
  ["momentum", sgd({ momentum: 0.9 }), 4],
  ["nesterov, weight decay", sgd({ momentum: 0.9, nesterov: true, weightDecay: 0.1 }), 8],
  ["adam", adam(), 13],
  ["adam, weight decay", adam({ weightDecay: 0.1 }), 15],
  ["adamw", adamw(), 14],
  ["adamw, no weight decay", adamw({ weightDecay: 0 }), 13],
  ["lion", lion(), 9],
  ["rmsprop", rmsprop(), 9],
];

test.each(elementwise)("FLOPs per entry are those of the graph: %s", (_, optimizer, perEntry) => {
  expect(updateFlops(optimizer, [5, 7])).toBe(35 * perEntry);
});

test("matrix products count what they cost: five Newton-Schulz steps of Muon", () => {
  const products = 5 * (2 * 8 * 8 * 32 + 2 * 8 * 8 * 8 + 2 * 8 * 8 * 32);
  const elements = updateFlops(muon(), [8, 32]) - products;
  expect(elements).toBeGreaterThan(0);
  expect(elements).toBeLessThan(0.2 * products);
  expect(updateFlops(muon(), [32])).toBe(32 * updateFlops(adamw({ weightDecay: 0 }), [1]));
});
