import type { Model } from "../../graph/model.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { didYouMean } from "../../tensor/unknown-name.ts";
import type { Width } from "../plan/width.ts";
import { Analysis } from "./analysis.ts";

/** Every width of a model, in the order in which its producers run. */
export function findWidths(model: Model): readonly Width[] {
  return new Analysis(model).widths;
}

/** The width called `id`. Throws `UNKNOWN_WIDTH`, listing the known ones. */
export function widthOf(widths: readonly Width[], id: string): Width {
  const width = widths.find((candidate) => candidate.id === id);
  if (width !== undefined) return width;
  const growable = widths.filter((w) => w.growable).map((w) => `${w.id} (${w.size})`);
  const meant = didYouMean(
    id,
    widths.map((w) => w.id),
  );
  throw new EspalierError("UNKNOWN_WIDTH", {
    thing: "width",
    rule: "must be one of the model's",
    received: id,
    remedy: `${meant === undefined ? "" : `${meant} `}Widths that can grow: ${growable.join(", ") || "none"}.`,
  });
}

/** The width called `id` as it is now. Throws as {@link widthOf} does. */
export function widthNow(analysis: Analysis, id: string): Width {
  return analysis.find(id) ?? widthOf(analysis.widths, id);
}
