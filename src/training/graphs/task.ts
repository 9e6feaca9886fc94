import type { Dataset } from "../../data/dataset.ts";
import { evaluateDim } from "../../graph/dim.ts";
import type { Model } from "../../graph/model.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { type LossName, type LossOf, lossOf } from "../losses/index.ts";
import { batchAxes } from "../settings/batch-axes.ts";
import { type TaskOptions, taskOf } from "../settings/task-options.ts";
import { type Program, writeProgram } from "./program.ts";
import { exampleShape, programInputs } from "./program-inputs.ts";
import { sourcesOf } from "./rows.ts";

/** What a model is trained for, with nothing left open. */
export interface Task extends TaskOptions {
  /** Absent if there are several. */
  readonly loss?: LossOf;
  /** How it was chosen, if the caller left a choice. */
  readonly notes: readonly string[];
}

/** What the caller has decided. */
export type Wanted = Omit<TaskOptions, "loss"> & { readonly loss?: LossOf | undefined };

/** A choice that a program can be written for, and whether it has exactly as many classes as the data. */
interface Candidate {
  readonly loss: LossOf;
  readonly output: string;
  readonly program: Program;
  readonly exact: boolean;
}

/**
 * The output and the loss that fit the shapes of the data, as far as the caller leaves them open. Throws `ARGUMENT` if
 * several outputs fit, and what a trainer throws if none does. Of several losses nothing is left open.
 */
export function taskFor(model: Model, data: Dataset, wanted: Wanted = {}): Task {
  if (wanted.losses !== undefined) return severalFor(model, data, wanted);
  const floats = model.graph.outputs.filter(({ dtype }) => dtype === "float32").map(({ name }) => name);
  const outputs = wanted.output === undefined && floats.length > 0 ? floats : [wanted.output];
  const losses = wanted.loss === undefined ? lossesFor(data) : [wanted.loss];
  const [first] = losses as [LossOf];
  const tried = outputs.flatMap((output) =>
    losses.map((loss) =>
      tryOne(model, data, { ...wanted, loss, ...(output === undefined ? {} : { output }) }),
    ),
  );
  const fitting = tried.filter((one): one is Candidate => !(one instanceof EspalierError));
  if (fitting.length === 0) throw misfit(model, data, wanted) ?? tried[0];
  const exact = fitting.filter((one) => one.exact);
  const best = exact.length > 0 ? exact : fitting;
  const [chosen] = best as [Candidate];
  const rivals = best.filter(({ program }) => scoredBy(program) !== scoredBy(chosen.program));
  if (rivals.length > 0) throw severalFit(data, [chosen, ...rivals]);
  const { sizes } = chosen.program;
  return {
    ...wanted,
    loss: chosen.loss,
    output: chosen.output,
    ...(Object.keys(sizes).length === 0 ? {} : { sizes }),
    notes: [...choiceNotes(chosen, floats, wanted, first, data), ...chosen.program.notes],
  };
}

function severalFor(model: Model, data: Dataset, { loss: _, ...wanted }: Wanted): Task {
  const { sizes, notes, ...program } = writeProgram({ model, widths: [], ...wanted, training: false, data });
  sourcesOf(program, data);
  return { ...wanted, ...(Object.keys(sizes).length === 0 ? {} : { sizes }), notes };
}

const scoredBy = ({ terms }: Program) => terms[0].scored;

/** The same task with an example's named sizes taken from the data. Throws what {@link writeProgram} throws. */
export function sizedBy<Options extends TaskOptions>(
  data: Dataset,
  model: Model,
  options: Options,
): Options & TaskOptions {
  const { sizes } = writeProgram({ model, widths: [], ...taskOf(options), training: false, data });
  return { ...options, sizes };
}

/** What is wrong with the features, if anything is: then no choice of an output or a loss helps. */
function misfit({ graph }: Model, data: Dataset, { batchAxis }: Wanted): EspalierError | undefined {
  try {
    const inputs = programInputs(graph, batchAxes(graph, graph.outputs[0]?.shape ?? [], batchAxis));
    // The caller may bind sizes that are open here, so the errors of the attempts say more.
    if (inputs.some((input) => exampleShape(input).some((dim) => typeof dim === "string"))) return undefined;
    sourcesOf({ inputs, ignored: [], targets: [] }, data);
    return undefined;
  } catch (error) {
    if (!(error instanceof EspalierError)) throw error;
    return error.code === "SHAPE_MISMATCH" ? error : undefined;
  }
}

/** Losses to try for the targets of the data, the usual one first. */
function lossesFor({ labels, labelDims = [], classes = 0, targets }: Dataset): readonly LossName[] {
  if (labels === undefined) return targets === undefined ? ["crossEntropy"] : ["meanSquaredError"];
  const binary = classes <= 2 ? (["binaryCrossEntropy"] as const) : [];
  return ["crossEntropy", ...(labelDims.length > 0 ? (["tokenCrossEntropy"] as const) : []), ...binary];
}

function tryOne(
  model: Model,
  data: Dataset,
  task: TaskOptions & Pick<Candidate, "loss">,
): Candidate | EspalierError {
  try {
    const program = writeProgram({ model, widths: [], ...task, training: false, data });
    sourcesOf(program, data);
    return { loss: task.loss, output: program.terms[0].output, program, exact: isExact(program, data) };
  } catch (error) {
    if (error instanceof EspalierError) return error;
    throw error;
  }
}

function isExact({ targets }: Program, data: Dataset): boolean {
  const classes = targets[0]?.classes;
  if (data.labels === undefined || classes === undefined) return true;
  return evaluateDim(classes, new Map()) === data.classes;
}

function choiceNotes(
  { loss, output }: Candidate,
  floats: readonly string[],
  wanted: Wanted,
  usual: LossOf,
  data: Dataset,
): readonly string[] {
  const others = floats.filter((name) => name !== output).map((name) => `"${name}"`);
  const what = data.labels === undefined ? targetsText(data) : `${data.classes} classes`;
  return [
    ...(wanted.output === undefined && others.length > 0
      ? [`output "${output}" is trained, the one that fits ${what}; the model also has ${others.join(", ")}`]
      : []),
    ...(wanted.loss === undefined && loss !== usual
      ? [`the loss is ${lossOf(loss).name}, the one that fits output "${output}" and ${what}`]
      : []),
  ];
}

function targetsText({ targetDims = [] }: Dataset): string {
  const count = sizeOf(targetDims);
  return count === 1 ? "one target for each example" : `${count} targets for each example`;
}

function severalFit(data: Dataset, candidates: readonly Candidate[]): EspalierError {
  const outputs = [...new Set(candidates.map(({ output }) => output))];
  const losses = [...new Set(candidates.map(({ loss }) => lossOf(loss).name))];
  return new EspalierError("ARGUMENT", {
    thing: outputs.length > 1 ? "output" : "loss",
    rule: `must be named, since several fit data "${data.name}"`,
    received: candidates.map(({ output, loss }) => `${output} by ${lossOf(loss).name}`),
    remedy:
      outputs.length > 1
        ? `Say which is to be trained: one of ${outputs.join(", ")} (--output on the command line).`
        : `Say which: one of ${losses.join(", ")} (--loss on the command line).`,
  });
}
