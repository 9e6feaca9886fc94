import { checkOptionNames } from "../../tensor/known-options.ts";
import type { Dataset } from "../dataset.ts";
import { requireNotNegative, requirePositive } from "./checks.ts";
import { type PlanarOptions, planar, planarNames } from "./planar.ts";

export interface SpiralsOptions extends PlanarOptions {
  /** Number of arms, and so of classes; default 2. */
  readonly arms?: number;
  /** Turns of each arm; default 1. */
  readonly turns?: number;
}

/**
 * Interleaved Archimedean spirals, one class per arm, from the center to radius 1. Points are evenly spaced
 * in radius. Defaults: 600 points, noise 0.02.
 */
export function spirals(options: SpiralsOptions = {}): Dataset {
  checkOptionNames("spirals", options, { ...planarNames, arms: true, turns: true });
  const { count = 600, noise = 0.02, seed = 0, arms = 2, turns = 1 } = options;
  requirePositive({ arms });
  requireNotNegative({ turns });
  return planar("spirals", arms, { count, noise, seed }, (index) => {
    const label = index % arms;
    // Starts above zero, so that the arms do not share the center.
    const radius = (Math.floor(index / arms) + 1) / Math.ceil(count / arms);
    const angle = 2 * Math.PI * (turns * radius + label / arms);
    return { x: radius * Math.cos(angle), y: radius * Math.sin(angle), label };
  });
}
