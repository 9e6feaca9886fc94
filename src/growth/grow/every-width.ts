import { EspalierError } from "../../tensor/errors.ts";
import type { Width } from "../plan/width.ts";

/** A width that was left as it is. */
export interface LeftWidth {
  readonly width: string;
  readonly reason: string;
}

/**
 * The widths that a growth of every width leaves out, with the reasons. A growth of one may move or take away others, so
 * each is asked for by its name in turn.
 */
export class LeftWidths {
  readonly #ids: readonly string[];
  readonly #left: LeftWidth[] = [];

  constructor(ids: readonly string[]) {
    this.#ids = ids;
  }

  /** Notes why a width, as it was `known`, has not grown. What is not a refusal is thrown again. */
  add(width: string, error: unknown, known: Pick<Width, "growable" | "reason"> | undefined): void {
    if (!(error instanceof EspalierError)) throw error;
    const own = known?.growable === false ? known.reason : error.rule;
    this.#left.push({
      width,
      reason: error.code === "UNKNOWN_WIDTH" ? "earlier growths took its place" : own,
    });
  }

  /** Throws `NOT_GROWABLE` if no width has grown. */
  get all(): readonly LeftWidth[] {
    const [ids, left] = [this.#ids, this.#left];
    if (left.length < ids.length) return left;
    throw new EspalierError("NOT_GROWABLE", {
      thing: "all widths",
      rule:
        ids.length === 0
          ? "needs at least one that can grow, but the model has none"
          : "none can grow this way",
      received: left.map(({ width, reason }) => `${width}: ${reason}`),
    });
  }
}
