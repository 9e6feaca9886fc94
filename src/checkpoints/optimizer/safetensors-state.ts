import { makeLimits } from "../../formats/limits.ts";
import { planSafetensors, readSafetensorsHeader, widestFirst } from "../../formats/safetensors-header.ts";
import { PythonTuple, TorchTensor, type TorchValue } from "../../formats/torch/value.ts";
import type { SourceFile } from "../../platform/platform.ts";
import { bytesPerElement } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { checkStates } from "./check-states.ts";
import type { GrownState, GrownStateTensor } from "./grown-state.ts";
import type { OptimizerState, ParameterGroup, ParameterState, StateTensor } from "./state.ts";

/** Metadata key of the groups, as JSON: a list of options and `params`, the names of the parameters. */
const groupsKey = "param_groups";

/**
 * Reads a safetensors file of the tensors `<parameter>.exp_avg`, `<parameter>.exp_avg_sq`, `<parameter>.step`, whose
 * metadata lists the groups. Throws `FORMAT`, `TOO_LARGE`, `UNSUPPORTED_TYPE`.
 */
export function readSafetensorsState(
  file: SourceFile,
  { tensors }: Pick<Checkpoint, "tensors">,
): OptimizerState {
  const read = (offset: number, length: number) => file.read(offset, length);
  const { slots, metadata, dataStart } = readSafetensorsHeader(read, file.size, makeLimits());
  const groups = groupsOf(metadata.get(groupsKey));
  const names = new Set(groups.flatMap(({ parameters }) => parameters));
  const strange = [...names].find((name) => !tensors.has(name));
  if (strange !== undefined) refuse("must name parameters as the model's files do", strange);
  if (names.size !== groups.reduce((sum, { parameters }) => sum + parameters.length, 0)) {
    refuse("must have each parameter in one group", names.size);
  }
  const states = new Map<string, Map<string, StateTensor>>();
  for (const { name, thing, dtype, dims, begin, end } of slots) {
    const [, parameter = "", key = ""] = /^(.*)\.([^.]+)$/s.exec(name) ?? [];
    if (!names.has(parameter)) refuse("must have states of parameters of its groups", name);
    const width = bytesPerElement(dtype);
    if (end - begin !== sizeOf(dims) * width) {
      throw new EspalierError("FORMAT", {
        thing,
        rule: `needs ${sizeOf(dims) * width} bytes`,
        received: end - begin,
      });
    }
    const state = states.get(parameter) ?? new Map<string, StateTensor>();
    state.set(key, {
      dtype,
      dims,
      read: (from, count) => read(dataStart + begin + from * width, count * width),
    });
    states.set(parameter, state);
  }
  checkStates(states as ReadonlyMap<string, ParameterState>, tensors);
  return { groups, states, named: true, assumed: "the names that it gives" };
}

function groupsOf(text: string | undefined): readonly ParameterGroup[] {
  let groups: unknown;
  try {
    groups = JSON.parse(text ?? "");
  } catch {
    return refuse(`must list its groups in its metadata, as JSON in ${groupsKey}`, text ?? "nothing");
  }
  if (!Array.isArray(groups)) return refuse(`must have a list in ${groupsKey}`, groups);
  return groups.map((group: unknown): ParameterGroup => {
    if (typeof group !== "object" || group === null)
      return refuse("must have groups that are objects", group);
    const { params, ...options } = group as { readonly [key: string]: unknown };
    if (!Array.isArray(params) || !params.every((name) => typeof name === "string")) {
      return refuse("must have groups that name their params", params);
    }
    const entries = Object.entries(options).map(([key, value]) => [key, optionOf(key, value)] as const);
    return { options: new Map(entries), parameters: params };
  });
}

function optionOf(key: string, value: unknown): TorchValue {
  const isPlain = (one: unknown) =>
    one === null || typeof one === "boolean" || typeof one === "number" || typeof one === "string";
  if (isPlain(value)) return value as TorchValue;
  if (Array.isArray(value) && value.every(isPlain)) return new PythonTuple(value as TorchValue[]);
  return refuse(`must have numbers, text or lists of them as options: ${key}`, value);
}

/**
 * The pieces of such a file. Throws `UNSUPPORTED_TYPE` for an option or a count that the format cannot
 * represent.
 */
export function safetensorsStatePieces({ groups, states }: GrownState): Iterable<Uint8Array> {
  const tensors = [...states].flatMap(([name, state]) =>
    [...state].flatMap(([key, value]) => {
      if (value === null) return [];
      return [{ name: `${name}.${key}`, ...(typeof value === "number" ? scalar(value) : value) }];
    }),
  );
  const listed = groups.map(({ options, parameters }) => {
    const entries = [...options].map(([key, value]) => [key, plainOf(key, value)] as const);
    return { ...Object.fromEntries(entries), params: parameters };
  });
  const metadata = new Map([
    ["format", "pt"],
    [groupsKey, JSON.stringify(listed)],
  ]);
  const { header } = planSafetensors(tensors, metadata);
  return (function* () {
    yield header;
    for (const { pieces } of widestFirst(tensors)) yield* pieces();
  })();
}

/** A count as a tensor, PyTorch's form. */
export function scalar(value: number): GrownStateTensor {
  const bytes = new Uint8Array(Float32Array.of(value).buffer);
  return { dtype: "float32", dims: [], pieces: () => [bytes] };
}

function plainOf(key: string, value: TorchValue): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof PythonTuple) return value.items.map((item) => plainOf(key, item));
  if (Array.isArray(value)) return value.map((item: TorchValue) => plainOf(key, item));
  if (value instanceof TorchTensor || value instanceof Map) {
    throw new EspalierError("UNSUPPORTED_TYPE", {
      thing: `option "${key}" of the optimizer`,
      rule: "must be a number or text to be written to safetensors",
      received: value instanceof TorchTensor ? "a tensor" : "a dictionary",
    });
  }
  return value;
}

function refuse(rule: string, received: unknown): never {
  throw new EspalierError("FORMAT", {
    thing: "optimizer state",
    rule,
    received,
    remedy: "docs/checkpoints.md shows how to write such a file.",
  });
}
