import { unitLayout } from "../../graph/layout.ts";
import type { Model } from "../../graph/model.ts";
import { opsetOf } from "../../ops/rewrites/upgrade.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Width, WidthPart } from "../plan/width.ts";
import { type AxisMap, flowMap, type NodeFlow } from "./axis-map.ts";
import { describeWidth } from "./describe-width.ts";
import { ioWidths } from "./io-widths.ts";
import { traceWidth } from "./trace.ts";

/** The ids that an integer input feeds, and everything that has one entry for each of them. */
export interface Vocabulary {
  /** The input. */
  readonly id: string;
  /** Number of ids. */
  readonly size: number;
  /** The rows of the tables that the ids look up, each with the head that is tied to it. */
  readonly tables: readonly Width[];
  /** Outputs with a class for each id whose weights are not tied to a table. */
  readonly heads: readonly Width[];
}

/**
 * A table or head whose new rows are as large as the old ones: a trained embedding may be fifty times as large or small as
 * what its size would suggest.
 */
export function likeOldRows(width: Width): Width {
  const alike = (part: WidthPart): WidthPart =>
    part.role === "incoming" && part.fill === "strategy" ? { ...part, fill: "alike" } : part;
  return { ...width, parts: width.parts.map(alike) };
}

/** One per integer input that looks up rows of weights, in the order of the inputs. */
export function vocabularies(model: Model): readonly Vocabulary[] {
  const flows = flowMap(model.graph, opsetOf(model));
  const found = model.graph.inputs.flatMap(({ name }) => {
    const tables = tablesOf(flows, idsFrom(flows, name));
    const size = Math.min(...tables.map((table) => table.size));
    return tables.length === 0 ? [] : [{ id: name, size, tables }];
  });
  const grown = new Set(found.flatMap(({ tables }) => tables.flatMap(({ carried }) => carried.map(keyOf))));
  const own = found.length === 0 ? [] : ioWidths(model, "output");
  const heads = own.filter(({ carried }) => !carried.some((axis) => grown.has(keyOf(axis))));
  // If two inputs have equally many ids, it is unclear whose classes an output has.
  const isOnly = (size: number) => found.filter((other) => other.size === size).length === 1;
  return found.map((vocabulary) => ({
    ...vocabulary,
    heads: isOnly(vocabulary.size) ? heads.filter(({ size }) => size === vocabulary.size) : [],
  }));
}

const keyOf = ({ value, axis }: { readonly value: string; readonly axis: number }) => `${axis}:${value}`;

/**
 * The vocabulary of input `name`. Without a name: the only one, or the only one for whose ids an output has
 * classes. Throws `NOT_GROWABLE` if there is none, `UNKNOWN_WIDTH` if it must be named.
 */
export function vocabularyOf(model: Model, name: string | undefined): Vocabulary {
  const all = vocabularies(model);
  const list = all.map(({ id, size }) => `${id} (${size})`);
  if (all.length === 0) {
    throw new EspalierError("NOT_GROWABLE", {
      thing: "the model's vocabulary",
      rule: "cannot grow: no integer input looks up rows of a table of weights",
      received: { inputs: model.graph.inputs.map((input) => `${input.name}: ${input.dtype}`) },
      remedy: "Use --inputs for new features, --outputs for new classes.",
    });
  }
  const told = all.filter(({ tables, heads }) => heads.length > 0 || tables.some(hasOutput(model)));
  const fitting = name === undefined ? (told.length === 1 ? told : all) : all.filter(({ id }) => id === name);
  const [only, ...more] = fitting;
  if (only !== undefined && more.length === 0) return only;
  throw new EspalierError("UNKNOWN_WIDTH", {
    thing: "the vocabulary to grow",
    rule:
      name === undefined ? "must be named if several inputs look up a table" : "must be one of the model's",
    received: name ?? list,
    remedy: `Those of this model: ${list.join(", ")}. For example --vocab ${all[0]?.id}=+256.`,
  });
}

const hasOutput =
  ({ graph }: Model) =>
  ({ carried }: Width) =>
    carried.some(({ value }) => graph.outputs.some(({ name }) => name === value));

/** An input and the integer values computed from it entry by entry. */
function idsFrom(flows: AxisMap, input: string): ReadonlySet<string> {
  const typeOf = (name: string) => flows.types.get(name);
  const isInteger = (name: string) => /^u?int/.test(typeOf(name)?.dtype ?? "");
  const ids = new Set([input].filter(isInteger));
  // A loop over a set also visits what is added during the loop.
  for (const name of ids) {
    for (const axis of (typeOf(name)?.shape ?? []).keys()) {
      for (const { value, node } of flows.stepsFrom(name, axis)) {
        if (node.outputs.includes(value) && isInteger(value)) ids.add(value);
      }
    }
  }
  return ids;
}

/** The rows that the ids look up, as widths. */
function tablesOf(flows: AxisMap, ids: ReadonlySet<string>): readonly Width[] {
  const seen = new Set<string>();
  return flows.nodesOn(ids).flatMap(({ flow, nameOf }: NodeFlow) =>
    (flow.tables ?? []).flatMap(({ rows, by }): Width[] => {
      const [value, axis] = [nameOf(rows), rows.axis];
      const units = flows.types.get(value)?.shape[axis];
      if (!ids.has(nameOf(by)) || seen.has(keyOf({ value, axis })) || typeof units !== "number") return [];
      const trace = traceWidth(flows, { value, axis, layout: unitLayout, units }, { border: "output" });
      for (const visit of trace.visits.values()) seen.add(keyOf(visit));
      return [{ ...describeWidth(flows, trace, { name: value, border: "output" }), unit: "id" }];
    }),
  );
}
