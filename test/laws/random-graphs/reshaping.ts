import type { Shape } from "../../../src/graph/dim.ts";
import { int } from "../../../src/graph/model.ts";
import type { Draft } from "./draft.ts";

/**
 * Reshapes to `to`, whose symbolic sizes are those of axes of `source`. The target is written in one of the ways that
 * exporters write it: as numbers, with 0 for a copied size and -1 for an inferred one, or computed.
 */
export function reshape(draft: Draft, x: string, to: Shape, source = x): string {
  const from = draft.shape(x);
  const symbolic = to.flatMap((size, axis) => (typeof size === "string" ? [axis] : []));
  const loose = symbolic.filter((axis) => to[axis] !== from[axis]);
  if (loose.length > 1 || draft.chance(0.3))
    return draft.as("computed Reshape", () => computed(draft, x, to, source));
  const open = loose[0] ?? (draft.chance(0.4) ? draft.below(to.length) : -1);
  const written = to.map((size, axis) => {
    if (axis === open) return -1;
    if (typeof size === "string" || (size === from[axis] && draft.chance(0.4))) return 0;
    return size;
  });
  const pattern = written.some((size) => size <= 0) ? "Reshape with 0 or -1" : "literal Reshape";
  return draft.as(pattern, () => draft.emit("Reshape", [x, draft.vector(written)]));
}

/** Shape, Gather, Unsqueeze and Concat, as exporters that trace a program write it. */
function computed(draft: Draft, x: string, to: Shape, source: string): string {
  const sizes = draft.emit("Shape", [source]);
  const shape = draft.shape(source);
  const parts = to.map((size) => {
    const axis = shape.indexOf(size);
    if (axis < 0 || (typeof size === "number" && draft.chance(0.5))) return draft.vector([size as number]);
    if (draft.chance(0.2)) {
      return draft.emit("Slice", [sizes, draft.vector([axis]), draft.vector([axis + 1]), draft.vector([0])]);
    }
    const one = draft.emit("Gather", [sizes, draft.integer(axis)], { axis: int(0) });
    return draft.emit("Unsqueeze", [one, draft.vector([0])]);
  });
  return draft.emit("Reshape", [x, draft.emit("Concat", parts, { axis: int(0) })]);
}
