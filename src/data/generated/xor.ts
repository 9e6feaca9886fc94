import { checkOptionNames } from "../../tensor/known-options.ts";
import type { Dataset } from "../dataset.ts";
import { type PlanarOptions, planar, planarNames } from "./planar.ts";

/**
 * Exclusive or: points around the corners of the unit square, class 1 if exactly one coordinate is 1.
 * Defaults: 200 points, noise 0.1. Without noise every fourth point is the same corner.
 */
export function xor(options: PlanarOptions = {}): Dataset {
  checkOptionNames("xor", options, planarNames);
  const { count = 200, noise = 0.1, seed = 0 } = options;
  return planar("xor", 2, { count, noise, seed }, (index) => {
    const x = (index >> 1) & 1;
    const label = index & 1;
    return { x, y: x ^ label, label };
  });
}
