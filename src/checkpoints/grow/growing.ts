import { layoutSize } from "../../graph/layout.ts";
import { fillOrder } from "../../growth/grow/apply.ts";
import { planGrowth } from "../../growth/plan/plan.ts";
import type { Strategy } from "../../growth/plan/strategy.ts";
import type { MethodName, Width, WidthPart } from "../../growth/plan/width.ts";
import type { DType } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Anchor, Family, Structure } from "../architecture/structure.ts";
import { type Checkpoint, shapesOf } from "../checkpoint.ts";
import type { Config } from "../folder/config.ts";
import type { Renumbering } from "../folder/generation.ts";
import { type byCopies, Finder } from "./finder.ts";

/** What is done to one tensor, as plain JSON. */
export type Stage =
  | {
      readonly kind: "widen";
      readonly edit: WidthPart;
      readonly from: number;
      readonly to: number;
      readonly offset: number;
    }
  /** Groups of `inner` slices of an axis, from slice `first` to `end`, each `times` times, next to itself. */
  | {
      readonly kind: "repeat";
      readonly axis: number;
      readonly inner: number;
      readonly times: number;
      readonly first: number;
      readonly end: number;
    }
  /** (x + offset) · factor - offset */
  | { readonly kind: "scale"; readonly factor: number; readonly offset: number }
  | { readonly kind: "constant"; readonly value: number }
  /** Each entry of axis 1 is multiplied by `parts` in one of as many copies, which is drawn, and by 0 in the others. */
  | { readonly kind: "share"; readonly part: number; readonly parts: number; readonly draws: string }
  /** Other rows altogether, N(0, deviation²). */
  | { readonly kind: "fresh"; readonly rows: number; readonly deviation: number }
  /** New rows at the end, N(0, deviation²). */
  | { readonly kind: "rows"; readonly by: number; readonly deviation: number };

/** A tensor of the new folder: where it comes from and what is done to it. */
export interface GrownTensor {
  readonly name: string;
  readonly source: string;
  readonly dims: readonly number[];
  readonly dtype: DType;
  readonly stages: readonly Stage[];
}

/** One thing that was done, for people. */
export interface Step {
  readonly field: string;
  readonly from: number;
  readonly to: number;
  readonly method:
    | MethodName
    | "heads repeated"
    | "silent layers"
    | "copied experts"
    | "new rows"
    | "no weights";
}

/** What new units get. */
export interface Values {
  readonly strategy: Strategy;
  readonly seed: number;
}

/** A checkpoint on its way: what its configuration and its tensors are by now. Nothing is read or written. */
export class Growing {
  family: Family;
  readonly values: Values;
  readonly steps: Step[] = [];
  readonly renumberings: Renumbering[] = [];
  config: Config;
  tensors: Map<string, GrownTensor>;
  structure: Structure;
  readonly #headDim: number | undefined;

  constructor(checkpoint: Checkpoint, values: Values, dtype: DType) {
    this.family = checkpoint.family;
    this.values = values;
    this.config = checkpoint.config;
    this.structure = checkpoint.structure;
    this.#headDim = checkpoint.structure.sizes.headDim;
    this.tensors = new Map(
      [...checkpoint.tensors.values()].map(({ name, dims }) => [
        name,
        { name, source: name, dims, dtype, stages: [] },
      ]),
    );
  }

  get finder(): Finder {
    return new Finder(shapesOf(this.structure, this.tensors));
  }

  /** Puts changed fields in the place of the old ones; the structure follows. */
  configure(changes: Readonly<Record<string, unknown>>): void {
    this.config = this.config.with(changes);
    this.structure = this.family.read(this.config, (name) => this.tensors.has(name), this.#headDim);
  }

  /** Makes it a model of another family. */
  become(family: Family, changes: Readonly<Record<string, unknown>>): void {
    this.family = family;
    this.configure(changes);
  }

  /** Adds a stage to a tensor. */
  change(name: string, stage: Stage, dims?: readonly number[]): void {
    const tensor = this.tensors.get(name) as GrownTensor;
    this.tensors.set(name, { ...tensor, stages: [...tensor.stages, stage], dims: dims ?? tensor.dims });
  }

  /** Gives a tensor, as it is by now, a second name. */
  copy(name: string, other: string): void {
    this.tensors.set(other, { ...(this.tensors.get(name) as GrownTensor), name: other });
  }

  /** What is added to the entries of a parameter before they are used. */
  offsetOf(name: string): number {
    const { normOffset } = this.structure;
    return normOffset?.names.test(name) === true ? normOffset.by : 0;
  }

  /** The widths at all anchors, found by the axis rules. Throws `NOT_GROWABLE` where one cannot grow so. */
  widths(field: string, anchors: readonly Anchor[], methods: typeof byCopies): readonly Width[] {
    const finder = this.finder;
    return anchors.map((anchor) => {
      const width = finder.width(anchor, methods);
      if (width.growable) return width;
      throw new EspalierError("NOT_GROWABLE", {
        thing: field,
        rule: `cannot grow exactly: ${width.reason}`,
        received: anchor.parameter,
        remedy: "espalier inspect FOLDER lists what can.",
      });
    });
  }

  /**
   * Widens a width by `by` units. If the head is tied, the last norm leaves out all copies of a unit but the first `read`.
   */
  widen(width: Width, by: number, read = 1): void {
    const { strategy, seed } = this.values;
    const plan = planGrowth(width, { by, strategy, seed });
    const edits = [...plan.edits].sort((a, b) => fillOrder.indexOf(a.role) - fillOrder.indexOf(b.role));
    for (const edit of edits) {
      const copied =
        this.structure.lastNorm.includes(edit.parameter) && edit.fill === "zero"
          ? plan.from * read
          : plan.from;
      if (copied > plan.from) this.#widenPart({ ...edit, fill: "copy" }, plan.from, copied);
      this.#widenPart(edit, copied, plan.to);
    }
  }

  #widenPart(edit: WidthPart, from: number, to: number): void {
    const { name, dims } = this.tensors.get(edit.parameter) as GrownTensor;
    const grown = dims.map((size, axis) => (axis === edit.axis ? layoutSize(edit.layout, to) : size));
    this.change(name, { kind: "widen", edit, from, to, offset: this.offsetOf(name) }, grown);
  }
}
