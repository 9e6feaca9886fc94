import { type ExportedProgram, exportedProgram } from "../../graph/exported-program.ts";
import { isInvented } from "../../graph/layer-names.ts";
import { wasLifted } from "../../graph/lifted.ts";
import type { Graph, Model } from "../../graph/model.ts";
import { isReal } from "../../growth/plan/real-parameter.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { isUniform, patternOf } from "./value-patterns.ts";

/** Last parts of names that tensors have which are stored with a module, but not trained. */
const bufferName =
  /^(((pixel|image|img|data|input|feature|x)_)?(mean|std|var|variance|mu|sigma)|(\w+_)?mask|pe|pos(itional|ition)?_?enc(oding)?s?|(\w*_)?inv_freq|freqs?(_cis)?|(\w+_)?(cos|sin)(_(cached|table))?|(\w+_)?position_ids|relative_position_index|(\w+_)?anchors?|(mel_)?(fb|filterbank|filters)|window|blur_kernel|running_\w+|buffer\w*|_?(lifted_tensor|tensor_constant)_?\d+)$/i;
/** Last parts of names that layers give what they train. */
const weightName = /^(weight|bias|kernel|gamma|beta|\w*_weight|\w*_bias)(:0)?$/i;

/** Calls of PyTorch that rearrange a tensor: what they make of a parameter trains as the parameter does. */
const rearranging =
  /^(t|numpy_t|mT|permute|transpose|(_unsafe_)?view|reshape|flatten|(un)?squeeze|slice|select|index(_select)?|embedding|cat|stack|chunk|split(_with_sizes)?|unbind|getitem|clone|contiguous|detach|alias|_?to(_copy)?)(_\d+)?$/;

/**
 * Where the parameters of a model come from, as far as its file shows it: which of them PyTorch, or whoever made the file,
 * would not train. PyTorch's dynamo exporter says it; else Constant nodes, names and patterns of values do.
 */
export class ParameterOrigins {
  readonly #graph: Graph;
  readonly #program: ExportedProgram | undefined;
  readonly #torch: boolean;
  /** Whether Constant nodes are for constants: some exporters write weights so, too. */
  readonly #hasOthers: boolean;
  /** Tensors that dynamo's exporter made of others, with the parameters and buffers that their readers were given instead. */
  readonly #folded = new Map<string, readonly string[]>();
  /** Of those, uniform ones that are beside the parameters that a call was given: the unit scale of a written-out norm. */
  readonly #beside = new Set<string>();
  /** Parameters of the program that are in the file under no name and in no reader's call. */
  readonly #lost: readonly string[];

  constructor({ graph, producer }: Model) {
    this.#graph = graph;
    this.#program = exportedProgram(graph);
    this.#torch = producer === "pytorch";
    this.#hasOthers = [...graph.parameters].some(
      ([name, { dtype, dims }]) => isReal(dtype) && dims.length > 1 && !wasLifted(graph, name),
    );
    const seen = new Set(graph.parameters.keys());
    if (this.#program !== undefined) this.#readCalls(this.#program, seen);
    this.#lost = [...(this.#program?.parameters ?? [])].filter((name) => !seen.has(name));
  }

  #readCalls(program: ExportedProgram, seen: Set<string>): void {
    const { parameters, nodes } = this.#graph;
    const calls = new Map<string, string[]>();
    for (const node of nodes) {
      const given = program.given(node).filter((name) => !parameters.has(name));
      for (const name of given) seen.add(name);
      for (const name of node.inputs) {
        if (parameters.has(name) && !program.parameters.has(name) && !program.constants.has(name)) {
          this.#folded.set(name, [...(this.#folded.get(name) ?? []), ...given]);
          const call = given.join();
          calls.set(call, [...(calls.get(call) ?? []), name]);
        }
      }
    }
    for (const [call, names] of calls) {
      const reals = [...new Set(names)].filter((name) => isReal((parameters.get(name) as Tensor).dtype));
      const [fresh, others] = [reals.filter(this.#isUniform), reals.filter((name) => !this.#isUniform(name))];
      const wanted = call === "" ? 0 : call.split(",").length;
      const size = (name: string) => (parameters.get(name) as Tensor).data.length;
      // The parameters come after the unit scales, and are as long or longer.
      const likeliest = fresh.reverse().sort((a, b) => size(b) - size(a));
      for (const name of likeliest.slice(Math.max(0, wanted - others.length))) this.#beside.add(name);
    }
  }

  readonly #isUniform = (name: string): boolean =>
    isUniform(this.#graph.parameters.get(name)?.data as Float32Array);

  /** Why a parameter is taken for a constant; undefined for one to train. */
  constant(name: string): string | undefined {
    const tensor = this.#graph.parameters.get(name) as Tensor;
    if (wasLifted(this.#graph, name)) {
      return this.#hasOthers ? "a Constant node" : patternOf(tensor);
    }
    const program = this.#program;
    if (program?.parameters.has(name)) return undefined;
    if (program?.constants.has(name)) return "a buffer";
    if (program !== undefined) return this.#foldedConstant(name, tensor, program);
    const own = name.split(/[./]/).at(-1) as string;
    if (bufferName.test(own)) return "a buffer, by its name";
    const weight = weightName.test(own) && !(this.#torch && own === "kernel");
    return weight ? undefined : patternOf(tensor);
  }

  #foldedConstant(name: string, tensor: Tensor, program: ExportedProgram): string | undefined {
    const given = this.#folded.get(name) ?? [];
    if (given.some((one) => program.parameters.has(one))) {
      return this.#beside.has(name) ? "made of constants" : patternOf(tensor);
    }
    if (given.length > 0) return "made of a buffer";
    return this.#lost.length > 0 ? patternOf(tensor) : "made of constants";
  }

  /** Whether the file names it as something that is trained, even if it is a single number. */
  isNamed(name: string): boolean {
    if (this.#program !== undefined) return this.#program.parameters.has(name);
    if (!this.#torch || wasLifted(this.#graph, name) || isInvented(name)) return false;
    return /^[A-Za-z_][\w.]*$/.test(name);
  }

  /** Parameters of PyTorch's module that the file holds only in what its exporter computed of them and of others. */
  get folded(): readonly string[] {
    const program = this.#program;
    if (program === undefined) return [];
    // A call without a tensor of its own, such as that of a BatchNormalization that is now in the weights before it.
    const within = this.#graph.nodes.flatMap((node) => {
      const given = program.given(node).filter((name) => !this.#graph.parameters.has(name));
      const folded = node.inputs.some((name) => this.#folded.has(name));
      return folded ? [] : given.filter((name) => program.parameters.has(name));
    });
    const elsewhere = this.#computed.length === 0 ? [] : this.#lost;
    const explained = new Set([...this.#folded.values()].flat());
    return [...new Set([...elsewhere, ...within.filter((name) => !explained.has(name))])];
  }

  /**
   * Throws `ARGUMENT` for a model whose trained tensors were computed from PyTorch's parameters: it would train something
   * else than PyTorch does, such as the entries that a mask takes out.
   */
  refuseComputed(): void {
    const tensors = this.#computed;
    if (tensors.length === 0) return;
    throw new EspalierError("ARGUMENT", {
      thing: `parameters ${this.#lost.join(", ")}`,
      rule: "must be in the file to be trained as PyTorch does, but its exporter computed others from them",
      received: tensors,
      remedy:
        "Export with optimize=False, or train the computed tensors in their place with trainConstants (--train-constants).",
    });
  }

  /** Tensors that dynamo's exporter computed, other than by rearranging, while parameters are lost. */
  get #computed(): readonly string[] {
    if (this.#lost.length === 0) return [];
    return [...this.#folded]
      .filter(([name, given]) => given.length === 0 && !rearranging.test(name) && !isInvented(name))
      .map(([name]) => name)
      .filter((name) => {
        const tensor = this.#graph.parameters.get(name) as Tensor;
        // Zeros and single numbers are made of nothing that is trained.
        return isReal(tensor.dtype) && !this.#isUniform(name) && patternOf(tensor) === undefined;
      });
  }
}
