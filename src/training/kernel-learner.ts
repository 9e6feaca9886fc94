import { Arena } from "../engine/arena.ts";
import { type KernelAddresses, OptimizerKernel } from "../engine/kernel/optimizer-kernel.ts";
import type { Feeds, Session, SessionOptions } from "../engine/session.ts";
import { insertInPlace, removeInPlace } from "../tensor/insert.ts";
import { makeTensor, sizeOf, type Tensor, zeros } from "../tensor/tensor.ts";
import { type AgeRun, ageRuns, type Births, bornAt, generations } from "./ages.ts";
import { type Clipping, clipGradients, normScale } from "./clipping.ts";
import { compile } from "./compile.ts";
import { differentiate } from "./differentiate.ts";
import { growBirths, insertionsOf, type Learner, type LearnerGrowth, type LearnerState } from "./learner.ts";
import type { Optimizer, StepScalars } from "./optimizers/optimizer.ts";
import type { Program } from "./program.ts";
import { rateAt } from "./schedule.ts";

/** An array in the arena. */
interface Placed {
  readonly tensor: Tensor;
  readonly address: number;
}

/** A trained parameter in the arena. Values are double-buffered, so that the last good ones survive a bad step. */
interface Resident {
  readonly name: string;
  readonly dims: readonly number[];
  readonly size: number;
  readonly columns: number;
  readonly gradient: Placed;
  readonly slots: readonly Placed[];
  runs: readonly AgeRun[];
  births: Births;
  current: Placed;
  next: Placed;
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
  /** What a step asks of the session: the loss, the gradients where the kernel reads them, new running statistics. */
  #outputs: Record<string, Tensor | null> = {};

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
    const results = await this.#session.run({ ...this.#variables, ...feeds }, this.#outputs);
    const loss = this.#loss.data[0] as number;
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
    await this.#session.run({ ...this.#variables, ...feeds }, this.#outputs);
    const gradients = this.#residents
      .filter(({ name }) => this.#gradientNames.has(name))
      .map(({ name, gradient }) => [name, gradient.tensor] as const);
    return { loss: this.#loss.data[0] as number, gradients: new Map(gradients) };
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
    this.#arrange(state.variables, state.births);
    for (const { name, slots } of this.#residents) {
      slots.forEach((slot, index) => {
        write(slot, state.slots.get(name)?.[index]?.data as Float32Array);
      });
    }
    this.#setVariables(state.variables);
  }

  /** Moments grow where they are: copies of them, a growth at a time, would leave the process full of holes. */
  grow({ plan, step, from, to }: LearnerGrowth): () => void {
    const old = this.#residents;
    const births = new Map(old.map((resident) => [resident.name, resident.births]));
    const grown = new Map(
      old.map(({ name }) => [name, growBirths(births.get(name) as Births, name, { plan, step })]),
    );
    this.#arrange(to, grown);
    const residents = this.#residents;
    // From the last: nothing moves down, so nothing is overwritten before it has moved.
    for (let index = old.length - 1; index >= 0; index--) {
      const { name, dims, slots } = old[index] as Resident;
      for (let slot = slots.length - 1; slot >= 0; slot--) {
        const data = this.#move(slots[slot] as Placed, (residents[index] as Resident).slots[slot] as Placed);
        insertionsOf(plan, name).reduce((before, insertion) => insertInPlace(data, before, insertion), dims);
      }
    }
    this.#setVariables(to);
    return () => {
      residents.forEach(({ name, dims, slots }, index) => {
        slots.forEach((slot, number) => {
          const data = slot.tensor.data as Float32Array;
          insertionsOf(plan, name).reduceRight(
            (after, insertion) => removeInPlace(data, after, insertion),
            dims,
          );
          this.#move(slot, (old[index] as Resident).slots[number] as Placed);
        });
      });
      this.#arrange(from, births);
      this.#setVariables(from);
    };
  }

  async release(): Promise<void> {
    await this.#session.release();
  }

  /** Gives every array its place, moments first so that a growth moves little else; writes nothing. */
  #arrange(variables: ReadonlyMap<string, Tensor>, births: ReadonlyMap<string, Births>): void {
    const { slots, factors } = this.#optimizer;
    const shapes = this.#program.trainable.map((name) => (variables.get(name) as Tensor).dims);
    const widest = shapes.reduce((most, dims) => Math.max(most, sizeOf(dims.slice(1))), 1);
    const bytes = shapes.flatMap((dims) => new Array<number>(slots.length + 3).fill(4 * sizeOf(dims)));
    this.#arena.reset();
    this.#arena.reserve(...bytes, ...factors.map(() => 4 * widest));
    const place = (dims: readonly number[]): Placed => {
      const address = this.#arena.allocate(4 * sizeOf(dims));
      return { address, tensor: makeTensor("float32", dims, this.#arena.float32(address, sizeOf(dims))) };
    };
    const moments = shapes.map((dims) => slots.map(() => place(dims)));
    this.#residents = this.#program.trainable.map((name, index) => {
      const dims = shapes[index] as readonly number[];
      return {
        name,
        dims,
        size: sizeOf(dims),
        columns: sizeOf(dims.slice(1)),
        current: place(dims),
        next: place(dims),
        gradient: place(dims),
        slots: moments[index] as readonly Placed[],
        births: births.get(name) as Births,
        runs: [{ firstRow: 0, rows: dims[0] ?? 1, generation: 0, columns: undefined }],
      };
    });
    this.#factors = factors.map(() => {
      const { address, tensor } = place([widest]);
      return { address, values: tensor.data as Float32Array };
    });
    this.#findGenerations();
  }

  #setVariables(variables: ReadonlyMap<string, Tensor>): void {
    for (const name of this.#program.variables) this.#variables[name] = variables.get(name) as Tensor;
    for (const { name, current, next, gradient } of this.#residents) {
      const { data } = variables.get(name) as Tensor<"float32">;
      write(current, data);
      write(next, data);
      write(gradient, undefined);
      this.#variables[name] = current.tensor;
    }
    this.#outputs = { [this.#program.loss]: this.#loss };
    for (const { name, gradient } of this.#residents) {
      const output = this.#gradientNames.get(name);
      if (output !== undefined) this.#outputs[output] = gradient.tensor;
    }
    for (const name of this.#program.updates.values()) this.#outputs[name] = null;
  }

  /** Copies an array to another place, which may overlap, and gives the view there. */
  #move(from: Placed, to: Placed): Float32Array {
    const length = Math.min(sizeOf(from.tensor.dims), sizeOf(to.tensor.dims));
    const end = Math.max(from.address, to.address) / 4 + length;
    this.#arena.float32(0, end).copyWithin(to.address / 4, from.address / 4, from.address / 4 + length);
    return to.tensor.data as Float32Array;
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

function write({ tensor }: Placed, values: Float32Array | undefined): void {
  const data = tensor.data as Float32Array;
  if (values === undefined) data.fill(0);
  else data.set(values);
}
