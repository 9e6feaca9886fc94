import type { GraphBuilder } from "../../graph/builder.ts";
import { namesOf, type Shape } from "../../graph/dim.ts";
import { ints, type Value } from "../../graph/model.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { isInModel, type LossName, losses, lossOf } from "../losses/index.ts";
import type { Loss } from "../losses/loss.ts";
import { type ClassWeights, checkClassWeights } from "../metrics/counted.ts";
import type { ScoredBatch } from "../metrics/metric.ts";
import type { Term } from "../settings/loss-terms.ts";
import type { Batch } from "./batch.ts";
import { examplesAxis } from "./examples.ts";
import { batchNames, type ProgramInput } from "./program-inputs.ts";
import type { FedTarget } from "./rows.ts";
import { writeScored } from "./scored.ts";

/** A loss of a program. */
export interface ProgramTerm extends Pick<Term, "name" | "alone" | "weight"> {
  /** The model's output that is trained. */
  readonly output: string;
  /** What the loss and its metrics are computed from: the output, or the logits that it is made of. */
  readonly scored: string;
  /** How metrics are to read that value. */
  readonly says: Pick<ScoredBatch, "predicts" | "classAxis">;
  /** The value of the loss, without its weight. */
  readonly loss: string;
  /** Absent if the model computes the loss without. */
  readonly target: FedTarget | undefined;
  /** A batch's weight in a mean of losses over batches, in examples. */
  readonly counted: (batch: Pick<Batch, "size" | "feeds">) => number;
  /** The input of a scalar that the weighted loss is multiplied by, if that was asked for. */
  readonly factor?: string;
}

/** A term that is about to be written. */
type Wanted = Term & { readonly output: string };

/** What {@link writeTerms} has written. */
interface WrittenTerms {
  readonly inputs: readonly ProgramInput[];
  readonly targets: readonly FedTarget[];
  readonly terms: readonly [ProgramTerm, ...ProgramTerm[]];
  readonly loss: string;
  readonly notes: readonly string[];
}

/** Writes losses and their weighted sum after the model; a single one of weight 1 is its own sum. */
export function writeTerms(
  graph: GraphBuilder,
  wanted: readonly Wanted[],
  inputs: readonly ProgramInput[],
  factors = false,
): WrittenTerms {
  const notes: string[] = [];
  // A single loss in the model has its targets there, too: the last input if there are several.
  const own = wanted.length === 1 && wanted.every(({ loss }) => isInModel(loss)) && inputs.length > 1;
  const taken = own ? inputs.slice(0, -1) : inputs;
  const within = own ? inputs.at(-1) : undefined;
  const terms = wanted.map((term) => {
    const made = writeTerm(graph, term, taken, within);
    notes.push(...made.notes);
    if (!factors || term.alone) return made.term;
    const factor = graph.input(unused(graph, `factor of ${term.name}`), { dtype: "float32", shape: [] });
    return { ...made.term, factor };
  }) as readonly ProgramTerm[] as WrittenTerms["terms"];
  return {
    inputs: taken,
    targets: terms.flatMap(({ target }) => (target === undefined ? [] : [target])),
    terms,
    loss: terms
      .map((term) => weighted(graph, term))
      .reduce((sum, one) => graph.emit("Add", [sum, one], {}, "loss")),
    notes,
  };
}

function weighted(graph: GraphBuilder, { loss, weight, factor }: ProgramTerm): string {
  const scaled = weight === 1 ? loss : graph.emit("Mul", [loss, graph.scalar(weight)], {}, "loss");
  return factor === undefined ? scaled : graph.emit("Mul", [scaled, factor], {}, "loss");
}

function writeTerm(
  graph: GraphBuilder,
  { output, loss: choice, classWeights, ...term }: Wanted,
  inputs: readonly ProgramInput[],
  within: Value | undefined,
): { readonly term: ProgramTerm; readonly notes: readonly string[] } {
  const { name, alone, weight } = term;
  const common = { name, alone, weight, output };
  if (isInModel(choice)) {
    refuseWeights(classWeights);
    const target = within && { input: within, classes: undefined, of: undefined, usual: output };
    const counted: ProgramTerm["counted"] = ({ size }) => size;
    return {
      term: { ...common, loss: choice.output, target, counted, scored: output, says: {} },
      notes: [],
    };
  }
  const loss = lossOf(choice);
  refuseClassless(loss, output, graph.typeOf(output).shape);
  const { value, notes } = writeScored(graph, loss, output);
  const scored = writeExamplesFirst(graph, value, inputs);
  const { shape } = graph.typeOf(scored);
  refuseFolded(output, shape, inputs);
  const input: Value = {
    name: unused(graph, ...(alone ? ["target", "target of the loss"] : [`target of ${name}`])),
    dtype: loss.target,
    shape: loss.targetShape(shape),
  };
  const classes = loss.classes(shape);
  if (loss.counted === undefined) refuseWeights(classWeights);
  else if (classWeights !== undefined) checkClassWeights(classWeights, classes);
  const mean = loss.emit(graph, scored, graph.input(input.name, input), classWeights);
  const counted: ProgramTerm["counted"] = ({ size, feeds }) => {
    const target = feeds[input.name];
    return target === undefined ? size : (loss.counted?.(target, classWeights) ?? size);
  };
  const classAxis = loss.inverts?.axis?.(shape.length);
  const says = { predicts: loss.predicts, ...(classAxis === undefined ? {} : { classAxis }) };
  const target = { input, classes, of: term.target, usual: output };
  return { term: { ...common, loss: mean, target, counted, scored, says }, notes };
}

/** The first of these names that the graph has not, or one that is made of the last. */
function unused(graph: GraphBuilder, ...names: readonly string[]): string {
  const free = names.find((name) => !graph.has(name));
  return free ?? unused(graph, `${names.at(-1)}'`);
}

const lossesOfLabels = Object.keys(losses).filter((name) => lossOf(name as LossName).counted !== undefined);

function refuseWeights(weights: ClassWeights): void {
  if (weights === undefined) return;
  throw new EspalierError("ARGUMENT", {
    thing: "class weights",
    rule: "need a classification loss",
    received: weights,
    remedy: `Use ${lossesOfLabels.join(" or ")}, or leave them out.`,
  });
}

/** A value with its axis of examples moved to the front, where losses take it. */
function writeExamplesFirst(graph: GraphBuilder, value: string, inputs: readonly ProgramInput[]): string {
  const { shape } = graph.typeOf(value);
  const axis = examplesAxis(shape, batchNames({ inputs }));
  if (axis === 0) return value;
  const others = shape.flatMap((_, at) => (at === axis ? [] : [at]));
  return graph.emit("Transpose", [value], { perm: ints([axis, ...others]) }, "examples");
}

function refuseClassless({ name, inverts }: Loss, output: string, { length: rank }: Shape): void {
  if (inverts?.axis === undefined || rank > 1) return;
  throw new EspalierError("SHAPE_MISMATCH", {
    thing: `output "${output}"`,
    rule: `must have a number for each class to be trained with ${name}`,
    received: "one number for each example",
    remedy: "Use binaryCrossEntropy for two classes, or meanSquaredError to predict a number.",
  });
}

/** The targets of an example are found by the output's first axis: it must count nothing but examples. */
function refuseFolded(output: string, [rows = 1]: Shape, inputs: readonly ProgramInput[]): void {
  const batches = batchNames({ inputs });
  if (batches.includes(rows as string) || !namesOf(rows).some((name) => batches.includes(name))) return;
  throw new EspalierError("SHAPE_MISMATCH", {
    thing: `output "${output}"`,
    rule: "must count the examples of a batch, and nothing else, on its first axis to be compared with targets",
    received: rows,
    remedy: "Name a value before it as `output`.",
  });
}
