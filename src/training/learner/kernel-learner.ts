import { Arena } from "../../engine/arena.ts";
import { OptimizerKernel } from "../../engine/kernel/optimizer-kernel.ts";
import type { Feeds, Session } from "../../engine/session.ts";
import type { Dim } from "../../graph/dim.ts";
import { grownDims, insertZeros } from "../../growth/grow/apply.ts";
import type { GrowthPlan } from "../../growth/plan/plan.ts";
import type { WidthPart } from "../../growth/plan/width.ts";
import { compile } from "../../models/compile.ts";
import { insertInPlace, removeInPlace } from "../../tensor/insert.ts";
import { makeTensor, sizeOf, type Tensor, zeros } from "../../tensor/tensor.ts";
import { differentiate } from "../graphs/differentiate.ts";
import { countFlops } from "../graphs/flops.ts";
import type { Program } from "../graphs/program.ts";
import { type AgeRun, ageRuns, type Births } from "../optimizers/ages.ts";
import { type Clipping, clipGradients, normScale } from "../optimizers/clipping.ts";
import { type KernelUpdate, type Optimizer, slotsOf } from "../optimizers/optimizer.ts";
import { rateAt } from "../schedules/index.ts";
import type { LearnerSettings } from "../settings/options.ts";
import { KernelFactors } from "./kernel-factors.ts";
import {
  growBirths,
  insertionOf,
  insertionsOf,
  type Learner,
  type LearnerGrowth,
  type LearnerState,
  type Tentative,
} from "./learner.ts";

/** An array in the arena. */
interface Placed {
  readonly tensor: Tensor;
  readonly address: number;
}

/** A trained parameter in the arena. Values are double-buffered so that the last good ones survive a bad step. */
interface Resident {
  readonly name: string;
  readonly dims: readonly number[];
  readonly size: number;
  readonly columns: number;
  readonly gradient: Placed;
  readonly slots: readonly Placed[];
  readonly births: Births;
  /** Entries by age. If ages make no difference, `whole` is used: one run of all entries. */
  runs: readonly AgeRun[];
  readonly whole: readonly AgeRun[];
  current: Placed;
  next: Placed;
}

/** Forward and backward in ONNX Runtime, the update in a SIMD kernel, both on the same WebAssembly memory. */
export class KernelLearner implements Learner {
  readonly flops: Dim;
  readonly #program: Program;
  readonly #optimizer: Optimizer;
  readonly #clipping: Clipping;
  readonly #session: Session;
  readonly #gradientNames: ReadonlyMap<string, string>;
  readonly #arena: Arena;
  readonly #kernel: OptimizerKernel;
  readonly #runKernel: (update: KernelUpdate) => void;
  /** The kernel's arguments, reused: after many growths there are hundreds of calls a step, and each would leave garbage. */
  readonly #call;
  readonly #factors: KernelFactors;
  /** Updates done when the moments last started over. */
  #restart = 0;
  #residents: readonly Resident[] = [];
  readonly #variables: Record<string, Tensor> = {};
  readonly #loss: Tensor;
  /** What a step asks of the session: the loss, the gradients where the kernel reads them, new running statistics. */
  #outputs: Record<string, Tensor | null> = {};

  private constructor(
    program: Program,
    { optimizer, clipping, newborn }: LearnerSettings,
    session: Session,
    gradientNames: ReadonlyMap<string, string>,
    arena: Arena,
    kernel: OptimizerKernel,
    runKernel: (update: KernelUpdate) => void,
  ) {
    this.flops = countFlops(program.graph);
    this.#program = program;
    this.#optimizer = optimizer;
    this.#clipping = clipping;
    this.#session = session;
    this.#gradientNames = gradientNames;
    this.#arena = arena;
    this.#kernel = kernel;
    this.#runKernel = runKernel;
    this.#factors = new KernelFactors(optimizer, newborn);
    this.#call = {
      kernel,
      addresses: { parameter: 0, next: 0, gradient: 0, moment1: 0, moment2: 0 },
      rows: 0,
      columns: 0,
      factors: [] as number[],
      factorsPerColumn: false,
      gradientScale: 1,
    };
    this.#loss = zeros(
      "float32",
      program.graph.typeOf(program.loss).shape.map(() => 1),
    );
  }

  /** `runKernel` is the optimizer's. */
  static async create(
    program: Program,
    settings: LearnerSettings,
    runKernel: (update: KernelUpdate) => void,
  ): Promise<KernelLearner> {
    const gradients = clipGradients(
      program.graph,
      differentiate(program.graph, program.loss, program.trainable),
      settings.clipping,
    );
    const outputs = [program.loss, ...gradients.values(), ...program.updates.values()];
    const session = await compile(program.graph, outputs, settings.session);
    const arena = new Arena();
    const kernel = await OptimizerKernel.create(arena.memory);
    return new KernelLearner(program, settings, session, gradients, arena, kernel, runKernel);
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
      births: birthsOf(this.#residents),
      restart: this.#restart,
    };
  }

  load(state: LearnerState): void {
    this.#restart = state.restart;
    this.#arrange((name) => (state.variables.get(name) as Tensor).dims, state.births);
    for (const { name, slots } of this.#residents) {
      slots.forEach((slot, index) => {
        write(slot, state.slots.get(name)?.[index]?.data as Float32Array);
      });
    }
    this.#setVariables(Object.fromEntries(state.variables));
    this.#settle();
  }

  /**
   * Everything grows in place: copying it for every growth would fragment the process's memory. Until the growth is kept
   * or undone, the second buffer of each parameter contains the old values.
   */
  grow({ plan, step, apply }: LearnerGrowth): Tentative {
    const old = this.#residents;
    const births = birthsOf(old);
    const variables = { ...this.#variables };
    const younger = [...births].map(
      ([name, axes]) => [name, growBirths(axes, name, { plan, step })] as const,
    );
    this.#arrange((name) => grownDims(plan, name, (variables[name] as Tensor).dims), new Map(younger));
    const grown = this.#residents;
    // From last to first, parameters before moments: arrays only move up, so none is overwritten before it has moved.
    for (const [index, { name, dims, current }] of [...old.entries()].reverse()) {
      const room = grown[index] as Resident;
      write(room.current, this.#move(current, room.next));
      const data = this.#arena.float32(room.current.address, sizeOf(dims));
      variables[name] = makeTensor("float32", dims, data);
    }
    for (const [index, { name, dims, slots }] of [...old.entries()].reverse()) {
      for (const [slot, moment] of [...slots.entries()].reverse()) {
        const data = this.#move(moment, (grown[index] as Resident).slots[slot] as Placed);
        insertionsOf(plan, name).reduce((shape, insertion) => insertInPlace(data, shape, insertion), dims);
      }
    }
    const undo = () => {
      this.#arrange((name) => (variables[name] as Tensor).dims, births);
      grown.forEach(({ name, dims, slots }, index) => {
        slots.forEach((moment, slot) => {
          const data = moment.tensor.data as Float32Array;
          insertionsOf(plan, name).reduceRight(
            (shape, insertion) => removeInPlace(data, shape, insertion),
            dims,
          );
          this.#move(moment, (this.#residents[index] as Resident).slots[slot] as Placed);
        });
      });
      this.#residents.forEach(({ name, current }, index) => {
        this.#move((grown[index] as Resident).next, current);
        variables[name] = current.tensor;
      });
      this.#setVariables(variables);
      this.#settle();
    };
    try {
      this.#setVariables(Object.fromEntries(apply(variables, (...edit) => this.#insert(...edit))));
    } catch (error) {
      undo();
      throw error;
    }
    return { keep: () => this.#settle(), undo };
  }

  async release(): Promise<void> {
    await this.#session.release();
  }

  /** Assigns every array its place, moments first so that a growth moves little else; writes nothing. */
  #arrange(dimsOf: (name: string) => readonly number[], births: ReadonlyMap<string, Births>): void {
    const shapes = this.#program.trainable.map(dimsOf);
    const slots = (dims: readonly number[]) => slotsOf(this.#optimizer, dims.length);
    const widest = shapes.reduce((most, dims) => Math.max(most, sizeOf(dims.slice(1))), 1);
    const bytes = shapes.flatMap((dims) => new Array<number>(slots(dims).length + 3).fill(4 * sizeOf(dims)));
    this.#arena.reset();
    const rows = new Array<number>(this.#factors.rows).fill(widest);
    this.#arena.reserve(...bytes, ...rows.map((columns) => 4 * columns));
    const place = (dims: readonly number[]): Placed => {
      const address = this.#arena.allocate(4 * sizeOf(dims));
      return { address, tensor: makeTensor("float32", dims, this.#arena.float32(address, sizeOf(dims))) };
    };
    const moments = shapes.map((dims) => slots(dims).map(() => place(dims)));
    this.#residents = this.#program.trainable.map((name, index) => {
      const dims = shapes[index] as readonly number[];
      const whole = [{ firstRow: 0, rows: dims[0] ?? 1, generation: 0, columns: undefined }];
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
        runs: whole,
        whole,
      };
    });
    this.#factors.place(
      rows.map((columns) => {
        const { address, tensor } = place([columns]);
        return { address, values: tensor.data as Float32Array };
      }),
    );
    const generationBirths = this.#factors.find(this.#residents.map((resident) => resident.births));
    if (generationBirths === undefined) return;
    for (const resident of this.#residents) resident.runs = ageRuns(resident.births, generationBirths);
  }

  /** Takes over variables, and copies the values of trained ones that are not already in their place. */
  #setVariables(variables: Feeds): void {
    for (const name of this.#program.variables) this.#variables[name] = variables[name] as Tensor;
    for (const { name, current, gradient } of this.#residents) {
      const { data } = variables[name] as Tensor<"float32">;
      if (data.byteOffset !== current.address || data.buffer !== this.#arena.memory.buffer)
        write(current, data);
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

  /** Makes the current parameters the last good ones. */
  #settle(): void {
    for (const { current, next } of this.#residents) write(next, current.tensor.data as Float32Array);
  }

  /** Inserts zeros into a trained parameter in place: it has already been given the room. */
  #insert(tensor: Tensor, edit: WidthPart, plan: GrowthPlan): Tensor {
    const resident = this.#residents.find(({ name }) => name === edit.parameter);
    if (resident === undefined) return insertZeros(tensor, edit, plan);
    const data = resident.current.tensor.data as Float32Array;
    const dims = insertInPlace(data, tensor.dims, insertionOf(plan, edit));
    return makeTensor("float32", dims, data.subarray(0, sizeOf(dims)));
  }

  /** Copies an array to another place, which may overlap, and returns the view there. */
  #move(from: Placed, to: Placed): Float32Array {
    const length = Math.min(sizeOf(from.tensor.dims), sizeOf(to.tensor.dims));
    const end = Math.max(from.address, to.address) / 4 + length;
    this.#arena.float32(0, end).copyWithin(to.address / 4, from.address / 4, from.address / 4 + length);
    return to.tensor.data as Float32Array;
  }

  #update(step: number): void {
    this.#call.gradientScale = normScale(this.#clipping, () =>
      this.#residents.reduce(
        (sum, { name, gradient, size }) =>
          this.#gradientNames.has(name) ? sum + this.#kernel.sumOfSquares(gradient.address, size) : sum,
        0,
      ),
    );
    const learningRate = rateAt(this.#optimizer.learningRate, step);
    const differ = this.#factors.workOut({ step, restart: this.#restart, learningRate });
    for (const resident of this.#residents) {
      if (!this.#gradientNames.has(resident.name)) continue;
      for (const run of differ ? resident.runs : resident.whole) this.#updateRun(resident, run);
      const { current, next } = resident;
      resident.current = next;
      resident.next = current;
      this.#variables[resident.name] = next.tensor;
    }
  }

  #updateRun(resident: Resident, run: AgeRun): void {
    const offset = 4 * run.firstRow * resident.columns;
    const call = this.#call;
    call.addresses.parameter = resident.current.address + offset;
    call.addresses.next = resident.next.address + offset;
    call.addresses.gradient = resident.gradient.address + offset;
    call.addresses.moment1 = (resident.slots[0]?.address ?? 0) + offset;
    call.addresses.moment2 = (resident.slots[1]?.address ?? 0) + offset;
    call.rows = run.rows;
    call.columns = resident.columns;
    call.factorsPerColumn = run.columns !== undefined;
    this.#factors.read(call.factors, run);
    this.#runKernel(call);
  }

  /**
   * Restores the parameters of the last finite loss. The moments belong to the bad ones and start over, and so do their
   * ages: zero moments of a high age would make steps of several learning rates. Births stay: no entry is new again.
   */
  #restore(step: number): void {
    for (const resident of this.#residents) {
      // Copied, not swapped: a second failure in a row must find the good ones in both buffers.
      (resident.current.tensor.data as Float32Array).set(resident.next.tensor.data as Float32Array);
      for (const slot of resident.slots) (slot.tensor.data as Float32Array).fill(0);
    }
    this.#restart = step;
  }
}

function birthsOf(residents: readonly Resident[]): ReadonlyMap<string, Births> {
  return new Map(residents.map(({ name, births }) => [name, births]));
}

function write({ tensor }: Placed, values: Float32Array | undefined): void {
  const data = tensor.data as Float32Array;
  if (values === undefined) data.fill(0);
  else data.set(values);
}
