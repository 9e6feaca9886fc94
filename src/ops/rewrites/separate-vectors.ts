import { type ExportedProgram, exportedProgram } from "../../graph/exported-program.ts";
import { isInvented, layerOfParameter, moduleOf } from "../../graph/layer-names.ts";
import type { Graph, Node } from "../../graph/model.ts";
import { isFloat } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { isSupported, operatorOf } from "../index.ts";
import { isUniform, isVector } from "../rules/contents-values.ts";

/** One input of a node. */
interface Slot {
  readonly node: Node;
  readonly index: number;
}

/**
 * Gives layers their own vectors again if an exporter made them share one because theirs were equal. Such
 * vectors come from fresh layers, and all their elements are equal. A vector that one layer reads in several
 * calls stays one parameter, and so does any other vector: it is shared on purpose.
 */
export function separateVectors(graph: Graph): Graph {
  const slots = new Map<string, Slot[]>();
  for (const node of graph.nodes) {
    node.inputs.forEach((name, index) => {
      if (graph.parameters.has(name)) slots.set(name, [...(slots.get(name) ?? []), { node, index }]);
    });
  }
  const layers = new Layers(graph);
  const parameters = new Map(graph.parameters);
  const renamed = new Map<Node, Map<number, string>>();
  for (const [name, tensor] of graph.parameters) {
    const reading = slots.get(name) ?? [];
    if (reading.length < 2 || !isFloat(tensor.dtype) || tensor.data.length < 2) continue;
    if (!isVector(tensor) || !isUniform(tensor)) continue;
    for (const group of layers.apart(name, reading).slice(1)) {
      const copy = freeName(layers.nameOf(name, group[0] as Slot), parameters);
      parameters.set(copy, copyOf(tensor));
      for (const { node, index } of group) {
        renamed.set(node, (renamed.get(node) ?? new Map<number, string>()).set(index, copy));
      }
    }
  }
  if (renamed.size === 0) return graph;
  const nodes = graph.nodes.map((node) => {
    const names = renamed.get(node);
    if (names === undefined) return node;
    return { ...node, inputs: node.inputs.map((name, index) => names.get(index) ?? name) };
  });
  return { ...graph, nodes, parameters };
}

/** Which inputs of nodes belong to one parameter of one layer, as far as the file shows. */
class Layers {
  readonly #graph: Graph;
  readonly #program: ExportedProgram | undefined;
  readonly #makers: ReadonlyMap<string, Node>;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#program = exportedProgram(graph);
    this.#makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  }

  /** The readers of a vector, parameter by parameter; those that it is named after come first. */
  apart(name: string, readers: readonly Slot[]): readonly (readonly Slot[])[] {
    const groups: Slot[][] = [];
    for (const slot of readers) {
      const group = groups.find(([other]) => this.#same(name, other as Slot, slot));
      if (group === undefined) groups.push([slot]);
      else group.push(slot);
    }
    return groups.sort((a, b) => Number(this.#isNamed(name, b)) - Number(this.#isNamed(name, a)));
  }

  /** "decoder.norm.bias" for the copy of "encoder.norm.bias" that the layer decoder.norm reads. */
  nameOf(name: string, slot: Slot): string {
    const layer = moduleOf(slot.node) ?? slot.node.outputs[0];
    return this.#given(slot) ?? `${layer}.${name.split(/[./]/).at(-1)}`;
  }

  #isNamed(name: string, group: readonly Slot[]): boolean {
    return group.some((slot) => {
      const given = this.#given(slot);
      if (given !== undefined) return given === name;
      if (this.#program?.constants.has(name)) return isStatistic(slot);
      return isCallOf(moduleOf(slot.node), layerOfParameter(name));
    });
  }

  #same(name: string, a: Slot, b: Slot): boolean {
    if (a.node === b.node || isStatistic(a) !== isStatistic(b)) return false;
    const program = this.#program;
    if (program !== undefined) {
      const [first, second] = [this.#given(a), this.#given(b)];
      if (first !== undefined && second !== undefined) return first === second;
      const [one, other] = [program.given(a.node), program.given(b.node)];
      if (one.length > 0 || other.length > 0) return one.join() === other.join();
    }
    const [first, second] = [moduleOf(a.node), moduleOf(b.node)];
    if (first !== undefined && first === second && name.startsWith(`${first}.`)) return true;
    const layer = layerOfParameter(name);
    if (!isInvented(name) && layer !== name && first !== undefined && second !== undefined) {
      if (isCallOf(first, layer) || isCallOf(second, layer)) {
        return isCallOf(first, layer) && isCallOf(second, layer);
      }
    }
    const matrices = this.#matricesAt(a.node);
    return this.#matricesAt(b.node).some((one) => matrices.includes(one));
  }

  /** What PyTorch's call was given for an input, if the node is the whole call. */
  #given({ node, index }: Slot): string | undefined {
    const given = this.#program?.given(node) ?? [];
    const own = [...node.inputs.keys()].filter((at) => this.#graph.parameters.has(node.inputs[at] as string));
    return given.length === own.length ? given[own.indexOf(index)] : undefined;
  }

  /** The matrices that a node reads or, if it reads none, those of the nodes right before it. */
  #matricesAt(node: Node, steps = 2): readonly string[] {
    const own = node.inputs.filter((input) => {
      const tensor = this.#graph.parameters.get(input);
      return tensor !== undefined && !isVector(tensor);
    });
    if (own.length > 0 || steps === 0) return own;
    return node.inputs.flatMap((input) => {
      const maker = this.#makers.get(input);
      return maker === undefined ? [] : this.#matricesAt(maker, steps - 1);
    });
  }
}

function isStatistic({ node, index }: Slot): boolean {
  return isSupported(node) && operatorOf(node).statistics?.includes(index) === true;
}

/** TorchScript's exporter calls the second call of a layer "norm" "norm_1". */
function isCallOf(module: string | undefined, layer: string): boolean {
  if (module === layer) return true;
  return module?.startsWith(`${layer}_`) === true && /^\d+$/.test(module.slice(layer.length + 1));
}

function copyOf(tensor: Tensor): Tensor {
  return { ...tensor, data: tensor.data.slice() as Float32Array };
}

function freeName(name: string, taken: ReadonlyMap<string, unknown>): string {
  let free = name;
  for (let count = 2; taken.has(free); count++) free = `${name}.${count}`;
  return free;
}
