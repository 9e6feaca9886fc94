import { defaultProviders, InferenceSession, Tensor as OrtTensor } from "#runtime";
import { type DType, dtypes } from "../tensor/dtype.ts";
import { EspalierError } from "../tensor/errors.ts";
import type { Tensor } from "../tensor/tensor.ts";

export interface SessionOptions {
  /** Threads inside one operator. Default 1: small networks lose more to hand-over than they gain. */
  readonly threads?: number;
  /** ONNX Runtime's graph optimisation. Default "all". */
  readonly optimization?: "disabled" | "basic" | "extended" | "all";
  /** Execution providers, best first. Default: CPU in Node, wasm in the browser. */
  readonly providers?: readonly string[];
}

export type Feeds = Readonly<Record<string, Tensor>>;

/**
 * One ONNX graph, ready to run. Tensors go in and come out without copying in Node; an output
 * named in `into` is written in place.
 */
export class Session {
  readonly #session: InferenceSession;
  /** ONNX Runtime's handle of each tensor we have seen: making one anew each step would cost more than a small step. */
  readonly #handles = new WeakMap<Tensor, OrtTensor>();

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  /** Compiles an encoded model. Throws `ENGINE` with ONNX Runtime's reason. */
  static async create(model: Uint8Array, options: SessionOptions = {}): Promise<Session> {
    try {
      const session = await InferenceSession.create(model, {
        executionProviders: [...(options.providers ?? defaultProviders)],
        graphOptimizationLevel: options.optimization ?? "all",
        intraOpNumThreads: options.threads ?? 1,
        interOpNumThreads: 1,
        executionMode: "sequential",
        logSeverityLevel: 3,
      });
      return new Session(session);
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
   * place (its dims must match). Throws `ENGINE`.
   */
  async run(feeds: Feeds, outputs: Readonly<Record<string, Tensor | null>>): Promise<Record<string, Tensor>> {
    const fetches: Record<string, OrtTensor | null> = {};
    for (const name in outputs) {
      const into = outputs[name];
      fetches[name] = into === null || into === undefined ? null : this.#handle(into);
    }
    const inputs: Record<string, OrtTensor> = {};
    for (const name in feeds) inputs[name] = this.#handle(feeds[name] as Tensor);
    const results = await this.#session.run(inputs, fetches).catch((cause: unknown) => {
      throw engineError("could not run the graph", cause);
    });
    const named: Record<string, Tensor> = {};
    for (const name in outputs) named[name] = landed(name, outputs[name] ?? null, results[name]);
    return named;
  }

  async release(): Promise<void> {
    await this.#session.release();
  }

  #handle(tensor: Tensor): OrtTensor {
    let handle = this.#handles.get(tensor);
    if (handle === undefined) {
      handle = new OrtTensor(tensor.dtype, tensor.data as Float32Array, tensor.dims);
      this.#handles.set(tensor, handle);
    }
    return handle;
  }
}

/** The tensor asked for. Node fills it in place; the browser's runtime hands out memory of its own, to be copied. */
function landed(name: string, into: Tensor | null, result: OrtTensor | undefined): Tensor {
  if (into === null) return fromOrt(name, result);
  const data = result?.data as Float32Array | undefined;
  if (data !== undefined && data.buffer !== into.data.buffer) (into.data as Float32Array).set(data);
  return into;
}

function fromOrt(name: string, result: OrtTensor | undefined): Tensor {
  if (result === undefined || !dtypes.includes(result.type as DType)) {
    throw new EspalierError("UNSUPPORTED_TYPE", {
      thing: `output "${name}"`,
      rule: "must be a numeric tensor",
      received: result?.type ?? "nothing",
    });
  }
  return { dtype: result.type as DType, dims: result.dims, data: result.data as Float32Array };
}

function engineError(rule: string, cause: unknown): EspalierError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new EspalierError("ENGINE", { thing: "ONNX Runtime", rule, received: message, cause });
}
