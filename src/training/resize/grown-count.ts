import { layoutSize } from "../../graph/layout.ts";
import type { Model } from "../../graph/model.ts";
import { widthOf } from "../../growth/find/widths.ts";
import type { Compilation } from "../compilation/compilation.ts";
import type { DueGrowth } from "../policy/growth-schedule.ts";

/**
 * Entries of the trained parameters once widths have grown by the given numbers of units. An upper bound if two widths share
 * an axis: whether their positions add up or multiply, each factor is counted in full.
 */
export function countGrown(
  { program, widths }: Pick<Compilation, "program" | "widths">,
  { graph }: Model,
  growths: readonly DueGrowth[],
): number {
  const edits = growths.flatMap((growth) => {
    const { parts, size } = widthOf(widths, growth.width);
    return parts.map((part) => ({ ...part, from: size, to: size + growth.by }));
  });
  return program.trainable.reduce((sum, name) => {
    const dims = graph.parameters.get(name)?.dims ?? [];
    const grown = dims.map((dim, axis) =>
      edits
        .filter((edit) => edit.parameter === name && edit.axis === axis)
        .reduce((now, { layout, from, to }) => {
          const more = layoutSize(layout, to) - layoutSize(layout, from);
          return Math.ceil((now * (dim + more)) / dim);
        }, dim),
    );
    return sum + grown.reduce((product, dim) => product * dim, 1);
  }, 0);
}
