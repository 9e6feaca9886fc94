import { addDims, type Dim, multiplyDims, type Shape } from "../graph/dim.ts";
import type { Model } from "../graph/model.ts";
import type { Width } from "./width.ts";

/** The name by which a graph calls the size of a width. */
export function symbolOf(width: Width): string {
  return `width_${width.id.replace(/[^A-Za-z0-9_.#]/g, "_")}`;
}

/**
 * The shape of every parameter with the sizes that can grow as symbols ("width_hidden1", "49*width_conv2"), so that
 * one compiled graph serves every width.
 */
export function symbolicShapes(model: Model, widths: readonly Width[]): ReadonlyMap<string, Shape> {
  const shapes = new Map<string, Dim[]>();
  for (const [name, tensor] of model.graph.parameters) {
    // Several widths may share an axis (a concatenation): what none of them covers stays a number.
    const fixed = [...tensor.dims];
    const grown: Dim[] = tensor.dims.map(() => 0);
    for (const width of widths.filter((candidate) => candidate.growable)) {
      for (const { axis, layout } of width.parts.filter((part) => part.parameter === name)) {
        const inner = layout.reduce((sum, block) => sum + ("inner" in block ? block.inner : 0), 0);
        fixed[axis] = (fixed[axis] ?? 0) - inner * width.size;
        grown[axis] = addDims(grown[axis] ?? 0, multiplyDims(inner, symbolOf(width)));
      }
    }
    shapes.set(
      name,
      fixed.map((size, axis) => addDims(size, grown[axis] ?? 0)),
    );
  }
  return shapes;
}

/** The current size of every width, by symbol. */
export function widthSizes(widths: readonly Width[]): Map<string, number> {
  return new Map(widths.map((width) => [symbolOf(width), width.size]));
}
