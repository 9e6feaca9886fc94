import { int } from "../../graph/model.ts";
import { positionsOf } from "../architecture/attention.ts";
import type { Net } from "../architecture/net.ts";
import type { Structure } from "../architecture/structure.ts";
import type { Config } from "../folder/config.ts";
import { type ClassicSizes, classic, fullAttention, refuseVariant } from "./classic.ts";

/** Parameter names of the parts of an encoder with norms after its branches. */
export interface EncoderNames {
  readonly root: string;
  readonly prefix: string;
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly attended: string;
  readonly attentionNorm: string;
  readonly inner: string;
  readonly outer: string;
  readonly lastNorm: string;
  /** In the head that predicts tokens. */
  readonly transform: string;
  readonly headNorm: string;
  readonly headBias: string;
}

export interface EncoderOptions {
  readonly sizes: ClassicSizes;
  readonly fields: Structure["fields"];
  readonly names: EncoderNames;
  readonly epsilon: number;
  readonly activation: string;
  readonly typed: boolean;
  /** The id of the padding token, if positions start after it (RoBERTa). */
  readonly padding?: number;
  readonly unused: RegExp;
}

const escaped = (name: string) => name.replaceAll(".", "\\.");

/** BERT and its relatives with the token-prediction head, tied to the embeddings. */
export function encoder(config: Config, options: EncoderOptions): Structure {
  const { sizes, fields, names, epsilon, activation, typed, padding, unused } = options;
  const { root } = names;
  if (!config.flag("tie_word_embeddings", true)) {
    refuseVariant(config, "tie_word_embeddings", "must be true: an untied head is not supported");
  }
  const table = `${root}embeddings.word_embeddings.weight`;
  const places = `${root}embeddings.position_embeddings.weight`;
  return classic({
    sizes,
    fields,
    prefix: names.prefix,
    embeddings(net, { ids = "" }) {
      const positions = padding === undefined ? positionsOf(net, ids) : positionsBehind(net, ids, padding);
      let h = net.add(net.lookup(table, ids), net.lookup(places, positions));
      if (typed) h = net.add(h, net.lookup(`${root}embeddings.token_type_embeddings.weight`, net.index(0)));
      return { h: net.layerNorm(h, `${root}embeddings.LayerNorm`, epsilon) };
    },
    layer(net, { h = "" }, name) {
      const linear = (part: string, x = h) => net.linear(x, `${name}.${part}`);
      const attended = fullAttention(
        net,
        [linear(names.query), linear(names.key), linear(names.value)],
        sizes,
      );
      const sum = net.add(linear(names.attended, attended), h);
      const middle = net.layerNorm(sum, `${name}.${names.attentionNorm}`, epsilon);
      const out = linear(names.outer, net.activation(linear(names.inner, middle), activation));
      return net.layerNorm(net.add(out, middle), `${name}.${names.lastNorm}`, epsilon);
    },
    head(net, h) {
      const transformed = net.activation(net.linear(h, names.transform), activation);
      const normed = net.layerNorm(transformed, names.headNorm, epsilon);
      const scores = net.matmul(normed, net.transpose(net.parameter(table), [1, 0]));
      return net.add(scores, net.parameter(names.headBias));
    },
    stream: { parameter: table, axis: 1 },
    vocabulary: [table, names.headBias],
    positions: [{ name: places, more: 0 }],
    ffn: (name) => ({ parameter: `${name}.${names.inner}.weight`, axis: 0 }),
    heads: (name) => ({
      parameter: `${name}.${names.query}.weight`,
      axis: 0,
      layout: [{ inner: sizes.headDim }],
    }),
    silenced: new RegExp(`^(${escaped(names.attended)}|${escaped(names.outer)})\\.(weight|bias)$`),
    postNorm: { inner: names.attentionNorm, last: names.lastNorm },
    tied: true,
    lastNorm: [`${names.headNorm}.weight`, `${names.headNorm}.bias`],
    unused,
    initializer: config.number("initializer_range", 0.02),
  });
}

/** Positions that count the tokens that are not padding, starting after the id of the padding token. */
function positionsBehind(net: Net, ids: string, padding: number): string {
  const real = net.emit("Cast", [net.emit("Not", [net.emit("Equal", [ids, net.index(padding)])])], {
    to: int(7),
  });
  const counted = net.emit("CumSum", [real, net.index(1)]);
  return net.add(net.multiply(counted, real), net.index(padding));
}
