import type { MethodName, Width } from "../../../src/growth/plan/width.ts";
import type { RandomModel } from "./architecture.ts";

/** Statistics of a run of the law. */
export class Tally {
  models = 0;
  growable = 0;
  refused = 0;
  growths = 0;
  compared = 0;
  identical = 0;
  worst = 0;
  /** Models whose outputs have a single value. */
  constant = 0;
  /** Models with each pattern. */
  readonly drawn = new Map<string, number>();
  /** Growable widths with each pattern. */
  readonly grown = new Map<string, number>();
  readonly methods = new Map<MethodName, number>();

  sawModel({ patterns }: RandomModel): void {
    this.models++;
    for (const pattern of new Set([...patterns.values()].flatMap((all) => [...all])))
      count(this.drawn, pattern);
  }

  sawWidth({ patterns }: RandomModel, width: Width): void {
    if (!width.growable) {
      this.refused++;
      return;
    }
    this.growable++;
    count(this.methods, width.method);
    const values = [
      ...width.carried.map(({ value }) => value),
      ...width.parts.map(({ parameter }) => parameter),
    ];
    for (const pattern of new Set(values.flatMap((value) => [...(patterns.get(value) ?? [])])))
      count(this.grown, pattern);
  }

  sawGrowth(
    growths: number,
    { identical, relative }: { readonly identical: boolean; readonly relative: number },
  ): void {
    this.growths += growths;
    this.compared++;
    if (identical) this.identical++;
    this.worst = Math.max(this.worst, relative);
  }

  summary(): string {
    const share = ((100 * this.identical) / this.compared).toFixed(1);
    const list = (counts: ReadonlyMap<string, number>) =>
      [...counts]
        .sort(([, a], [, b]) => b - a)
        .map(([name, times]) => `${name} ${times}`)
        .join(", ");
    const covered = [...this.drawn].map(
      ([name, times]) => [name, `${this.grown.get(name) ?? 0}/${times}`] as const,
    );
    return [
      `${this.models} models (${this.constant} constant), ${this.growable} widths growable, ${this.refused} refused`,
      `${this.growths} growths, ${share} % of ${this.compared} comparisons bit-identical, worst relative difference ${this.worst.toExponential(1)}`,
      `methods: ${list(this.methods)}`,
      `patterns (growable widths / models): ${covered
        .map(([name, text]) => `${name} ${text}`)
        .sort()
        .join(", ")}`,
    ].join("\n");
  }
}

function count<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
