import {
  defaultProviders,
  fillsOutputs,
  type InferenceSession,
  loadRuntime,
  type Tensor as OrtTensor,
  type Runtime,
} from "#runtime";
import { type DType, dtypes } from "../tensor/dtype.ts";
import { EspalierError } from "../tensor/errors.ts";
import { freeBuffers } from "../tensor/free-buffers.ts";
import { type Tensor, textsOf, textTensor } from "../tensor/tensor.ts";

export interface SessionOptions {
  /**
   * Threads inside one operator; in a browser they are the page's (docs/browser.md). Default 1: small networks lose
   * more to hand-over than they gain.
   */
  readonly threads?: number;
  /** ONNX Runtime's graph optimization. Default "all". */
  readonly optimization?: "disabled" | "basic" | "extended" | "all";
  /** Execution providers, best first. Default: CPU in Node, wasm in the browser. */
  readonly providers?: readonly string[];
}

/** What the library itself decides about a session. */
export interface SessionSettings extends SessionOptions {
  /**
   * Whether ONNX Runtime keeps memory that is free for the next run, which is faster. Default true. Without it a session
   * takes only what is in use.
   */
  readonly keepsMemory?: boolean;
}

export type Feeds = Readonly<Record<string, Tensor>>;

/**
 * One ONNX graph, ready to run. In Node tensors go in without copying, and an output that is given a tensor is computed
 * in it; ONNX Runtime still copies every output into a fresh array on the way out. In a browser it copies both.
 */
export class Session {
  readonly #session: InferenceSession;
  readonly #runtime: Runtime;
  /** ONNX Runtime's handle of each tensor we have seen: making a new one each step would cost more than a small step. */
  readonly #handles = new WeakMap<Tensor, OrtTensor>();

  private constructor(session: InferenceSession, runtime: Runtime) {
    this.#session = session;
    this.#runtime = runtime;
  }

  /** Compiles an encoded model. Throws `ENGINE` with ONNX Runtime's reason. */
  static async create(model: Uint8Array, options: SessionSettings = {}): Promise<Session> {
    const { providers = defaultProviders, threads = 1, keepsMemory = true } = options;
    try {
      const runtime = await loadRuntime({ providers, threads });
      const session = await runtime.InferenceSession.create(model, {
        executionProviders: [...providers],
        graphOptimizationLevel: options.optimization ?? "all",
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        executionMode: "sequential",
        enableCpuMemArena: keepsMemory,
        enableMemPattern: keepsMemory,
        // Failures are thrown with the reason: no need to write them to the caller's stderr as well.
        logSeverityLevel: 4,
      });
      return new Session(session, runtime);
    } catch (cause) {
      throw engineError("could not compile the graph", cause);
    }
  }

  get inputNames(): readonly string[] {
    return this.#session.inputNames;
  }

  get outputNames(): readonly string[] {
    return this.#session.outputNames;
  }

  /**
   * Runs the graph. `outputs` names what to compute: null asks for a fresh tensor, a tensor is filled in
   * place (its dims must match; in a browser at the cost of a copy). Throws `ENGINE`.
   */
  async run(feeds: Feeds, outputs: Readonly<Record<string, Tensor | null>>): Promise<Record<string, Tensor>> {
    const fetches: Record<string, OrtTensor | null> = {};
    for (const name in outputs) {
      const into = outputs[name];
      fetches[name] = into && fillsOutputs ? this.#handle(into) : null;
    }
    const inputs: Record<string, OrtTensor> = {};
    for (const name in feeds) inputs[name] = this.#handle(feeds[name] as Tensor);
    const results = await this.#session.run(inputs, fetches).catch((cause: unknown) => {
      throw engineError("could not run the graph", cause);
    });
    const named: Record<string, Tensor> = {};
    const copies: ArrayBuffer[] = [];
    for (const name in outputs) {
      const into = outputs[name] ?? null;
      const result = results[name];
      named[name] = landed(name, into, result);
      const { buffer } = (result?.data ?? {}) as Partial<Float32Array<ArrayBuffer>>;
      // Nobody uses the copy of a tensor that was filled in place.
      if (into && fillsOutputs && buffer && buffer !== into.data.buffer) copies.push(buffer);
    }
    if (copies.length > 0) freeBuffers(copies);
    return named;
  }

  async release(): Promise<void> {
    await this.#session.release();
  }

  #handle(tensor: Tensor): OrtTensor {
    let handle = this.#handles.get(tensor);
    if (handle === undefined) {
      checkTaken(tensor);
      handle =
        tensor.dtype === "string"
          ? new this.#runtime.Tensor("string", textsOf(tensor), tensor.dims)
          : new this.#runtime.Tensor(tensor.dtype, tensor.data as Float32Array, tensor.dims);
      this.#handles.set(tensor, handle);
    }
    return handle;
  }
}

/** The requested tensor: filled in place by the runtime, or by a copy of its result. */
function landed(name: string, into: Tensor | null, result: OrtTensor | undefined): Tensor {
  if (into !== null && fillsOutputs) return into;
  const fresh = fromOrt(name, result);
  if (into === null) return fresh;
  (into.data as Float32Array).set(fresh.data as Float32Array);
  return into;
}

function fromOrt(name: string, result: OrtTensor | undefined): Tensor {
  if (result === undefined || !dtypes.includes(result.type as DType)) {
    throw new EspalierError("UNSUPPORTED_TYPE", {
      thing: `output "${name}"`,
      rule: "must be a tensor of numbers, booleans or strings",
      received: result?.type ?? "nothing",
    });
  }
  if (result.type === "string") return textTensor(result.dims, result.data as string[]);
  return { dtype: result.type as DType, dims: result.dims, data: result.data as Float32Array };
}

/** The one element type that ONNX Runtime's JavaScript interface does not accept. */
type Foreign = "bfloat16";

function checkTaken(tensor: Tensor): asserts tensor is Tensor<Exclude<DType, Foreign>> {
  const { dtype, dims } = tensor;
  if (dtype !== "bfloat16") return;
  throw new EspalierError("UNSUPPORTED_TYPE", {
    thing: `${dtype} tensor [${dims.join(", ")}]`,
    rule: "cannot be handed to ONNX Runtime",
  });
}

function engineError(rule: string, cause: unknown): EspalierError {
  const message = cause instanceof Error ? cause.message : String(cause);
  // Its message in a browser if the wasm file is missing, and anywhere for a provider that it was not built with.
  const remedy = /no available backend/i.test(message)
    ? "The provider is not available here, or the bundle did not find its wasm file: see docs/browser.md."
    : undefined;
  return new EspalierError("ENGINE", {
    thing: "ONNX Runtime",
    rule,
    received: message,
    cause,
    ...(remedy === undefined ? {} : { remedy }),
  });
}
