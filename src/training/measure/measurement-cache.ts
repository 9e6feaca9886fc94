import type { Measurement } from "./measurement.ts";

/** Compiled measurements by kind and width: a graph that leaves widths open serves all their sizes. */
export class MeasurementCache {
  readonly #measurements = new Map<string, Promise<Measurement>>();

  take(key: string, make: () => Promise<Measurement>): Promise<Measurement> {
    const known = this.#measurements.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#measurements.set(key, made);
    made.catch(() => this.#measurements.delete(key));
    return made;
  }

  async release(): Promise<void> {
    const all = [...this.#measurements.values()];
    this.#measurements.clear();
    for (const one of await Promise.allSettled(all)) {
      if (one.status === "fulfilled") await one.value.session.release();
    }
  }
}
