import type { Model } from "../graph/model.ts";
import { opsetOf } from "../ops/raise.ts";
import { widthsFrom } from "./cuts.ts";
import { axisKey, FlowMap, type Seed } from "./flow-map.ts";
import { IndexedGraph, type Patch } from "./indexed-graph.ts";
import type { Width } from "./width.ts";

/** What was found from one output axis of a weight. */
interface Finding {
  readonly seed: Seed;
  readonly widths: readonly Width[];
  /** What it remembers of axes and cuts. */
  readonly notes: readonly string[];
  /** Where its answers come from in the graph, and how many changes there had been. */
  readonly positions: Int32Array;
  readonly changes: number;
}

/**
 * A model whose widths change their size one after another. They are found once; after a change only those that it
 * touches are looked at again, and only when they are asked for.
 */
export class Analysis {
  readonly flows: FlowMap;
  readonly #model: Model;
  /** How many changes there had been when a position last changed. */
  readonly #changed: Int32Array;
  /** Axes and cuts that have been seen, and whether they can grow. */
  readonly #known = new Map<string, boolean>();
  readonly #findings: Finding[] = [];
  /** Which finding a width belongs to, and what it is called there. */
  readonly #places = new Map<string, { readonly finding: number; readonly width: number }>();
  #changes = 0;

  constructor(model: Model) {
    this.#model = model;
    this.flows = new FlowMap(new IndexedGraph(model.graph), opsetOf(model));
    this.#changed = new Int32Array(this.flows.graph.length);
    this.#findAll();
  }

  /** The model as it is now. */
  get model(): Model {
    return this.#changes === 0 ? this.#model : { ...this.#model, graph: this.flows.graph.toGraph() };
  }

  /** Every width as it is now, in the order in which their producers run. */
  get widths(): readonly Width[] {
    if (this.#findings.some((finding) => this.#isStale(finding))) this.#findAll();
    return [...this.#places.keys()].map((id) => this.#named(id) as Width);
  }

  /** The width called `id` as it is now. */
  find(id: string): Width | undefined {
    const place = this.#places.get(id);
    if (place !== undefined && this.#isStale(this.#findings[place.finding] as Finding)) {
      this.#findAgain(place.finding);
    }
    return this.#named(id);
  }

  /** Changes the model. */
  apply(patch: Patch): void {
    this.#changes++;
    for (const position of this.flows.apply(patch)) this.#changed[position] = this.#changes;
  }

  #named(id: string): Width | undefined {
    const place = this.#places.get(id);
    const width = place && this.#findings[place.finding]?.widths[place.width];
    return width && (width.id === id ? width : { ...width, id });
  }

  #findAll(): void {
    this.#known.clear();
    this.#places.clear();
    this.#findings.length = 0;
    const counts = new Map<string, number>();
    for (const seed of this.flows.seeds) {
      if (this.#known.has(axisKey(seed.value, seed.axis))) continue;
      const finding = this.#findings.push(this.#findFrom(seed)) - 1;
      for (const [width, { id }] of (this.#findings[finding] as Finding).widths.entries()) {
        const count = (counts.get(id) ?? 0) + 1;
        counts.set(id, count);
        this.#places.set(count === 1 ? id : `${id}#${count}`, { finding, width });
      }
    }
  }

  #findAgain(index: number): void {
    const before = this.#findings[index] as Finding;
    for (const note of before.notes) this.#known.delete(note);
    const after = this.#findFrom(before.seed);
    const alike =
      after.widths.length === before.widths.length &&
      after.widths.every(({ id }, at) => id === before.widths[at]?.id);
    // Other widths than before may change what those of other seeds are called.
    if (alike) this.#findings[index] = after;
    else this.#findAll();
  }

  #findFrom(seed: Seed): Finding {
    const notes: string[] = [];
    const known = {
      get: (key: string) => this.#known.get(key),
      set: (key: string, grows: boolean) => {
        if (!this.#known.has(key)) notes.push(key);
        this.#known.set(key, grows);
      },
    };
    const { result: widths, positions } = this.flows.watch(() => widthsFrom(this.flows, seed, known));
    return { seed, widths, notes, positions: Int32Array.from(positions), changes: this.#changes };
  }

  #isStale({ positions, changes }: Finding): boolean {
    return positions.some((position) => (this.#changed[position] as number) > changes);
  }
}
