import { unitLayout } from "../../graph/layout.ts";
import type { Model } from "../../graph/model.ts";
import { opsetOf } from "../../ops/rewrites/upgrade.ts";
import type { Width } from "../plan/width.ts";
import { flowMap } from "./axis-map.ts";
import { describeWidth } from "./describe-width.ts";
import { traceWidth } from "./trace.ts";

/**
 * The axes of a model's inputs and outputs that have a fixed size, as widths: new input features that the old outputs do
 * not depend on, or new output classes next to the old ones. Named after the value, with the axis if it has several.
 * A fixed batch axis is among them, and cannot grow.
 */
export function ioWidths(model: Model, border: "input" | "output"): readonly Width[] {
  const flows = flowMap(model.graph, opsetOf(model));
  const values = border === "input" ? model.graph.inputs : model.graph.outputs;
  return values.flatMap(({ name }) => {
    const shape = flows.types.get(name)?.shape ?? [];
    const widths = shape.flatMap((units, axis): (Width & { readonly axis: number })[] => {
      if (typeof units !== "number") return [];
      const trace = traceWidth(flows, { value: name, axis, layout: unitLayout, units }, { border });
      return [{ ...describeWidth(flows, trace, { name, border }), axis }];
    });
    const growable = widths.filter((width) => width.growable);
    return widths.map(({ axis, ...width }) =>
      growable.length === 1 && width.growable ? width : { ...width, id: `${name}.${axis}` },
    );
  });
}
