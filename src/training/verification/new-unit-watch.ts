import { type Feeds, Session, type SessionSettings } from "../../engine/session.ts";
import { encodeModel } from "../../formats/onnx/index.ts";
import type { Model, Value } from "../../graph/model.ts";
import { identicalUnits } from "../../growth/examine/diagnose.ts";
import { isReal } from "../../growth/plan/real-parameter.ts";
import { UnitEntries } from "../../growth/plan/unit-entries.ts";
import type { Width, WidthPart } from "../../growth/plan/width.ts";
import { weightsApart } from "../../models/weights-apart.ts";
import { inferTypes } from "../../ops/infer.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { WithWidths } from "./by-rule.ts";

/**
 * New units of one width, and how many of them were ever nonzero. Not counted are copies of old units, and units that are
 * always zero because all their incoming weights are.
 */
export interface WokenUnits {
  readonly width: string;
  readonly units: number;
  readonly woken: number;
  /** Those that were always zero although they have outgoing weights: awake, they would change the outputs. */
  readonly hidden: number;
}

/** Whether new units of a width could hide a difference: some would matter if awake, or none ever was. */
export function isUnseen({ units, woken, hidden }: WokenUnits): boolean {
  return hidden > 0 || (units > 0 && woken === 0);
}

interface Watched {
  readonly width: Width;
  /** New units, except those that {@link WokenUnits} leaves out. */
  readonly units: readonly number[];
  readonly awake: Set<number>;
  /** Whether a unit has outgoing weights; those of identical units may cancel. */
  readonly matters: (unit: number) => boolean;
}

/**
 * Watches the units that one model has and another lacks: whether they are ever nonzero where their outgoing weights read
 * them. Nothing is known of a unit that is zero for all inputs.
 */
export class NewUnitWatch {
  readonly #session: Session | undefined;
  /** The weights that the session takes as inputs because they are large. */
  readonly #weights: Feeds;
  readonly #watched: readonly Watched[];

  private constructor(session: Session | undefined, weights: Feeds, watched: readonly Watched[]) {
    this.#session = session;
    this.#weights = weights;
    this.#watched = watched;
  }

  static async of(
    before: Pick<WithWidths, "widths">,
    { model: after, widths }: WithWidths,
    options: SessionSettings,
  ): Promise<NewUnitWatch> {
    const old = new Map(before.widths.map(({ id, size }) => [id, size]));
    const grown = widths.flatMap((width): Watched[] => {
      const from = old.get(width.id) ?? width.size;
      if (from >= width.size || width.reads.length === 0) return [];
      const alike = identicalUnits(width, after.graph.parameters);
      const copies = new Set(alike.filter((group) => group.some((unit) => unit < from)).flat());
      const added = Array.from({ length: width.size - from }, (_, index) => from + index);
      const holdsZero = unitsOfZeros(width, after);
      const units = added.filter((unit) => !copies.has(unit) && !holdsZero(unit));
      return units.length === 0
        ? []
        : [{ width, units, awake: new Set(), matters: readUnits(width, after, alike) }];
    });
    if (grown.length === 0) return new NewUnitWatch(undefined, {}, []);
    const { graph } = after;
    const types = inferTypes(graph);
    const outputs = new Map<string, Value>();
    for (const { value } of grown.flatMap(({ width }) => width.reads)) {
      const type = types.get(value);
      if (type !== undefined && isReal(type.dtype)) outputs.set(value, { name: value, ...type });
    }
    const { model, weights } = weightsApart({
      ...after,
      graph: { ...graph, outputs: [...outputs.values()] },
    });
    // ONNX Runtime 1.30's optimizer crashes the process on a Transpose that is both an output and read by a Gemm.
    const session = await Session.create(encodeModel(model), { ...options, optimization: "disabled" });
    return new NewUnitWatch(session, weights, grown);
  }

  /** Takes the inputs of the larger model. */
  async see(feeds: Feeds): Promise<void> {
    const asleep = this.#watched.filter(({ units, awake }) => awake.size < units.length);
    if (this.#session === undefined || asleep.length === 0) return;
    const values = await this.#session.run(
      { ...feeds, ...this.#weights },
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
    return this.#watched.map(({ width, units, awake, matters }) => ({
      width: width.id,
      units: units.length,
      woken: awake.size,
      hidden: units.filter((unit) => !awake.has(unit) && matters(unit)).length,
    }));
  }

  async release(): Promise<void> {
    await this.#session?.release();
  }
}

/** Finds units whose incoming weights and shifts are all zero, as zero padding makes them: they are always zero. */
function unitsOfZeros(width: Width, model: Model): (unit: number) => boolean {
  const making = entriesOf(width, model, ({ role }) => role !== "outgoing" && role !== "scale");
  const isZero = (entries: UnitEntries, unit: number) => entries.of(unit).every((number) => number === 0);
  return (unit) => making.length > 0 && making.every((entries) => isZero(entries, unit));
}

/** Finds units whose outgoing weights, summed over those that are `alike`, are not all zero. */
function readUnits(
  width: Width,
  model: Model,
  alike: readonly (readonly number[])[],
): (unit: number) => boolean {
  const reading = entriesOf(width, model, ({ role }) => role === "outgoing");
  return (unit) => {
    const group = alike.find((units) => units.includes(unit)) ?? [unit];
    return reading.some((entries) => {
      const weights = group.map((one) => entries.of(one));
      return weights[0]?.some((_, at) => weights.reduce((sum, own) => sum + (own[at] as number), 0) !== 0);
    });
  };
}

function entriesOf({ parts, size }: Width, { graph }: Model, wanted: (part: WidthPart) => boolean) {
  return parts
    .filter(wanted)
    .map((part) => new UnitEntries(part, graph.parameters.get(part.parameter) as Tensor, size));
}
