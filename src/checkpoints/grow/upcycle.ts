import { EspalierError } from "../../tensor/errors.ts";
import { listed } from "../../tensor/number-text.ts";
import type { GatedNames, SizeName } from "../architecture/structure.ts";
import { families } from "../families/index.ts";
import type { Growing, GrownTensor } from "./growing.ts";

/** Experts that every MLP becomes, and how many of them each token goes through. */
export interface Upcycling {
  readonly experts: number;
  readonly perToken: number;
}

/**
 * Makes every MLP a choice among copies of itself (sparse upcycling, Komatsuzaki et al., arXiv 2212.05055). The weights of the
 * chosen experts add up to 1, so any router gives what the MLP gave; it is drawn, so that tokens differ in the experts that
 * they train. If the new class has a shared expert, half of the answer comes from it, through a gate of zeros. A size that is
 * `wanted` of the MLPs becomes one of the experts.
 */
export function upcycle(
  growing: Growing,
  upcycling: Upcycling | undefined,
  wanted: Map<SizeName, number>,
): void {
  if (upcycling === undefined) return;
  const { experts, perToken } = upcycling;
  const { family, config, structure } = growing;
  const { sparse } = family;
  if (sparse === undefined) {
    const able = families.filter((one) => one.sparse !== undefined).map(({ type }) => type);
    throw new EspalierError("NOT_GROWABLE", {
      thing: "experts",
      rule: `can be made only of the MLPs of ${listed(able)}`,
      received: family.type,
      ...(structure.experts === undefined
        ? {}
        : { remedy: `It has experts: --widen ${structure.fields.experts?.[0]}=x2 multiplies them.` }),
    });
  }
  if (experts < 2 || perToken < 1 || perToken > experts) {
    throw new EspalierError("ARGUMENT", {
      thing: "experts",
      rule: "must be 2 or more, and those of a token from 1 to all of them",
      received: { experts, perToken },
    });
  }
  sparse.check?.(config, (name) => growing.tensors.has(name));
  growing.tensors = withExperts(growing, upcycling);
  const architectures = config
    .texts("architectures")
    ?.map((name) => name.replace(/^.*?(?=For|Model)/, sparse.className));
  growing.become(sparse.family, {
    model_type: sparse.family.type,
    ...(architectures === undefined ? {} : { architectures }),
    ...structure.pinned,
    ...sparse.fields(config, { experts, perToken, width: structure.sizes.ffn as number }),
  });
  growing.steps.push({
    field: growing.structure.fields.experts?.[0] as string,
    from: 1,
    to: experts,
    method: "copied experts",
  });
  const units = wanted.get("ffn");
  if (units === undefined) return;
  wanted.delete("ffn");
  for (const name of ["expertFfn", "sharedFfn"] as const) {
    if (growing.structure.sizes[name] !== undefined) wanted.set(name, units);
  }
}

function withExperts(
  { family, structure, tensors }: Growing,
  { experts }: Upcycling,
): Map<string, GrownTensor> {
  const { names } = family.sparse as NonNullable<typeof family.sparse>;
  const grown = new Map<string, GrownTensor>();
  const put = (tensor: GrownTensor) => grown.set(tensor.name, tensor);
  for (const tensor of tensors.values()) {
    const [, layer = "", part = ""] = /^(.*)\.mlp\.(gate|up|down)_proj\.weight$/.exec(tensor.name) ?? [];
    if (layer === "") {
      put(tensor);
      continue;
    }
    const which = part as keyof GatedNames;
    const halved =
      names.shared !== undefined && which === "down"
        ? { ...tensor, stages: [...tensor.stages, { kind: "scale" as const, factor: 0.5, offset: 0 }] }
        : tensor;
    if (which === "gate") {
      const hidden = tensor.dims[1] as number;
      const fresh = (name: string, rows: number, deviation: number) =>
        put({ ...tensor, name, dims: [rows, hidden], stages: [{ kind: "fresh", rows, deviation }] });
      fresh(`${names.router(layer)}.weight`, experts, structure.initializer);
      if (names.shared !== undefined) fresh(`${names.shared(layer).sharedGate}.weight`, 1, 0);
    }
    for (let index = 0; index < experts; index++) {
      put({ ...halved, name: `${names.expert(layer, index)[which]}.weight` });
    }
    if (names.shared !== undefined) put({ ...tensor, name: `${names.shared(layer)[which]}.weight` });
  }
  return grown;
}
