import { type Feeds, Session } from "../../engine/session.ts";
import { encodeModel } from "../../formats/onnx/index.ts";
import { type Model, makeModel, type ValueType } from "../../graph/model.ts";
import { weightsApart } from "../../models/weights-apart.ts";
import { newGraph } from "../../ops/index.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Net } from "../architecture/net.ts";
import type { Section, State } from "../architecture/structure.ts";
import { type Checkpoint, valuesOf } from "../checkpoint.ts";

/**
 * Runs a folder's model in float32, section by section, on several sets of inputs: only one section's weights
 * are in memory at a time. Returns the output for each set.
 */
export async function runSections(
  checkpoint: Checkpoint,
  feeds: readonly Feeds[],
): Promise<readonly Tensor[]> {
  const { structure } = checkpoint;
  let types = new Map<string, ValueType>(structure.inputs.map((input) => [input.name, input]));
  let states: readonly Feeds[] = feeds;
  for (const section of structure.sections) {
    const { model, state, passed } = sectionModel(checkpoint, section, types);
    const { model: lean, weights } = weightsApart(model);
    const names = lean.graph.outputs.map(({ name }) => name);
    const session = names.length === 0 ? undefined : await Session.create(encodeModel(lean));
    const next: Feeds[] = [];
    try {
      for (const known of states) {
        const used = Object.fromEntries(
          Object.entries(known).filter(([name]) => session?.inputNames.includes(name)),
        );
        const wanted = Object.fromEntries(names.map((name) => [name, null]));
        const made = (await session?.run({ ...used, ...weights }, wanted)) ?? {};
        const value = (key: string) => (passed.has(key) ? known[key] : made[state[key] as string]) as Tensor;
        next.push(Object.fromEntries(Object.keys(state).map((key) => [key, value(key)])));
      }
    } finally {
      await session?.release();
    }
    const made = new Map(lean.graph.outputs.map(({ name, dtype, shape }) => [name, { dtype, shape }]));
    const typeOf = (key: string) =>
      (passed.has(key) ? types.get(key) : made.get(state[key] as string)) as ValueType;
    types = new Map(Object.keys(state).map((key) => [key, typeOf(key)]));
    states = next;
  }
  return states.map((state) => state[structure.output] as Tensor);
}

/** One section as a separate model, and which values of its state it only passes on. */
function sectionModel(
  checkpoint: Checkpoint,
  section: Section,
  types: ReadonlyMap<string, ValueType>,
): { readonly model: Model; readonly state: State; readonly passed: ReadonlySet<string> } {
  const graph = newGraph();
  const net = new Net(graph, valuesOf(checkpoint));
  const before: State = Object.fromEntries([...types].map(([key, type]) => [key, graph.input(key, type)]));
  const state = section.build(net, before);
  const passed = new Set(Object.keys(state).filter((key) => state[key] === before[key]));
  for (const key of Object.keys(state)) if (!passed.has(key)) graph.output(state[key] as string);
  const built = graph.build(section.name);
  const read = new Set(built.nodes.flatMap(({ inputs }) => inputs));
  const inputs = built.inputs.filter(({ name }) => read.has(name));
  return { model: makeModel({ ...built, inputs }), state, passed };
}
