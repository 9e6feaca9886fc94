import type { Family } from "../architecture/structure.ts";
import type { Config } from "../folder/config.ts";
import { classic, fullAttention } from "./classic.ts";

const root = "vit.";

/** ViT (Dosovitskiy et al., arXiv 2010.11929) with its classifier, which reads the class token. */
export const vit: Family = {
  type: "vit",
  layerFields: ["num_hidden_layers"],
  read(config, _, fixedHeadDim) {
    const [hidden, heads] = [config.count("hidden_size"), config.few("num_attention_heads")];
    const sizes = {
      hidden,
      heads,
      headDim: fixedHeadDim ?? config.few("head_dim", Math.floor(hidden / heads)),
      ffn: config.count("intermediate_size"),
      layers: config.few("num_hidden_layers"),
    };
    const epsilon = config.number("layer_norm_eps", 1e-12);
    const activation = config.text("hidden_act", "gelu");
    const [height, width] = sides(config, "image_size", 224);
    const patch = sides(config, "patch_size", 16);
    const channels = config.count("num_channels", 3);
    const token = `${root}embeddings.cls_token`;
    return classic({
      sizes,
      fields: {
        hidden: ["hidden_size"],
        ffn: ["intermediate_size"],
        heads: ["num_attention_heads"],
        layers: ["num_hidden_layers"],
      },
      inputs: [{ name: "pixels", dtype: "float32", shape: ["batch", channels, height, width] }],
      prefix: `${root}encoder.layer.`,
      embeddings(net, { pixels = "" }) {
        const patches = net.convolution(pixels, `${root}embeddings.patch_embeddings.projection`, {
          strides: patch,
        });
        const rows = net.transpose(net.reshape(patches, [0, 0, -1]), [0, 2, 1]);
        const batch = net.slice(net.emit("Shape", [pixels]), 0, 0, 1);
        const shape = net.concat([batch, net.graph.vector([1, 1])], 0);
        const tokens = net.emit("Expand", [net.parameter(token), shape]);
        const places = net.parameter(`${root}embeddings.position_embeddings`);
        return { h: net.add(net.concat([tokens, rows], 1), places) };
      },
      layer(net, { h = "" }, name) {
        const read = net.layerNorm(h, `${name}.layernorm_before`, epsilon);
        const linear = (part: string) => net.linear(read, `${name}.attention.attention.${part}`);
        const attended = fullAttention(net, [linear("query"), linear("key"), linear("value")], sizes);
        const middle = net.add(net.linear(attended, `${name}.attention.output.dense`), h);
        const normed = net.layerNorm(middle, `${name}.layernorm_after`, epsilon);
        const inner = net.activation(net.linear(normed, `${name}.intermediate.dense`), activation);
        return net.add(net.linear(inner, `${name}.output.dense`), middle);
      },
      head(net, h) {
        const last = net.layerNorm(h, `${root}layernorm`, epsilon);
        return net.linear(net.entry(last, 1, 0), "classifier");
      },
      stream: { parameter: token, axis: 2 },
      vocabulary: [],
      positions: [],
      ffn: (name) => ({ parameter: `${name}.intermediate.dense.weight`, axis: 0 }),
      heads: (name) => ({
        parameter: `${name}.attention.attention.query.weight`,
        axis: 0,
        layout: [{ inner: sizes.headDim }],
      }),
      silenced: /^(attention\.output|output)\.dense\.(weight|bias)$/,
      tied: false,
      lastNorm: [`${root}layernorm.weight`, `${root}layernorm.bias`],
      pinned: { head_dim: sizes.headDim },
      initializer: config.number("initializer_range", 0.02),
    });
  },
  rules: () => [],
};

/** Height and width, which a configuration may give as one number. */
function sides(config: Config, key: string, otherwise: number): readonly [number, number] {
  const [height = otherwise, width = height] = config.counts(key) ?? [];
  return [height, width];
}
