import {
  type Attribute,
  type Graph,
  int,
  type Node,
  type Subgraph,
  type ValueType,
} from "../../graph/model.ts";
import { UniqueNames } from "../../graph/unique-names.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { inferInto, statedTypes, typesAround } from "../infer.ts";
import { chooseName, takenName } from "../logic/choose.ts";
import { constantOf } from "./lift-constants.ts";

/**
 * The same graph with every If replaced by the nodes of both branches and a Choose between their results, so that widths
 * run through branches. If the sizes of the model decide an If's condition, only the branch that is taken is kept.
 */
export function inlineBranches(graph: Graph): Graph {
  return graph.nodes.some(isConditional) ? new Inlining(graph).graph() : graph;
}

const isConditional = ({ op, domain, attributes }: Node) =>
  op === "If" &&
  (domain === "" || domain === "ai.onnx") &&
  attributes.then_branch?.kind === "graph" &&
  attributes.else_branch?.kind === "graph";

class Inlining {
  readonly #graph: Graph;
  readonly #names: UniqueNames;
  readonly #parameters: Map<string, Tensor>;
  readonly #types: Map<string, ValueType>;
  /** Parameters, and what nodes make of constants alone. */
  readonly #constants: Map<string, Tensor>;
  readonly #done: Node[] = [];
  /** Nodes to look at, the next one last. */
  readonly #rest: Node[];
  readonly #choices = new Set<Node>();
  readonly #makers = new Map<string, Node>();

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#names = new UniqueNames([
      ...graph.inputs.map(({ name }) => name),
      ...graph.parameters.keys(),
      ...graph.nodes.flatMap(({ name, outputs }) => [name, ...outputs]),
    ]);
    this.#parameters = new Map(graph.parameters);
    this.#constants = new Map(graph.parameters);
    this.#types = typesAround(graph.inputs, graph.parameters);
    this.#rest = [...graph.nodes].reverse();
  }

  graph(): Graph {
    const stated = statedTypes(this.#graph);
    for (let node = this.#rest.pop(); node !== undefined; node = this.#rest.pop()) {
      if (isConditional(node)) {
        this.#rest.push(...this.#inlined(node).reverse());
        continue;
      }
      const decided = this.#decided(node);
      const constant = constantOf(decided, this.#constants);
      if (constant !== undefined) this.#constants.set(decided.outputs[0] as string, constant);
      inferInto(this.#types, decided, this.#constants, stated);
      this.#done.push(decided);
      for (const name of decided.outputs) this.#makers.set(name, decided);
    }
    return { ...this.#graph, nodes: this.#done, parameters: this.#parameters };
  }

  /** The nodes that replace an If. A branch may itself contain an If, which is looked at in turn. */
  #inlined(node: Node): Node[] {
    const [first, second] = ["then_branch", "else_branch"].map(
      (name) => (node.attributes[name] as Extract<Attribute, { kind: "graph" }>).value,
    ) as [Subgraph, Subgraph];
    const condition = this.#condition(node.inputs[0] as string);
    if (condition !== undefined) {
      const { nodes, results } = this.#copy(condition ? first : second);
      return [
        ...nodes,
        ...node.outputs.map((name, index) => ({
          name: this.#names.take(`${node.name || name}.${index}`),
          op: "Identity",
          domain: "",
          inputs: [results[index] as string],
          outputs: [name],
          attributes: {},
        })),
      ];
    }
    const branches = [first, second].map((body) => this.#copy(body));
    const choice: Node = {
      ...node,
      op: chooseName,
      inputs: [...node.inputs, ...branches.flatMap(({ results }) => results)],
      attributes: {},
    };
    this.#choices.add(choice);
    return [...branches.flatMap(({ nodes }) => nodes), choice];
  }

  #condition(name: string): boolean | undefined {
    const value = this.#types.get(name)?.value?.[0];
    if (typeof value === "number") return value !== 0;
    const tensor = this.#constants.get(name);
    return tensor?.data.length === 1 ? Number(tensor.data[0]) !== 0 : undefined;
  }

  /**
   * The node itself or, if it chooses between tensors of different ranks, the node with the only branch that can be
   * meant: its readers accept no other rank, or it squeezes what the other branch passes on, which is how exporters
   * write a squeeze of an axis whose size they do not know.
   */
  #decided(node: Node): Node {
    const isTyped = node.inputs.every((name) => this.#types.has(name));
    if (!this.#choices.has(node) || !isTyped || this.#isRuled(node)) return node;
    const ways = [0, 1].map((taken): Node => ({ ...node, attributes: { [takenName]: int(taken) } }));
    const fitting = ways.filter((way) => this.#isRuled(way) && this.#fits(way));
    if (fitting.length === 1) return fitting[0] as Node;
    const squeezing = fitting.filter((_, branch) => this.#squeezes(node, branch));
    return squeezing.length === 1 ? (squeezing[0] as Node) : node;
  }

  #isRuled(node: Node): boolean {
    return inferInto(new Map(this.#types), node, this.#constants, new Map());
  }

  /** Whether each result of a branch is a squeeze of the other branch's corresponding result. */
  #squeezes({ inputs, outputs }: Node, branch: number): boolean {
    const source = (name: string): string => {
      const maker = this.#makers.get(name);
      return maker?.op === "Identity" ? source(maker.inputs[0] as string) : name;
    };
    const result = (of: number, index: number) => source(inputs[1 + of * outputs.length + index] as string);
    return outputs.every((_, index) => {
      const maker = this.#makers.get(result(branch, index));
      return maker?.op === "Squeeze" && source(maker.inputs[0] as string) === result(1 - branch, index);
    });
  }

  /** Whether all nodes that follow accept a node's outputs. */
  #fits(node: Node): boolean {
    try {
      const types = new Map(this.#types);
      for (const next of [node, ...[...this.#rest].reverse()]) {
        inferInto(types, next, this.#constants, new Map());
      }
      return true;
    } catch (error) {
      if (error instanceof EspalierError) return false;
      throw error;
    }
  }

  /** The nodes of a branch, under names that nothing else has. */
  #copy(body: Subgraph): Copy {
    const renamed = new Map<string, string>();
    const define = (name: string) => {
      if (name === "") return "";
      const own = this.#names.take(name);
      renamed.set(name, own);
      return own;
    };
    for (const [name, tensor] of body.parameters) {
      const own = define(name);
      this.#parameters.set(own, tensor);
      this.#constants.set(own, tensor);
      this.#types.set(own, { dtype: tensor.dtype, shape: tensor.dims });
    }
    const look = (name: string) => renamed.get(name) ?? name;
    const nodes = body.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(look),
      attributes: renamedBodies(node.attributes, renamed),
      outputs: node.outputs.map(define),
    }));
    return { nodes, results: body.outputs.map(({ name }) => look(name)) };
  }
}

interface Copy {
  readonly nodes: readonly Node[];
  readonly results: readonly string[];
}

/** Bodies in a body that read values renamed around them. Their own definitions shadow those. */
function renamedBodies(
  attributes: Node["attributes"],
  renamed: ReadonlyMap<string, string>,
): Node["attributes"] {
  return mapBodies(attributes, (body) => {
    const own = new Set([
      ...body.inputs.map(({ name }) => name),
      ...body.parameters.keys(),
      ...body.nodes.flatMap(({ outputs }) => outputs),
    ]);
    const seen = new Map([...renamed].filter(([name]) => !own.has(name)));
    const look = (name: string) => seen.get(name) ?? name;
    return {
      ...body,
      nodes: body.nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map(look),
        attributes: renamedBodies(node.attributes, seen),
      })),
      outputs: body.outputs.map((value) => ({ ...value, name: look(value.name) })),
    };
  });
}

function mapBodies(attributes: Node["attributes"], change: (body: Subgraph) => Subgraph): Node["attributes"] {
  const entries = Object.entries(attributes).map(([name, one]): [string, Attribute] => [
    name,
    one.kind === "graph" ? { ...one, value: change(one.value) } : one,
  ]);
  return Object.fromEntries(entries);
}
