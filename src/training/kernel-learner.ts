import { Arena } from "../engine/arena.ts";
import { type KernelAddresses, OptimizerKernel } from "../engine/kernel/optimizer-kernel.ts";
import type { Feeds, Session, SessionOptions } from "../engine/session.ts";
import { makeTensor, sizeOf, type Tensor, zeros } from "../tensor/tensor.ts";
import { type AgeRun, ageRuns, type Births, bornAt, generations } from "./ages.ts";
import { type Clipping, clipGradients, normScale } from "./clipping.ts";
import { compile } from "./compile.ts";
import { differentiate } from "./differentiate.ts";
import type { Learner, LearnerState } from "./learner.ts";
import type { Optimizer, StepScalars } from "./optimizers/optimizer.ts";
import type { Program } from "./program.ts";
import { rateAt } from "./schedule.ts";

/** A trained parameter in the arena. Values are double-buffered, so that the last good ones survive a bad step. */
interface Resident {
  readonly name: string;
  readonly size: number;
  readonly columns: number;
  readonly gradient: { readonly tensor: Tensor; readonly address: number };
  readonly slots: readonly { readonly tensor: Tensor; readonly address: number }[];
  runs: readonly AgeRun[];
  births: Births;
  current: { readonly tensor: Tensor; readonly address: number };
  next: { readonly tensor: Tensor; readonly address: number };
}

/** Forward and backward in ONNX Runtime, the update in a SIMD kernel, both on the same WebAssembly memory. */
export class KernelLearner implements Learner {
  readonly #program: Program;
  readonly #optimizer: Optimizer;
  readonly #clipping: Clipping;
  readonly #session: Session;
  readonly #gradientNames: ReadonlyMap<string, string>;
  readonly #arena: Arena;
  readonly #kernel: OptimizerKernel;
  /** Room for the age factors of one row of the widest parameter. */
  #factors: readonly { readonly address: number; readonly values: Float32Array }[] = [];
  /** The births of all generations, and for each age factor its value in this step for each of them. */
  #births: Int32Array = new Int32Array();
  #factorOf: readonly Float64Array[] = [];
  #residents: readonly Resident[] = [];
  readonly #variables: Record<string, Tensor> = {};
  readonly #loss: Tensor;

  private constructor(
    program: Program,
    optimizer: Optimizer,
    clipping: Clipping,
    session: Session,
    gradientNames: ReadonlyMap<string, string>,
    arena: Arena,
    kernel: OptimizerKernel,
  ) {
    this.#program = program;
    this.#optimizer = optimizer;
    this.#clipping = clipping;
    this.#session = session;
    this.#gradientNames = gradientNames;
    this.#arena = arena;
    this.#kernel = kernel;
    this.#loss = zeros(
      "float32",
      program.graph.typeOf(program.loss).shape.map(() => 1),
    );
  }

  static async create(
    program: Program,
    optimizer: Optimizer,
    clipping: Clipping,
    options: SessionOptions,
  ): Promise<KernelLearner> {
    const gradients = clipGradients(
      program.graph,
      differentiate(program.graph, program.loss, program.trainable),
      clipping,
    );
    const outputs = [program.loss, ...gradients.values(), ...program.updates.values()];
    const session = await compile(program.graph, outputs, options);
    const arena = new Arena();
    const kernel = await OptimizerKernel.create(arena.memory);
    return new KernelLearner(program, optimizer, clipping, session, gradients, arena, kernel);
  }

  get variables(): Feeds {
    return this.#variables;
  }

  async step(feeds: Feeds, step: number): Promise<number> {
    const outputs: Record<string, Tensor | null> = { [this.#program.loss]: this.#loss };
    for (const resident of this.#residents) {
      const name = this.#gradientNames.get(resident.name);
      if (name !== undefined) outputs[name] = resident.gradient.tensor;
    }
    for (const name of this.#program.updates.values()) outputs[name] = null;
    const results = await this.#session.run({ ...this.#variables, ...feeds }, outputs);
    const loss = results[this.#program.loss]?.data[0] as number;
    if (!Number.isFinite(loss)) {
      this.#restore(step);
      return loss;
    }
    for (const [parameter, name] of this.#program.updates)
      this.#variables[parameter] = results[name] as Tensor;
    this.#update(step);
    return loss;
  }

  async gradients(feeds: Feeds) {
    const outputs: Record<string, Tensor | null> = { [this.#program.loss]: this.#loss };
    const gradients = new Map<string, Tensor>();
    for (const { name, gradient } of this.#residents) {
      const value = this.#gradientNames.get(name);
      if (value === undefined) continue;
      outputs[value] = gradient.tensor;
      gradients.set(name, gradient.tensor);
    }
    await this.#session.run({ ...this.#variables, ...feeds }, outputs);
    return { loss: this.#loss.data[0] as number, gradients };
  }

  state(): LearnerState {
    const copy = (tensor: Tensor): Tensor => ({ ...tensor, data: tensor.data.slice() as Float32Array });
    return {
      variables: new Map(Object.entries(this.#variables).map(([name, tensor]) => [name, copy(tensor)])),
      slots: new Map(
        this.#residents.map(({ name, slots }) => [name, slots.map(({ tensor }) => copy(tensor))]),
      ),
      births: new Map(this.#residents.map(({ name, births }) => [name, births])),
    };
  }

  load(state: LearnerState): void {
    const arrays = 3 + this.#optimizer.slots.length;
    const bytes: number[] = [];
    let widest = 1;
    for (const name of this.#program.trainable) {
      const dims = state.variables.get(name)?.dims ?? [];
      for (let copy = 0; copy < arrays; copy++) bytes.push(4 * sizeOf(dims));
      widest = Math.max(widest, sizeOf(dims.slice(1)));
    }
    for (const _ of this.#optimizer.factors) bytes.push(4 * widest);
    this.#arena.reset();
    this.#arena.reserve(...bytes);
    this.#residents = this.#program.trainable.map((name) => this.#reside(name, state));
    this.#findGenerations();
    this.#factors = this.#optimizer.factors.map(() => {
      const address = this.#arena.allocate(4 * widest);
      return { address, values: this.#arena.float32(address, widest) };
    });
    for (const name of this.#program.variables) this.#variables[name] = state.variables.get(name) as Tensor;
    for (const resident of this.#residents) this.#variables[resident.name] = resident.current.tensor;
  }

  async release(): Promise<void> {
    await this.#session.release();
  }

  #reside(name: string, state: LearnerState): Resident {
    const { dims, data } = state.variables.get(name) as Tensor<"float32">;
    const births = state.births.get(name) as Births;
    const place = (values: ArrayLike<number> | undefined) => {
      const address = this.#arena.allocate(4 * data.length);
      const view = this.#arena.float32(address, data.length);
      if (values === undefined) view.fill(0);
      else view.set(values);
      return { tensor: makeTensor("float32", dims, view), address };
    };
    return {
      name,
      size: data.length,
      columns: sizeOf(dims.slice(1)),
      current: place(data),
      next: place(data),
      gradient: place(undefined),
      slots: this.#optimizer.slots.map((_, index) =>
        place(state.slots.get(name)?.[index]?.data as Float32Array),
      ),
      births,
      runs: [{ firstRow: 0, rows: dims[0] ?? 1, generation: 0, columns: undefined }],
    };
  }

  #findGenerations(): void {
    const { factors } = this.#optimizer;
    if (factors.length === 0) return;
    this.#births = generations(this.#residents.map(({ births }) => births));
    this.#factorOf = factors.map(() => new Float64Array(this.#births.length));
    for (const resident of this.#residents) resident.runs = ageRuns(resident.births, this.#births);
  }

  #update(step: number): void {
    const learningRate = rateAt(this.#optimizer.learningRate, step);
    const gradientScale = normScale(this.#clipping, () =>
      this.#residents.reduce(
        (sum, { name, gradient, size }) =>
          this.#gradientNames.has(name) ? sum + this.#kernel.sumOfSquares(gradient.address, size) : sum,
        0,
      ),
    );
    this.#factorOf.forEach((values, index) => {
      const factor = this.#optimizer.factors[index] as (age: number) => number;
      const scale = index === 0 ? learningRate : 1;
      this.#births.forEach((birth, generation) => {
        values[generation] = scale * factor(step + 1 - birth);
      });
    });
    const scalars = { learningRate, gradientScale };
    for (const resident of this.#residents) {
      if (!this.#gradientNames.has(resident.name)) continue;
      for (const run of resident.runs) this.#updateRun(resident, run, scalars);
      const { current, next } = resident;
      resident.current = next;
      resident.next = current;
      this.#variables[resident.name] = next.tensor;
    }
  }

  #updateRun(
    resident: Resident,
    { firstRow, rows, generation, columns }: AgeRun,
    scalars: StepScalars,
  ): void {
    const offset = 4 * firstRow * resident.columns;
    const addresses: KernelAddresses = {
      parameter: resident.current.address + offset,
      next: resident.next.address + offset,
      gradient: resident.gradient.address + offset,
      moment1: (resident.slots[0]?.address ?? 0) + offset,
      moment2: (resident.slots[1]?.address ?? 0) + offset,
    };
    const factors = this.#factors.map(({ address, values }, index) => {
      const factorOf = this.#factorOf[index] as Float64Array;
      if (columns === undefined) return factorOf[generation] as number;
      for (let column = 0; column < columns.length; column++) {
        values[column] = factorOf[Math.max(columns[column] as number, generation)] as number;
      }
      return address;
    });
    this.#optimizer.run(
      {
        kernel: this.#kernel,
        addresses,
        rows,
        columns: resident.columns,
        factors,
        factorsPerColumn: columns !== undefined,
      },
      scalars,
    );
  }

  /**
   * Goes back to the parameters of the last finite loss. The moments belong to the bad ones and start over, and their
   * ages with them: zeros of old age would make steps of several learning rates.
   */
  #restore(step: number): void {
    for (const resident of this.#residents) {
      // Copied, not swapped: a second failure in a row must find the good ones in both buffers.
      (resident.current.tensor.data as Float32Array).set(resident.next.tensor.data as Float32Array);
      for (const slot of resident.slots) (slot.tensor.data as Float32Array).fill(0);
      const { dims } = resident.current.tensor;
      resident.births = bornAt(dims, step);
    }
    this.#findGenerations();
  }
}
