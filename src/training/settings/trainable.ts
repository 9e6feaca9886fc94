import type { Model } from "../../graph/model.ts";
import { isReal } from "../../growth/plan/real-parameter.ts";
import { isSupported, operatorOf } from "../../ops/index.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { ParameterOrigins } from "./parameter-origin.ts";

/** Some of a model's parameters: names and patterns in which `*` stands for any characters, or a predicate. */
export type ParameterChoice = readonly string[] | ((name: string) => boolean);

/** Parameters that are running statistics of some node. */
export function statisticsOf({ graph }: Model): ReadonlySet<string> {
  return new Set(
    graph.nodes.flatMap((node) =>
      isSupported(node) ? (operatorOf(node).statistics ?? []).map((index) => node.inputs[index] ?? "") : [],
    ),
  );
}

/**
 * Float32 parameters that can be trained. Constants of the architecture are not: running statistics, single numbers that
 * the file does not name as weights, what every reader takes as a literal (`Operator.literals`), and masks.
 */
export function trainableOf(model: Model): readonly string[] {
  const statistics = statisticsOf(model);
  const origins = new ParameterOrigins(model);
  const literals = literalsOf(model, origins);
  return [...model.graph.parameters]
    .filter(
      ([name, { dtype, dims, data }]) =>
        dtype === "float32" &&
        (dims.length > 0 || origins.isNamed(name)) &&
        !statistics.has(name) &&
        !literals.has(name) &&
        !isMask(data as Float32Array),
    )
    .map(([name]) => name);
}

/** The trainable parameters that are taken as constants, and why. */
export function constantsOf(model: Model): ReadonlyMap<string, string> {
  const origins = new ParameterOrigins(model);
  return new Map(
    trainableOf(model).flatMap((name) => {
      const reason = origins.constant(name);
      return reason === undefined ? [] : [[name, reason] as const];
    }),
  );
}

/** Parameters that every node that reads them takes as a literal. */
function literalsOf({ graph }: Model, origins: ParameterOrigins): ReadonlySet<string> {
  const found = new Set<string>();
  const weights = new Set<string>();
  for (const node of graph.nodes) {
    const { always = [], single = [] } = (isSupported(node) ? operatorOf(node).literals : undefined) ?? {};
    node.inputs.forEach((name, index) => {
      const number = graph.parameters.get(name)?.data.length === 1;
      const literal = always.includes(index) || (number && single.includes(index) && !origins.isNamed(name));
      (literal ? found : weights).add(name);
    });
  }
  return new Set([...found].filter((name) => !weights.has(name)));
}

/** Far beyond any weight: what attention adds at masked positions, up to -3.4e38 or -Infinity. */
const maskFrom = 1e30;

function isMask(values: Float32Array): boolean {
  // A callback would get a boxed number for each weight.
  for (let at = 0; at < values.length; at++) {
    if (Math.abs(values[at] as number) >= maskFrom) return true;
  }
  return false;
}

/** Which parameters a run trains. */
export interface TrainableOptions {
  readonly trainable?: ParameterChoice;
  readonly frozen?: ParameterChoice;
  readonly trainConstants?: boolean | ParameterChoice;
}

/**
 * The trainable parameters that a run leaves unchanged: all but `trainable` (if given), `frozen`, and constants except
 * `trainConstants`. Throws `ARGUMENT` for a pattern that fits none of them, and if nothing is left to train.
 */
export function frozenOf(model: Model, options: TrainableOptions): readonly string[] {
  const names = trainableOf(model);
  if (names.length === 0) refuseOtherTypes(model);
  const { trainable, frozen = [], trainConstants = false } = options;
  if (trainConstants === false && trainable === undefined) new ParameterOrigins(model).refuseComputed();
  const constants = constantsOf(model);
  const taken =
    typeof trainConstants === "boolean"
      ? () => trainConstants
      : chosen("trainConstants", trainConstants, [...constants.keys()]);
  const trained = trainable === undefined ? () => true : chosen("trainable", trainable, names);
  const held = chosen("frozen", frozen, names);
  const result = names.filter(
    (name) => !trained(name) || held(name) || (constants.has(name) && !taken(name)),
  );
  if (result.length < names.length || names.length === 0) return result;
  throw new EspalierError("ARGUMENT", {
    thing: "trainable and frozen",
    rule: "must leave at least one parameter to train",
    received: { frozen: result.length, of: names.length },
    remedy:
      constants.size > 0
        ? `Taken for constants: ${listed([...constants.keys()])}; trainConstants (command line: --train-constants) trains them.`
        : `Parameters: ${listed(names)}.`,
  });
}

/** Throws `UNSUPPORTED_TYPE` for a model whose weights are all of another type: it would train nothing. */
function refuseOtherTypes({ graph }: Model): void {
  const others = [...graph.parameters].filter(
    ([, { dtype, dims }]) => isReal(dtype) && dtype !== "float32" && dims.length > 0,
  );
  if (others.length === 0) return;
  throw new EspalierError("UNSUPPORTED_TYPE", {
    thing: `weights ${listed(others.map(([name]) => name))}`,
    rule: "must be float32 to be trained",
    received: [...new Set(others.map(([, { dtype }]) => dtype))].join(", "),
    remedy: "Export the model in float32. Growing it (espalier grow) keeps its types.",
  });
}

function chosen(
  option: string,
  choice: ParameterChoice,
  names: readonly string[],
): (name: string) => boolean {
  if (typeof choice === "function") return choice;
  const patterns = choice.map((pattern) => {
    const parts = pattern.split("*").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    const expression = new RegExp(`^${parts.join(".*")}$`, "s");
    if (names.some((name) => expression.test(name))) return expression;
    throw new EspalierError("ARGUMENT", {
      thing: option,
      rule: "must name parameters that can be trained; * stands for any characters",
      received: pattern,
      remedy: `Parameters: ${listed(names)}.`,
    });
  });
  return (name) => patterns.some((pattern) => pattern.test(name));
}

function listed(names: readonly string[]): string {
  const most = 20;
  const more = names.length > most ? `, and ${names.length - most} more` : "";
  return `${names.slice(0, most).join(", ")}${more}`;
}
