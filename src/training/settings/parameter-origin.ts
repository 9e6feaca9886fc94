import { type ExportedProgram, exportedProgram } from "../../graph/exported-program.ts";
import { isInvented } from "../../graph/layer-names.ts";
import { wasLifted } from "../../graph/lifted.ts";
import type { Graph, Model } from "../../graph/model.ts";
import { isReal } from "../../growth/plan/real-parameter.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { isUniform, patternOf } from "./value-patterns.ts";

/** Last parts of the names of tensors that are stored with a module but not trained. */
const bufferName =
  /^(((pixel|image|img|data|input|feature|x)_)?(mean|std|var|variance|mu|sigma)|(\w+_)?mask|pe|pos(itional|ition)?_?enc(oding)?s?|(\w*_)?inv_freq|freqs?(_cis)?|(\w+_)?(cos|sin)(_(cached|table))?|(\w+_)?position_ids|relative_position_index|(\w+_)?anchors?|(mel_)?(fb|filterbank|filters)|window|blur_kernel|running_\w+|buffer\w*|_?(lifted_tensor|tensor_constant)_?\d+)$/i;
/** Last parts of the names of trained parameters of layers. */
const weightName = /^(weight|bias|kernel|gamma|beta|\w*_weight|\w*_bias)(:0)?$/i;

/** Calls of PyTorch that rearrange a tensor: their result trains as the parameter itself does. */
const rearranging =
  /^(t|numpy_t|mT|permute|transpose|(_unsafe_)?view|reshape|flatten|(un)?squeeze|slice|select|index(_select)?|embedding|cat|stack|chunk|split(_with_sizes)?|unbind|getitem|clone|contiguous|detach|alias|_?to(_copy)?)(_\d+)?$/;

/**
 * Where the parameters of a model come from, as far as its file shows it: which of them PyTorch, or the tool that made the
 * file, would not train. PyTorch's dynamo exporter says so; otherwise Constant nodes, names and patterns of values do.
 */
export class ParameterOrigins {
  readonly #graph: Graph;
  readonly #program: ExportedProgram | undefined;
  readonly #torch: boolean;
  /** Whether Constant nodes are for constants: some exporters also write weights that way. */
  readonly #hasOthers: boolean;
  /** Tensors that dynamo's exporter computed from others, with the parameters and buffers that their readers originally took. */
  readonly #folded = new Map<string, readonly string[]>();
  /** Those that are uniform and in addition to the parameters of a call: the unit scale of a decomposed norm. */
  readonly #beside = new Set<string>();
  /** Parameters of the program that the file contains under no name and in no reader's call. */
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

  /** Why a parameter is taken as a constant; undefined for one to train. */
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

  /** PyTorch parameters that the file contains only through tensors that its exporter computed from them. */
  get folded(): readonly string[] {
    const program = this.#program;
    if (program === undefined) return [];
    // A call without a tensor in the file, such as that of a BatchNormalization that is now part of the weights before it.
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
   * Throws `ARGUMENT` for a model whose trained tensors were computed from PyTorch's parameters: it would not train
   * what PyTorch does, but for example also the entries that a mask removes.
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
        // Zeros and single numbers are not computed from anything that is trained.
        return isReal(tensor.dtype) && !this.#isUniform(name) && patternOf(tensor) === undefined;
      });
  }
}
