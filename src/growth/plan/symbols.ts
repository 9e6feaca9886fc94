import { addDims, type Dim, multiplyDims, type Shape } from "../../graph/dim.ts";
import { layoutSize } from "../../graph/layout.ts";
import type { Model } from "../../graph/model.ts";
import type { Width, WidthPart } from "./width.ts";

/** The name by which a graph calls the size of a width. */
export function symbolOf(width: Pick<Width, "id">): string {
  return `width_${width.id.replace(/[^A-Za-z0-9_.#]/g, "_")}`;
}

/**
 * The widths whose size a compiled graph can leave open: their growth changes no node, and no other width cuts the same
 * positions in another way. The others need a new graph when they grow.
 */
export function openWidths(widths: readonly Width[]): readonly Width[] {
  const simple = widths.filter(
    ({ growable, written, repairs }) => growable && written.length === 0 && repairs.length === 0,
  );
  const growable = widths.filter((width) => width.growable);
  return simple.filter((width) => growable.every((other) => other === width || !overlap(width, other)));
}

function overlap(a: Width, b: Width): boolean {
  return a.parts.some((left) =>
    b.parts.some(
      (right) =>
        left.parameter === right.parameter && left.axis === right.axis && shareAny(a, left, b, right),
    ),
  );
}

/** Whether two widths on one axis have a position in common. */
function shareAny(a: Width, left: WidthPart, b: Width, right: WidthPart): boolean {
  const mine = positionsOf(left, a.size);
  return positionsOf(right, b.size).some((taken, position) => taken && mine[position] === true);
}

/** For each position of an axis whether it belongs to the width. */
function positionsOf({ layout }: WidthPart, units: number): readonly boolean[] {
  return layout.flatMap((block) =>
    Array.from({ length: layoutSize([block], units) }, () => !("fixed" in block)),
  );
}

/**
 * The shape of every parameter with the sizes that can grow as symbols ("width_hidden1", "49*width_conv2"), so that
 * one compiled graph serves every width.
 */
export function symbolicShapes(model: Model, widths: readonly Width[]): ReadonlyMap<string, Shape> {
  const shapes = new Map<string, Dim[]>();
  const open = openWidths(widths);
  for (const [name, tensor] of model.graph.parameters) {
    // Several widths may share an axis (a concatenation): what none of them covers stays a number.
    const fixed = [...tensor.dims];
    const grown: Dim[] = tensor.dims.map(() => 0);
    for (const width of open) {
      for (const { axis, layout } of width.parts.filter((part) => part.parameter === name)) {
        const inner = layoutSize(layout, 1) - layoutSize(layout, 0);
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
