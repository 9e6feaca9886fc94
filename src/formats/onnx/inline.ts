import type { Attribute, Node, Subgraph } from "../../graph/model.ts";
import { UniqueNames } from "../../graph/unique-names.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { checkLimit } from "../limits.ts";
import { functionKey, type LocalFunction } from "./function.ts";
import type { Reading } from "./reading.ts";

/** Most characters of a name that go into a new one: a file may repeat a long name in any number of calls. */
const maxPart = 200;

/** A body being copied: its names are those of the graph that calls it, its references are resolved. */
interface Copy {
  readonly call: Node;
  readonly prefix: string;
  /** Functions around this one, innermost last. */
  readonly stack: readonly LocalFunction[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/** Names in a body to names in the graph that calls it. */
type Scope = Map<string, string>;

/** The result of inlining a graph. */
export interface Inlined<G> {
  readonly graph: G;
  readonly opsets: ReadonlyMap<string, number>;
}

/**
 * Replaces every call of a local function by the function's nodes, under new names that begin with the call's.
 * Throws `INVALID_MODEL` for functions that call themselves or use what they do not define, `TOO_LARGE` for calls
 * that come to too many nodes, `UNSUPPORTED_OPERATOR` for a function of another operator-set version.
 */
export function inlineFunctions<G extends Subgraph>(
  graph: G,
  opsets: ReadonlyMap<string, number>,
  functions: ReadonlyMap<string, LocalFunction>,
  reading: Reading,
): Inlined<G> {
  if (functions.size === 0 && reading.calls.size === 0) return { graph, opsets };
  const inliner = new Inliner(functions, opsets, reading, namesIn(graph));
  const inlined = inliner.withBodies(graph);
  const domains = domainsIn(inlined);
  const homes = new Set([...functions.values()].map((callee) => callee.domain));
  const left = [...inliner.opsets].filter(
    ([domain]) => domain === "" || domains.has(domain) || !homes.has(domain),
  );
  return { graph: inlined, opsets: new Map(left) };
}

function domainsIn(graph: Subgraph): Set<string> {
  const domains = new Set<string>();
  for (const node of graph.nodes) {
    domains.add(node.domain);
    for (const item of Object.values(node.attributes)) {
      if (item.kind === "graph") for (const domain of domainsIn(item.value)) domains.add(domain);
    }
  }
  return domains;
}

/** Every name of a value in a graph and its subgraphs. */
function namesIn(graph: Subgraph): string[] {
  const own = [...graph.inputs.map((value) => value.name), ...graph.parameters.keys()];
  const inner = graph.nodes.flatMap((node) => [
    ...node.outputs,
    ...Object.values(node.attributes).flatMap((item) => (item.kind === "graph" ? namesIn(item.value) : [])),
  ]);
  return [...own, ...inner];
}

class Inliner {
  readonly opsets: Map<string, number>;
  readonly #functions: ReadonlyMap<string, LocalFunction>;
  readonly #reading: Reading;
  readonly #names: UniqueNames;

  constructor(
    functions: ReadonlyMap<string, LocalFunction>,
    opsets: ReadonlyMap<string, number>,
    reading: Reading,
    names: Iterable<string>,
  ) {
    this.opsets = new Map(opsets);
    this.#functions = functions;
    this.#reading = reading;
    this.#names = new UniqueNames(names);
  }

  /** A graph outside any function, with its calls replaced. */
  withBodies<G extends Subgraph>(graph: G): G {
    const nodes = graph.nodes.flatMap((node) => {
      const callee = this.#calleeOf(node, node);
      if (callee !== undefined) return this.#expand(node, callee, []);
      const attributes = mapGraphs(node.attributes, (inner) => this.withBodies(inner));
      return [attributes === node.attributes ? node : { ...node, attributes }];
    });
    return { ...graph, nodes };
  }

  /** The function that a node calls. `original` is the node as it was read. */
  #calleeOf(node: Node, original: Node): LocalFunction | undefined {
    const overload = this.#reading.calls.get(original)?.overload ?? "";
    const callee = this.#functions.get(functionKey(node.domain, node.op, overload));
    if (callee !== undefined || overload === "") return callee;
    throw new EspalierError("INVALID_MODEL", {
      thing: `node "${node.name}" (${node.op})`,
      rule: "must call a function that the model defines",
      received: overload,
    });
  }

  #expand(call: Node, callee: LocalFunction, stack: readonly LocalFunction[]): Node[] {
    const thing = `node "${call.name}" (${call.op})`;
    const fail = (rule: string, received: unknown): never => {
      throw new EspalierError("INVALID_MODEL", { thing, rule, received });
    };
    if (stack.includes(callee)) fail("a function must not call itself", callee.name);
    checkLimit(this.#reading.limits, "maxDepth", thing, stack.length + 1);
    if (call.inputs.length > callee.inputs.length)
      fail(`takes ${callee.inputs.length} inputs`, call.inputs.length);
    if (call.outputs.length > callee.outputs.length) {
      fail(`has ${callee.outputs.length} outputs`, call.outputs.length);
    }
    this.#adoptOpsets(callee);
    // A call counts as well: empty functions that call each other would otherwise cost nothing.
    this.#reading.count("maxNodes");
    const copy: Copy = {
      call,
      prefix: call.name.slice(0, maxPart),
      stack: [...stack, callee],
      attributes: new Map([...callee.defaults, ...Object.entries(call.attributes)]),
    };
    const scope: Scope = new Map();
    callee.inputs.forEach((name, index) => {
      if (scope.has(name)) fail("inputs of a function must differ", name);
      scope.set(name, call.inputs[index] ?? "");
    });
    const handedOn: Node[] = [];
    const targets = new Map<string, string>();
    callee.outputs.forEach((name, index) => {
      const target = call.outputs[index] ?? "";
      if (target === "") return;
      // An output that is an input too, or that is listed twice, has its name already.
      if (!scope.has(name) && !targets.has(name)) targets.set(name, target);
      else handedOn.push(identity(`${copy.prefix}/${index}`, name, target));
    });
    const nodes = callee.nodes.flatMap((node) => this.#copyNode(node, scope, copy, targets));
    const unmade = [...targets.keys()].find((name) => !scope.has(name));
    if (unmade !== undefined) fail("every output of a function must be computed", unmade);
    return [
      ...nodes,
      ...handedOn.map((node) => {
        this.#reading.count("maxNodes");
        return { ...node, inputs: node.inputs.map((name) => this.#lookUp(name, scope, copy)) };
      }),
    ];
  }

  /** The node under new names, or the nodes that it stands for; adds its outputs to `scope`. */
  #copyNode(node: Node, scope: Scope, copy: Copy, targets: ReadonlyMap<string, string>): Node[] {
    this.#reading.count("maxNodes");
    this.#reading.count("maxValues", "model", node.inputs.length + node.outputs.length);
    const own = new Map(
      Object.entries(mapGraphs(node.attributes, (inner) => this.#copyGraph(inner, scope, copy))),
    );
    for (const [name, source] of this.#reading.calls.get(node)?.references ?? []) {
      const value = copy.attributes.get(source);
      if (value !== undefined) own.set(name, value);
    }
    const inputs = node.inputs.map((name) => this.#lookUp(name, scope, copy));
    const outputs = node.outputs.map((name) => this.#define(name, scope, copy, targets));
    const copied: Node = {
      ...node,
      name: join(copy.prefix, node.name),
      inputs,
      outputs,
      attributes: Object.fromEntries(own),
    };
    const callee = this.#calleeOf(copied, node);
    return callee === undefined ? [copied] : this.#expand(copied, callee, copy.stack);
  }

  #copyGraph(graph: Subgraph, outer: Scope, copy: Copy): Subgraph {
    const scope: Scope = new Map(outer);
    const none = new Map<string, string>();
    const define = (name: string) => this.#define(name, scope, copy, none);
    const inputs = graph.inputs.map((value) => ({ ...value, name: define(value.name) }));
    const parameters = new Map([...graph.parameters].map(([name, tensor]) => [define(name), tensor]));
    const notes = [...(graph.parameterNotes ?? [])].map(
      ([name, note]) => [scope.get(name) as string, note] as const,
    );
    const nodes = graph.nodes.flatMap((node) => this.#copyNode(node, scope, copy, none));
    const outputs = graph.outputs.map((value) => ({ ...value, name: this.#lookUp(value.name, scope, copy) }));
    return {
      ...graph,
      inputs,
      outputs,
      parameters,
      nodes,
      ...(notes.length === 0 ? {} : { parameterNotes: new Map(notes) }),
    };
  }

  #lookUp(name: string, scope: Scope, { call }: Copy): string {
    const known = name === "" ? "" : scope.get(name);
    if (known !== undefined) return known;
    throw new EspalierError("INVALID_MODEL", {
      thing: `function of node "${call.name}" (${call.op})`,
      rule: "must define every value that it uses",
      received: name,
    });
  }

  #define(name: string, scope: Scope, copy: Copy, targets: ReadonlyMap<string, string>): string {
    if (name === "") return "";
    const unique = targets.get(name) ?? this.#names.take(join(copy.prefix, name));
    scope.set(name, unique);
    return unique;
  }

  /** Adds a function's operator sets to the graph's; they must not differ in meaning. */
  #adoptOpsets(callee: LocalFunction): void {
    for (const [domain, version] of callee.opsets) {
      const known = this.opsets.get(domain);
      if (known === undefined) this.opsets.set(domain, version);
      else if (known !== version) {
        throw new EspalierError("UNSUPPORTED_OPERATOR", {
          thing: `function "${callee.name}"`,
          rule: `must use version ${known} of operator set "${domain}", as the model does`,
          received: version,
          remedy: "Inline it with the onnx package (onnx.inliner.inline_local_functions).",
        });
      }
    }
  }
}

function join(prefix: string, name: string): string {
  return `${prefix}/${name.slice(0, maxPart)}`;
}

function identity(name: string, input: string, output: string): Node {
  return { name, op: "Identity", domain: "", inputs: [input], outputs: [output], attributes: {} };
}

/** The same object if there is no subgraph in it. */
function mapGraphs(
  attributes: Node["attributes"],
  change: (graph: Subgraph) => Subgraph,
): Node["attributes"] {
  if (!Object.values(attributes).some((attribute) => attribute.kind === "graph")) return attributes;
  const entries = Object.entries(attributes).map(([name, attribute]): [string, Attribute] => [
    name,
    attribute.kind === "graph" ? { ...attribute, value: change(attribute.value) } : attribute,
  ]);
  return Object.fromEntries(entries);
}
