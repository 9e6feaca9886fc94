import { openTorchFile, type TorchFile } from "../../formats/torch/torch-file.ts";
import { TorchTensor, type TorchValue } from "../../formats/torch/value.ts";
import type { SourceFile } from "../../platform/platform.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { checkStates } from "./check-states.ts";
import { shareOut } from "./grouping.ts";
import { inModuleOrder } from "./module-order.ts";
import type { OptimizerState, ParameterGroup, ParameterState, StateTensor } from "./state.ts";

/** Parameter names, by group. */
type OptimizerNames = readonly (readonly string[])[];
type Dict = ReadonlyMap<string | bigint, TorchValue>;

/**
 * Reads what `torch.save(optimizer.state_dict(), …)` or Trainer wrote for an optimizer of this model's
 * parameters. States are numbered there, in the order of the class's parameters. Throws `FORMAT`,
 * `TOO_LARGE`.
 */
export function readTorchState(
  file: SourceFile,
  { tensors, family }: Pick<Checkpoint, "tensors" | "family">,
): OptimizerState {
  const torch = openTorchFile((offset, length) => file.read(offset, length), file.size);
  const { state, groups } = partsOf(torch.value);
  const ids = groups.map((group) => idsOf(group));
  const { names, named, assumed } = namesOf(
    groups,
    ids.map(({ length }) => length),
    { tensors, family },
  );
  const nameOf = new Map<bigint, string>();
  ids.flat().forEach((id, at) => {
    if (id !== BigInt(at)) refuse("must number its parameters from 0 on, group by group", String(id));
    nameOf.set(id, names.flat()[at] as string);
  });
  const states = new Map<string, ParameterState>();
  for (const [id, one] of state) {
    const name = typeof id === "bigint" ? nameOf.get(id) : undefined;
    if (name === undefined || !isDict(one)) {
      return refuse("must have a state for the parameters of its groups, by their numbers", String(id));
    }
    states.set(name, stateOf(name, one, torch));
  }
  checkStates(states, tensors);
  return {
    groups: groups.map((group, at): ParameterGroup => {
      const options = [...group].filter(([key]) => key !== "params" && key !== "param_names");
      return { options: new Map(options as [string, TorchValue][]), parameters: names[at] as string[] };
    }),
    states,
    named,
    assumed,
  };
}

function partsOf(value: TorchValue): { readonly state: Dict; readonly groups: readonly Dict[] } {
  const [state, groups] = isDict(value) ? [value.get("state"), value.get("param_groups")] : [];
  if (!isDict(value) || value.size !== 2 || !isDict(state) || !isList(groups) || !groups.every(isDict)) {
    return refuse("must be the state_dict of an optimizer: state and param_groups", kindOf(value));
  }
  if (groups.some((group) => [...group.keys()].some((key) => typeof key !== "string"))) {
    refuse("must have options with names", "numbers");
  }
  return { state, groups };
}

function idsOf(group: Dict): readonly bigint[] {
  const ids = group.get("params");
  if (isList(ids) && ids.every((id) => typeof id === "bigint")) return ids;
  return refuse("must list the numbers of each group's parameters", kindOf(ids ?? null));
}

/** Names of the parameters of each group: those in the file, or those that the class's order implies. */
function namesOf(
  groups: readonly Dict[],
  sizes: readonly number[],
  { tensors, family }: Pick<Checkpoint, "tensors" | "family">,
): { readonly names: OptimizerNames; readonly named: boolean; readonly assumed: string } {
  const given = groups.map((group) => group.get("param_names"));
  if (given.every((names) => isList(names) && names.every((name) => typeof name === "string"))) {
    const names = given as readonly (readonly string[])[];
    const [all, known] = [names.flat(), new Set(names.flat())];
    const strange = all.find((name) => !tensors.has(name));
    if (strange !== undefined) refuse("must name parameters as the model's files do", strange);
    if (known.size !== all.length || names.some((list, at) => list.length !== sizes[at])) {
      refuse("must name each parameter once", all.length);
    }
    return { names, named: true, assumed: "the names that it gives" };
  }
  const ordered = inModuleOrder(family.type, tensors.keys());
  if (ordered === undefined) {
    return refuse(
      `must name its parameters (param_names): the order of ${family.type}'s is not known here`,
      family.type,
    );
  }
  const { groups: names, assumed } = shareOut(ordered, (name) => tensors.get(name)?.dims.length ?? 0, sizes);
  return { names, named: false, assumed };
}

function stateOf(name: string, entries: Dict, torch: TorchFile): ParameterState {
  const state = new Map<string, StateTensor | number | null>();
  for (const [key, value] of entries) {
    if (value instanceof TorchTensor) {
      const { dtype, dims } = value;
      state.set(String(key), {
        dtype,
        dims,
        read: (from: number, count: number) => torch.read(value, from, count),
      });
    } else if (value === null || typeof value === "number" || typeof value === "bigint") {
      state.set(String(key), value === null ? null : Number(value));
    } else refuse(`must keep tensors and numbers for ${name}`, kindOf(value));
  }
  return state;
}

const isDict = (value: TorchValue | undefined): value is Dict => value instanceof Map;
const isList = (value: TorchValue | undefined): value is readonly TorchValue[] => Array.isArray(value);

const kindOf = (value: TorchValue) =>
  value instanceof TorchTensor
    ? "a tensor"
    : isDict(value)
      ? [...value.keys()].slice(0, 5).map(String)
      : String(value);

function refuse(rule: string, received: unknown): never {
  throw new EspalierError("FORMAT", {
    thing: "optimizer state",
    rule,
    received,
    remedy:
      "Save it with torch.save(optimizer.state_dict(), …), of an optimizer of model.named_parameters() if need be.",
  });
}
