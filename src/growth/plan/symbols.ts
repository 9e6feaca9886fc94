import { addDims, type Dim, multiplyDims, type Shape } from "../../graph/dim.ts";
import { layoutSize } from "../../graph/layout.ts";
import type { Model } from "../../graph/model.ts";
import { Lists } from "./lists.ts";
import type { Width, WidthPart } from "./width.ts";

/** The symbol that stands for the size of a width in a graph. */
export function symbolOf(width: Pick<Width, "id">): string {
  return `width_${width.id.replace(/[^A-Za-z0-9_.#]/g, "_")}`;
}

/**
 * The widths whose size a compiled graph can leave open: their growth changes no node, and no other width cuts the same
 * positions in another way. The others need a new graph when they grow.
 */
export function openWidths(widths: readonly Width[]): readonly Width[] {
  const growable = widths.filter((width) => width.growable);
  const owners = new Map<string, (Width | "several" | undefined)[]>();
  for (const width of growable) for (const part of width.parts) own(ownersOn(owners, part), part, width);
  return growable.filter(
    (width) =>
      width.written.length + width.repairs.length === 0 &&
      width.parts.every((part) => {
        const all = ownersOn(owners, part);
        return positionsOf(part, width.size).every((position) => all[position] === width);
      }),
  );
}

/** The owners of each position of a part's axis. */
function ownersOn<T>(owners: Map<string, T[]>, { parameter, axis }: WidthPart): T[] {
  const key = `${axis}:${parameter}`;
  const known = owners.get(key) ?? [];
  owners.set(key, known);
  return known;
}

function own(owners: (Width | "several" | undefined)[], part: WidthPart, width: Width): void {
  for (const position of positionsOf(part, width.size)) {
    const owner = owners[position];
    owners[position] = owner === undefined || owner === width ? width : "several";
  }
}

/** The positions of an axis that belong to the width. */
function positionsOf({ layout }: WidthPart, units: number): readonly number[] {
  let at = 0;
  return layout.flatMap((block) => {
    const from = at;
    at += layoutSize([block], units);
    return "fixed" in block ? [] : Array.from({ length: at - from }, (_, index) => from + index);
  });
}

/**
 * The shape of every parameter with the sizes that can grow as symbols ("width_hidden1", "49*width_conv2"), so that
 * one compiled graph serves every width.
 */
export function symbolicShapes(model: Model, widths: readonly Width[]): ReadonlyMap<string, Shape> {
  const shapes = new Map<string, Dim[]>();
  const sides = new Lists<{ readonly width: Width; readonly part: WidthPart }>();
  for (const width of openWidths(widths)) {
    for (const part of width.parts) sides.add(part.parameter, { width, part });
  }
  for (const [name, tensor] of model.graph.parameters) {
    // Several widths may share an axis (a concatenation): what none of them covers stays a number.
    const fixed = [...tensor.dims];
    const grown: Dim[] = tensor.dims.map(() => 0);
    for (const { width, part } of sides.at(name)) {
      const { axis, layout } = part;
      const inner = layoutSize(layout, 1) - layoutSize(layout, 0);
      fixed[axis] = (fixed[axis] ?? 0) - inner * width.size;
      grown[axis] = addDims(grown[axis] ?? 0, multiplyDims(inner, symbolOf(width)));
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
