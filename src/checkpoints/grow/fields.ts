import type { Width } from "../../growth/plan/width.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { type Anchor, mlpSizes, type SizeName, type Stack } from "../architecture/structure.ts";
import { type Checkpoint, shapesOf } from "../checkpoint.ts";
import { byCopies, byPadding, byZeroOutgoing, Finder } from "./finder.ts";

/** One way in which a field of the configuration can grow exactly. */
export interface Way {
  readonly method: string;
  /** The steps in which it can grow, e.g. "+1", "x2, x3", "+2 (a multiple of num_key_value_heads)". */
  readonly steps: string;
  /** Whether it is also exact in float16 and bfloat16. */
  readonly anyType: boolean;
}

/** A field of the configuration that is a size. */
export interface FieldReport {
  readonly field: string;
  readonly size: number;
  readonly ways: readonly Way[];
  /** Why it cannot grow; empty if it can. */
  readonly reason: string;
  /** Parameters per added unit; for layers, per added layer. */
  readonly parametersPerUnit: number;
}

/** As they are reported. */
const order: readonly SizeName[] = [
  "hidden",
  ...mlpSizes,
  "experts",
  "heads",
  "kv",
  "layers",
  "encoderLayers",
  "decoderLayers",
  "vocab",
  "positions",
];

/** Every field that is a size: whether it can grow, in which steps, by which method, at what cost. */
export function fieldsOf(checkpoint: Checkpoint): readonly FieldReport[] {
  const { structure, tensors } = checkpoint;
  const finder = new Finder(shapesOf(structure, tensors));
  const report = new Reports(checkpoint, finder);
  return order.flatMap((name) => report.of(name));
}

class Reports {
  readonly #checkpoint: Checkpoint;
  readonly #finder: Finder;

  constructor(checkpoint: Checkpoint, finder: Finder) {
    this.#checkpoint = checkpoint;
    this.#finder = finder;
  }

  of(name: SizeName): readonly FieldReport[] {
    const { fields, sizes } = this.#checkpoint.structure;
    return (fields[name] ?? []).map((field) => ({ field, size: sizes[name] as number, ...this.#ways(name) }));
  }

  #ways(name: SizeName): Pick<FieldReport, "ways" | "reason" | "parametersPerUnit"> {
    if (name === "hidden") return this.#hidden();
    if (name === "experts") return this.#experts();
    if (name === "kv") return this.#groups();
    if (name === "heads") return this.#heads();
    if (name === "vocab" || name === "positions") return this.#rows(name);
    const stack = this.#checkpoint.structure.stacks.find(({ size }) => size === name);
    return stack === undefined ? this.#widths(this.#anchors(name), "+1") : this.#layers(stack);
  }

  #anchors(name: SizeName | "queries"): readonly Anchor[] {
    return this.#checkpoint.structure.anchors[name] ?? [];
  }

  #hidden() {
    const anchors = this.#anchors("hidden");
    const whole = this.#all(anchors, byCopies);
    const padded = this.#all(anchors, byPadding);
    const ways: Way[] = [];
    if (whole.every(({ growable }) => growable)) {
      ways.push({ method: "copies", steps: "x2, x3, …", anyType: true });
    }
    if (padded.every(({ growable }) => growable)) {
      ways.push({ method: padded[0]?.method ?? "", steps: "+1", anyType: false });
    }
    return this.#report(ways, whole);
  }

  #heads() {
    const { sizes, anchors } = this.#checkpoint.structure;
    if (anchors.queries === undefined) return this.#widths(this.#anchors("heads"), "+1");
    return this.#widths(anchors.queries, `+${sizes.kv}`, sizes.kv);
  }

  #groups() {
    const { sizes } = this.#checkpoint.structure;
    const each = (sizes.heads as number) / (sizes.kv as number);
    const factors = Array.from({ length: each - 1 }, (_, at) => at + 2).filter((times) => each % times === 0);
    const report = this.#widths(this.#anchors("kv"), `+1 with ${each} heads`);
    const copied = factors.map((times) => `x${times}`).join(", ");
    const repeated: Way = { method: "heads repeated", steps: copied, anyType: true };
    return copied === "" ? report : { ...report, ways: [repeated, ...report.ways] };
  }

  #experts() {
    const { structure, tensors } = this.#checkpoint;
    const perExpert = (structure.experts ?? []).reduce((sum, { router, expert }) => {
      const names = [expert(0).gate, expert(0).up, expert(0).down];
      const own = names.reduce((size, name) => size + sizeOf(tensors.get(`${name}.weight`)?.dims ?? []), 0);
      return sum + own + (tensors.get(`${router}.weight`)?.dims[1] ?? 0);
    }, 0);
    const ways: Way[] = [{ method: "copied experts", steps: "x2, x4, …", anyType: true }];
    return { ways, reason: "", parametersPerUnit: perExpert };
  }

  #layers({ prefix, count, once, exactTo }: Stack) {
    const way: Way = {
      method: exactTo === undefined ? "silent layers" : `silent layers (to ${exactTo})`,
      steps: "+1",
      anyType: exactTo === undefined,
    };
    const first = `${prefix}${count - 1}.`;
    let size = 0;
    for (const { name, dims } of this.#checkpoint.tensors.values()) {
      const isCopied = name.startsWith(first) && once?.test(name.slice(first.length)) !== true;
      if (isCopied) size += sizeOf(dims);
    }
    return { ways: [way], reason: "", parametersPerUnit: size };
  }

  #rows(name: "vocab" | "positions") {
    const { structure, tensors } = this.#checkpoint;
    const tables = name === "vocab" ? structure.vocabulary : structure.positions.map((table) => table.name);
    const perUnit = tables.reduce((sum, table) => {
      const dims = tensors.get(table)?.dims ?? [];
      return sum + sizeOf(dims) / (dims[0] ?? 1);
    }, 0);
    const method = tables.length === 0 ? "no weights" : "new rows";
    return { ways: [{ method, steps: "+1", anyType: true }], reason: "", parametersPerUnit: perUnit };
  }

  #widths(anchors: readonly Anchor[], steps: string, units = 1) {
    const found = this.#all(anchors, byZeroOutgoing);
    const ways: Way[] = [];
    if (found.length > 0 && found.every(({ growable }) => growable)) {
      ways.push({ method: found[0]?.method ?? "", steps, anyType: true });
    }
    const report = this.#report(ways, found);
    return { ...report, parametersPerUnit: report.parametersPerUnit / units };
  }

  #all(anchors: readonly Anchor[], methods: typeof byCopies): readonly Width[] {
    return anchors.map((anchor) => this.#finder.width(anchor, methods));
  }

  #report(ways: readonly Way[], widths: readonly Width[]) {
    const reason = widths.find((width) => !width.growable)?.reason ?? "its size is not that of one width";
    const perUnit = widths.reduce((sum, { costPerUnit }) => sum + costPerUnit.parameters, 0);
    return { ways, reason: ways.length === 0 ? reason : "", parametersPerUnit: perUnit };
  }
}
