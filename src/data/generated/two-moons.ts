import { checkOptionNames } from "../../tensor/known-options.ts";
import type { Dataset } from "../dataset.ts";
import { type PlanarOptions, planar, planarNames } from "./planar.ts";

/**
 * Two interleaved half circles of radius 1: class 0 above, around (0, 0); class 1 below, around (1, 0.5).
 * Points are evenly spaced along each. Defaults: 500 points, noise 0.1.
 */
export function twoMoons(options: PlanarOptions = {}): Dataset {
  checkOptionNames("twoMoons", options, planarNames);
  const { count = 500, noise = 0.1, seed = 0 } = options;
  return planar("twoMoons", 2, { count, noise, seed }, (index) => {
    const label = index % 2;
    const points = Math.floor((count - label + 1) / 2);
    const angle = (Math.PI * Math.floor(index / 2)) / Math.max(1, points - 1);
    return label === 0
      ? { x: Math.cos(angle), y: Math.sin(angle), label }
      : { x: 1 - Math.cos(angle), y: 0.5 - Math.sin(angle), label };
  });
}
