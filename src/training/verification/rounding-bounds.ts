import type { Feeds, Session, SessionSettings } from "../../engine/session.ts";
import type { Model } from "../../graph/model.ts";
import { emitRoundingBounds } from "../../growth/examine/rounding.ts";
import { compile } from "../../models/compile.ts";
import { weightsApart } from "../../models/weights-apart.ts";
import { newGraph } from "../../ops/index.ts";
import { originOf, upgradeOpset } from "../../ops/rewrites/upgrade.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { magnitudesInPieces } from "./magnitudes.ts";

interface Compiled {
  readonly session: Session;
  readonly weights: Feeds;
  readonly bounds: ReadonlyMap<string, string>;
}

/** Bounds on the rounding errors of a model's outputs; compiled when first asked for. */
export class RoundingBounds {
  readonly #model: Model;
  readonly #names: readonly string[];
  readonly #options: SessionSettings;
  #compiled: Compiled | undefined;
  /** Why there are none; empty if there are, or if none were computed yet. */
  unavailable = "";

  constructor(model: Model, names: readonly string[], options: SessionSettings) {
    this.#model = model;
    this.#names = names;
    this.#options = options;
  }

  /** Bounds by output; an exact output has none. Undefined if the model has an operator without a rule. */
  async run(feeds: Feeds): Promise<Readonly<Record<string, Tensor>> | undefined> {
    if (this.unavailable !== "") return undefined;
    try {
      this.#compiled ??= await this.#compile();
    } catch (error) {
      if (!(error instanceof EspalierError)) throw error;
      this.unavailable = `${error.thing} ${error.rule}`;
      return undefined;
    }
    const { session, weights, bounds } = this.#compiled;
    if (bounds.size === 0) return {};
    const results = await session.run(
      { ...feeds, ...weights },
      Object.fromEntries([...bounds.values()].map((name) => [name, null])),
    );
    return Object.fromEntries([...bounds].map(([name, bound]) => [name, results[bound] as Tensor]));
  }

  async release(): Promise<void> {
    await this.#compiled?.session.release();
  }

  async #compile(): Promise<Compiled> {
    const { model: raised, weights } = weightsApart(upgradeOpset(this.#model));
    const { graph: source } = raised;
    const graph = newGraph(originOf(raised));
    graph.reserveAll(source);
    for (const value of source.inputs) {
      if (!source.parameters.has(value.name)) graph.input(value.name, value);
    }
    for (const [name, tensor] of source.parameters) graph.parameter(name, tensor);
    for (const node of source.nodes) graph.add(node);
    const all = emitRoundingBounds(graph);
    const bounds = new Map<string, string>();
    for (const name of this.#names) {
      const bound = all.get(name);
      if (bound !== undefined) bounds.set(name, bound);
    }
    const lean = magnitudesInPieces(graph, weights);
    return { session: await compile(lean, [...bounds.values()], this.#options), weights, bounds };
  }
}
