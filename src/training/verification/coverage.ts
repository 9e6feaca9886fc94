import type { Graph } from "../../graph/model.ts";
import type { OutputDifference } from "../../growth/compare.ts";
import { isReal, realValues } from "../../growth/real-parameter.ts";
import { type Tensor, textsOf } from "../../tensor/tensor.ts";

/** What was seen of one output over all trials. */
export interface OutputCoverage {
  readonly output: string;
  /** Whether anything was compared, so that a difference would have shown. */
  readonly compared: boolean;
  /** Why nothing was; empty where something was. */
  readonly reason: string;
  readonly entries: number;
  readonly finite: number;
  /** Entries that took more than one value over the inputs. */
  readonly varying: number;
  /** Entries that had a chance to: places of outputs of the same shape. */
  readonly places: number;
}

/** An output of which fewer entries than this share are finite has hardly been looked at. */
const leastFinite = 0.05;

/** Values of one shape: the first ones, and which of them were ever another. */
interface Seen {
  readonly first: ArrayLike<number | bigint | string>;
  readonly varied: Uint8Array;
}

/** Keeps account of what the trials show of one output. */
export class Coverage {
  readonly #output: string;
  readonly #free: boolean;
  readonly #seen = new Map<string, Seen>();
  #entries = 0;
  #finite = 0;
  #undecided = 0;

  /** `free`: whether the output depends on the inputs at all. */
  constructor(output: string, free: boolean) {
    this.#output = output;
    this.#free = free;
  }

  see(value: Tensor, { entries, finite, undecided }: OutputDifference): void {
    this.#entries += entries;
    this.#finite += finite;
    this.#undecided += undecided;
    const key = value.dims.join();
    const values = plain(value);
    const seen = this.#seen.get(key);
    if (seen === undefined) {
      this.#seen.set(key, { first: values, varied: new Uint8Array(values.length) });
      return;
    }
    for (let index = 0; index < values.length; index++) {
      const [a, b] = [seen.first[index], values[index]];
      if (a !== b && isFiniteValue(a) && isFiniteValue(b)) seen.varied[index] = 1;
    }
  }

  get told(): OutputCoverage {
    const masks = [...this.#seen.values()].map(({ varied }) => varied);
    const places = masks.reduce((sum, { length }) => sum + length, 0);
    const varying = masks.reduce((sum, mask) => sum + mask.reduce((own, bit) => own + bit, 0), 0);
    const counts = { entries: this.#entries, finite: this.#finite, varying, places };
    const reason = this.#reason(varying);
    return { output: this.#output, compared: reason === "", reason, ...counts };
  }

  #reason(varying: number): string {
    const entries = this.#entries;
    // It is what it is: one look at it is a proof.
    if (!this.#free) return "";
    if (entries === 0) return "it has no entries";
    if (this.#finite === 0) return "it is not finite anywhere";
    if (this.#finite < leastFinite * entries) return `only ${this.#finite} of ${entries} entries are finite`;
    if (this.#finite <= this.#undecided) return "rounding alone decides every entry";
    return varying === 0 ? "it is the same whatever the inputs are" : "";
  }
}

/** The outputs that are made of the inputs. */
export function outputsOfInputs({ inputs, outputs, nodes, parameters }: Graph): ReadonlySet<string> {
  const reached = new Set(inputs.map(({ name }) => name).filter((name) => !parameters.has(name)));
  for (const node of nodes) {
    const reads = node.inputs.some((name) => reached.has(name));
    // A body (If, Loop) may read any value around it.
    const hidden = Object.values(node.attributes).some(({ kind }) => kind === "graph");
    if (reads || hidden) for (const name of node.outputs) reached.add(name);
  }
  return new Set(outputs.map(({ name }) => name).filter((name) => reached.has(name)));
}

function plain(tensor: Tensor): ArrayLike<number | bigint | string> {
  if (tensor.dtype === "string") return textsOf(tensor);
  return isReal(tensor.dtype) ? realValues(tensor) : tensor.data;
}

function isFiniteValue(value: number | bigint | string | undefined): boolean {
  return typeof value !== "number" || Number.isFinite(value);
}
