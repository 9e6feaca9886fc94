import { type Feeds, Session, type SessionOptions } from "../../engine/session.ts";
import { encodeModel } from "../../formats/onnx/index.ts";
import type { Model, Value } from "../../graph/model.ts";
import { isReal } from "../../growth/real-parameter.ts";
import { UnitEntries } from "../../growth/unit-entries.ts";
import type { Width } from "../../growth/width.ts";
import { findWidths } from "../../growth/widths.ts";
import { inferTypes } from "../../ops/infer.ts";

/** New units of one width, and how many of them were ever other than zero. */
export interface WokenUnits {
  readonly width: string;
  readonly units: number;
  readonly woken: number;
}

interface Watched {
  readonly width: Width;
  readonly from: number;
  readonly awake: Set<number>;
}

/**
 * Looks at the units that one model has and another has not: whether they are ever other than zero where their outgoing
 * weights read them. Of a unit that sleeps through all inputs, nothing is known.
 */
export class NewUnitWatch {
  readonly #session: Session | undefined;
  readonly #watched: readonly Watched[];

  private constructor(session: Session | undefined, watched: readonly Watched[]) {
    this.#session = session;
    this.#watched = watched;
  }

  static async of(before: Model, after: Model, options: SessionOptions): Promise<NewUnitWatch> {
    const old = new Map(findWidths(before).map(({ id, size }) => [id, size]));
    const grown = findWidths(after).flatMap((width): Watched[] => {
      const from = old.get(width.id) ?? width.size;
      return from < width.size && width.reads.length > 0 ? [{ width, from, awake: new Set() }] : [];
    });
    if (grown.length === 0) return new NewUnitWatch(undefined, []);
    const { graph } = after;
    const types = inferTypes(graph);
    const outputs = new Map<string, Value>();
    for (const { value } of grown.flatMap(({ width }) => width.reads)) {
      const type = types.get(value);
      if (type !== undefined && isReal(type.dtype)) outputs.set(value, { name: value, ...type });
    }
    const model = { ...after, graph: { ...graph, outputs: [...outputs.values()] } };
    return new NewUnitWatch(await Session.create(encodeModel(model), options), grown);
  }

  /** Takes the inputs of the larger model. */
  async see(feeds: Feeds): Promise<void> {
    const asleep = this.#watched.filter(({ width, from, awake }) => awake.size < width.size - from);
    if (this.#session === undefined || asleep.length === 0) return;
    const values = await this.#session.run(
      feeds,
      Object.fromEntries(this.#session.outputNames.map((name) => [name, null])),
    );
    for (const { width, from, awake } of asleep) {
      for (const { value, axis, layout } of width.reads) {
        const tensor = values[value];
        if (tensor === undefined) continue;
        const part = { parameter: value, axis, layout, role: "incoming", fill: "zero" } as const;
        const entries = new UnitEntries(part, tensor, width.size);
        for (let unit = from; unit < width.size; unit++) {
          if (!awake.has(unit) && entries.of(unit).some((number) => number !== 0)) awake.add(unit);
        }
      }
    }
  }

  get told(): readonly WokenUnits[] {
    return this.#watched.map(({ width, from, awake }) => ({
      width: width.id,
      units: width.size - from,
      woken: awake.size,
    }));
  }

  async release(): Promise<void> {
    await this.#session?.release();
  }
}
