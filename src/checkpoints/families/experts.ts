import { unitLayout } from "../../graph/layout.ts";
import { int } from "../../graph/model.ts";
import type { Net } from "../architecture/net.ts";
import type { Anchor, ExpertNames, GatedNames, SizeName, Structure } from "../architecture/structure.ts";

/** down(act(gate x) · up x) (Shazeer, arXiv 2002.05202). */
export function gatedMlp(net: Net, x: string, { gate, up, down }: GatedNames, activation: string): string {
  const units = net.multiply(net.activation(net.linear(x, gate), activation), net.linear(x, up));
  return net.linear(units, down);
}

/** MLPs among which a router chooses for each token (Shazeer et al., arXiv 1701.06538). */
export interface Experts {
  readonly names: ExpertNames;
  readonly count: number;
  /** Experts that each token goes through. */
  readonly perToken: number;
  /** Units of an expert, and of the one that all tokens go through. */
  readonly width: number;
  readonly sharedWidth?: number;
  /** Whether the weights of the chosen experts are divided by their sum. */
  readonly normalized: boolean;
  /** Whether a layer has experts; the others have an MLP as dense models do. Indexed by layer. */
  readonly sparse: readonly boolean[];
  readonly fields: Readonly<Partial<Record<SizeName, readonly string[]>>>;
}

/** The projections `gate_proj`, `up_proj` and `down_proj` of a module. */
export const projectionsOf = (module: string): GatedNames => ({
  gate: `${module}.gate_proj`,
  up: `${module}.up_proj`,
  down: `${module}.down_proj`,
});

/** Σ over the chosen experts of weight · expert(x), for x [batch, sequence, hidden]. All experts run; the others weigh 0. */
export function sparseMlp(net: Net, x: string, layer: string, experts: Experts, activation: string): string {
  const { names, count, perToken, normalized } = experts;
  const probabilities = net.softmax(net.linear(x, names.router(layer)));
  const [chosen = "", indices = ""] = net.graph.emitAll(
    "TopK",
    [probabilities, net.graph.vector([perToken])],
    2,
    { axis: int(-1) },
  );
  const sum = () => net.emit("ReduceSum", [chosen, net.graph.vector([-1])], { keepdims: int(1) });
  const weights = normalized ? net.emit("Div", [chosen, sum()]) : chosen;
  const none = net.multiply(probabilities, net.scalar(0));
  const spread = net.emit("ScatterElements", [none, indices, weights], { axis: int(-1) });
  const each = net.split(
    spread,
    2,
    Array.from({ length: count }, () => 1),
  );
  const weighted = each.map((weight, index) =>
    net.multiply(weight, gatedMlp(net, x, names.expert(layer, index), activation)),
  );
  if (names.shared !== undefined) {
    const shared = names.shared(layer);
    const open = net.emit("Sigmoid", [net.linear(x, shared.sharedGate)]);
    weighted.push(net.multiply(open, gatedMlp(net, x, shared, activation)));
  }
  return weighted.reduce((total, one) => net.add(total, one));
}

/** What experts add to the structure of a decoder whose layers are called `prefix` and a number. */
export function expertParts(experts: Experts, prefix: string) {
  const { names, count, perToken, width, sharedWidth, sparse, fields } = experts;
  const anchor = (module: string, units: number): Anchor => ({
    parameter: `${module}.weight`,
    axis: 0,
    layout: unitLayout,
    units,
  });
  const layers = sparse.flatMap((is, index) => (is ? [`${prefix}${index}`] : []));
  const each = Array.from({ length: count }, (_, index) => index);
  const { shared } = names;
  const sharedFfn =
    shared === undefined || sharedWidth === undefined
      ? undefined
      : layers.map((layer) => anchor(shared(layer).gate, sharedWidth));
  return {
    sizes: {
      experts: count,
      perToken,
      expertFfn: width,
      ...(sharedWidth === undefined ? {} : { sharedFfn: sharedWidth }),
    },
    fields,
    anchors: {
      expertFfn: layers.flatMap((layer) =>
        each.map((index) => anchor(names.expert(layer, index).gate, width)),
      ),
      ...(sharedFfn === undefined ? {} : { sharedFfn }),
    },
    lists: sparse.includes(false) ? denseLists(sparse) : {},
    experts: layers.map((layer) => ({
      router: names.router(layer),
      expert: (index: number) => names.expert(layer, index),
    })),
  } satisfies Partial<Structure> & { lists: unknown };
}

/** Qwen's classes compute from a layer's number whether it is sparse; once layers are inserted, a list says it. */
function denseLists(sparse: readonly boolean[]) {
  return {
    mlp_only_layers: (order: readonly number[]) =>
      order.flatMap((layer, index) => (sparse[layer] === true ? [] : [index])),
    decoder_sparse_step: () => 1,
  };
}
