import { type Feeds, Session, type SessionOptions } from "../../engine/session.ts";
import { encodeModel } from "../../formats/onnx/index.ts";
import type { Model, Value } from "../../graph/model.ts";
import { identicalUnits } from "../../growth/examine/diagnose.ts";
import { findWidths } from "../../growth/find/widths.ts";
import { isReal } from "../../growth/plan/real-parameter.ts";
import { UnitEntries } from "../../growth/plan/unit-entries.ts";
import type { Width } from "../../growth/plan/width.ts";
import { inferTypes } from "../../ops/infer.ts";

/** New units of one width (but for copies of old ones), and how many of them were ever other than zero. */
export interface WokenUnits {
  readonly width: string;
  readonly units: number;
  readonly woken: number;
}

interface Watched {
  readonly width: Width;
  /** New units; copies of old ones are seen where those are. */
  readonly units: readonly number[];
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
      if (from >= width.size || width.reads.length === 0) return [];
      const alike = identicalUnits(width, after.graph.parameters);
      const copies = new Set(alike.filter((group) => group.some((unit) => unit < from)).flat());
      const added = Array.from({ length: width.size - from }, (_, index) => from + index);
      const units = added.filter((unit) => !copies.has(unit));
      return units.length === 0 ? [] : [{ width, units, awake: new Set() }];
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
    const asleep = this.#watched.filter(({ units, awake }) => awake.size < units.length);
    if (this.#session === undefined || asleep.length === 0) return;
    const values = await this.#session.run(
      feeds,
      Object.fromEntries(this.#session.outputNames.map((name) => [name, null])),
    );
    for (const { width, units, awake } of asleep) {
      for (const { value, axis, layout } of width.reads) {
        const tensor = values[value];
        if (tensor === undefined) continue;
        const part = { parameter: value, axis, layout, role: "incoming", fill: "zero" } as const;
        const entries = new UnitEntries(part, tensor, width.size);
        for (const unit of units) {
          if (!awake.has(unit) && entries.of(unit).some((number) => number !== 0 && Number.isFinite(number)))
            awake.add(unit);
        }
      }
    }
  }

  get told(): readonly WokenUnits[] {
    return this.#watched.map(({ width, units, awake }) => ({
      width: width.id,
      units: units.length,
      woken: awake.size,
    }));
  }

  async release(): Promise<void> {
    await this.#session?.release();
  }
}
