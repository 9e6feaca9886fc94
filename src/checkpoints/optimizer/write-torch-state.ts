import { torchFilePieces } from "../../formats/torch/torch-file.ts";
import { TorchTensor, type TorchValue } from "../../formats/torch/value.ts";
import type { GrownState, GrownStateTensor } from "./grown-state.ts";

/**
 * The pieces of a file from which `torch.load` (with `weights_only=True`, too) reads a state_dict for an optimizer of the
 * same groups. Parameters are named if they were in the input.
 */
export function torchStatePieces({ groups, states, named }: GrownState): Iterable<Uint8Array> {
  const tensors = new Map<string, GrownStateTensor>();
  const tensorOf = (value: GrownStateTensor) => {
    const storage = String(tensors.size);
    tensors.set(storage, value);
    return new TorchTensor(value.dtype, value.dims, storage);
  };
  const state = new Map<bigint, TorchValue>();
  let id = 0n;
  const numbered = groups.map(({ options, parameters }): TorchValue => {
    const ids = parameters.map((name) => {
      const own = states.get(name);
      if (own !== undefined) {
        const entries = [...own].map(([key, value]): [string, TorchValue] => [
          key,
          typeof value === "object" && value !== null ? tensorOf(value) : value,
        ]);
        state.set(id, new Map(entries));
      }
      return id++;
    });
    return new Map<string, TorchValue>([
      ...options,
      ...(named ? [["param_names", parameters] as const] : []),
      ["params", ids],
    ]);
  });
  const value = new Map<string, TorchValue>([
    ["state", state],
    ["param_groups", numbered],
  ]);
  return torchFilePieces(value, ({ storage }) => (tensors.get(storage) as GrownStateTensor).pieces());
}
