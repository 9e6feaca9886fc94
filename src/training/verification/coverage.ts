import type { Graph } from "../../graph/model.ts";
import { type LocatedDifference, verdicts } from "../../growth/examine/compare.ts";
import { isReal, realValues } from "../../growth/plan/real-parameter.ts";
import { type Tensor, textsOf } from "../../tensor/tensor.ts";

/** What all trials showed of one output. */
export interface OutputCoverage {
  readonly output: string;
  /** Whether anything was compared, so that a difference would have shown. */
  readonly compared: boolean;
  /** Why nothing was compared; empty if something was. */
  readonly reason: string;
  readonly entries: number;
  readonly finite: number;
  /** Entries that took more than one value over the inputs. */
  readonly varying: number;
  /** Entries that could have varied: places in outputs of the same shape. */
  readonly places: number;
}

/** An output does not count as compared if a smaller share of entries is finite, over all inputs and in each domain. */
const leastFinite = { overall: 0.1, somewhere: 0.5 };

type Plain = number | bigint | string;

/** Values of one shape: the first finite ones, which places ever had another, and how often each verdict was given. */
interface Seen {
  readonly first: Plain[];
  readonly varied: Uint8Array;
  readonly moved: Uint32Array;
  readonly undecided: Uint32Array;
}

/** A place is open if it was undecided at least this often and never differed for certain. */
const often = 3;

/** Records what the trials show of one output. */
export class Coverage {
  readonly #output: string;
  readonly #free: boolean;
  readonly #seen = new Map<string, Seen>();
  readonly #domains = new Map<string, { readonly entries: number; readonly finite: number }>();
  #entries = 0;
  #finite = 0;
  #undecided = 0;

  /** `free`: whether the output depends on the inputs at all. */
  constructor(output: string, free: boolean) {
    this.#output = output;
    this.#free = free;
  }

  /** `inputs` names the domain that they were drawn from. */
  see(inputs: string, value: Tensor, { entries, finite, undecided, at }: LocatedDifference): void {
    this.#entries += entries;
    this.#finite += finite;
    this.#undecided += undecided;
    const domain = this.#domains.get(inputs) ?? { entries: 0, finite: 0 };
    this.#domains.set(inputs, { entries: domain.entries + entries, finite: domain.finite + finite });
    const key = value.dims.join();
    const values = plain(value);
    const { length } = values;
    const seen = this.#seen.get(key) ?? {
      first: Array.from(values),
      varied: new Uint8Array(length),
      moved: new Uint32Array(length),
      undecided: new Uint32Array(length),
    };
    this.#seen.set(key, seen);
    at?.forEach((verdict, place) => {
      if (verdict === verdicts.moved) seen.moved[place] = (seen.moved[place] as number) + 1;
      if (verdict === verdicts.undecided) seen.undecided[place] = (seen.undecided[place] as number) + 1;
    });
    for (let index = 0; index < values.length; index++) {
      const value = values[index] as Plain;
      if (!isFiniteValue(value) || value === seen.first[index]) continue;
      if (isFiniteValue(seen.first[index] as Plain)) seen.varied[index] = 1;
      else seen.first[index] = value;
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
    // It is constant, so one comparison is a proof.
    if (!this.#free) return "";
    if (entries === 0) return "it has no entries";
    if (this.#finite === 0) return "it is not finite anywhere";
    const { overall, somewhere } = leastFinite;
    const somewhereOften = [...this.#domains.values()].some((one) => one.finite >= somewhere * one.entries);
    if (this.#finite < overall * entries && !somewhereOften)
      return `only ${this.#finite} of ${entries} entries are finite`;
    if (this.#finite <= this.#undecided) return "rounding alone decides every entry";
    const open = [...this.#seen.values()].reduce((sum, one) => sum + openPlaces(one), 0);
    if (open > 0) return `in ${open} entries rounding alone decides, for all inputs`;
    return varying === 0 ? "it is the same for all inputs" : "";
  }
}

function openPlaces({ moved, undecided }: Seen): number {
  return undecided.filter((times, place) => times >= often && moved[place] === 0).length;
}

/** The outputs that depend on the inputs. */
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

function plain(tensor: Tensor): ArrayLike<Plain> {
  if (tensor.dtype === "string") return textsOf(tensor);
  return isReal(tensor.dtype) ? realValues(tensor) : tensor.data;
}

function isFiniteValue(value: Plain): boolean {
  return typeof value !== "number" || Number.isFinite(value);
}
