"""Transformers of the `transformers` library, made from tiny configurations: random weights, nothing downloaded."""

from collections.abc import Callable

import torch
import transformers as hf
from torch import nn

from entry import TORCHSCRIPT, Input, Refusal, Torch, Width, ids, mask


class Picked(nn.Module):
    """A model whose keyword arguments are positional and whose only output is what `pick` takes from its record."""

    def __init__(self, inner: nn.Module, names: tuple[str, ...], pick: str = "logits", **fixed) -> None:
        super().__init__()
        self.inner, self.names, self.pick, self.fixed = inner, names, pick, fixed

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.inner(**dict(zip(self.names, inputs, strict=True)), **self.fixed, return_dict=True)[self.pick]


def bert(attention: str) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        config = hf.BertConfig(
            **{"vocab_size": 53, "max_position_embeddings": 17, "type_vocab_size": 2, "num_labels": 3},
            **{"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 40},
            **{"initializer_range": 0.2, "attn_implementation": attention},
        )
        return Picked(hf.BertForSequenceClassification(config), ("input_ids", "attention_mask", "token_type_ids"))

    return make


def albert() -> nn.Module:
    config = hf.AlbertConfig(
        **{"vocab_size": 53, "max_position_embeddings": 17, "type_vocab_size": 2, "num_labels": 3},
        **{"embedding_size": 14, "hidden_size": 20, "num_hidden_layers": 2, "num_attention_heads": 4},
        **{"intermediate_size": 36, "initializer_range": 0.2},
    )
    return Picked(hf.AlbertForSequenceClassification(config), ("input_ids", "attention_mask"))


def distilbert() -> nn.Module:
    config = hf.DistilBertConfig(
        **{"vocab_size": 53, "max_position_embeddings": 17, "num_labels": 3, "initializer_range": 0.2},
        **{"dim": 20, "n_layers": 2, "n_heads": 4, "hidden_dim": 34},
    )
    return Picked(hf.DistilBertForSequenceClassification(config), ("input_ids", "attention_mask"))


def gpt2(*names: str) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        config = hf.GPT2Config(
            **{"vocab_size": 59, "n_positions": 19, "initializer_range": 0.2},
            **{"n_embd": 28, "n_layer": 2, "n_head": 4, "n_inner": 44, "bos_token_id": 0, "eos_token_id": 0},
        )
        return Picked(hf.GPT2LMHeadModel(config), names, use_cache=False)

    return make


def llama() -> nn.Module:
    config = hf.LlamaConfig(
        **{"vocab_size": 61, "max_position_embeddings": 32, "tie_word_embeddings": False, "initializer_range": 0.2},
        **{"hidden_size": 18, "head_dim": 8, "num_attention_heads": 6, "num_key_value_heads": 2},
        **{"intermediate_size": 38, "num_hidden_layers": 2},
    )
    return Picked(hf.LlamaForCausalLM(config), ("input_ids", "attention_mask"), use_cache=False)


def t5() -> nn.Module:
    config = hf.T5Config(
        **{"vocab_size": 47, "d_model": 22, "d_kv": 6, "num_heads": 4, "d_ff": 38, "num_layers": 2},
        **{"num_decoder_layers": 2, "feed_forward_proj": "gated-gelu", "initializer_factor": 1.0},
        **{
            "relative_attention_num_buckets": 10,
            "relative_attention_max_distance": 16,
            "tie_word_embeddings": True,
            "attn_implementation": "eager",
        },
    )
    return Picked(hf.T5ForConditionalGeneration(config), ("input_ids", "decoder_input_ids"), use_cache=False)


def whisper_config() -> hf.WhisperConfig:
    return hf.WhisperConfig(
        **{"num_mel_bins": 10, "d_model": 24, "max_source_positions": 9, "init_std": 0.2, "num_labels": 5},
        **{"encoder_layers": 2, "encoder_attention_heads": 3, "encoder_ffn_dim": 42, "classifier_proj_size": 14},
        **{"decoder_layers": 1, "decoder_attention_heads": 3, "decoder_ffn_dim": 20, "vocab_size": 31},
        **{"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 3},
    )


def whisper() -> nn.Module:
    return Picked(hf.WhisperForAudioClassification(whisper_config()), ("input_features",))


def whisper_encoder() -> nn.Module:
    encoder = hf.WhisperForAudioClassification(whisper_config()).encoder
    return Picked(encoder, ("input_features",), pick="last_hidden_state")


def attention(where: str, heads: int, size: int, query: str, key: str, value: str, axis: int = 0) -> tuple[Width, ...]:
    """The widths of attention with as many heads of keys and values as of queries."""
    return (
        Width(f"heads of {where}", "head", heads, query, axis),
        Width(f"query and key size of a head of {where}", "neuron", size, key, axis),
        Width(f"value size of a head of {where}", "neuron", size, value, axis),
    )


def bert_widths() -> tuple[Width, ...]:
    widths = [
        # After a norm the stream is what the norm scales, entry by entry, and its mean is in no new entry's reach.
        Width(
            "residual stream and embeddings", "neuron", 24, "inner.bert.embeddings.word_embeddings.weight", 1, step=24
        ),
        Width("pooler", "neuron", 24, "inner.bert.pooler.dense.weight"),
    ]
    for layer in (0, 1):
        prefix = f"inner.bert.encoder.layer.{layer}"
        names = (f"{prefix}.attention.self.{name}.weight" for name in ("query", "key", "value"))
        widths += attention(f"layer {layer}", 4, 6, *names)
        widths.append(Width(f"inner width of layer {layer}", "neuron", 40, f"{prefix}.intermediate.dense.weight"))
    return tuple(widths)


def albert_widths() -> tuple[Width, ...]:
    block = "inner.albert.encoder.albert_layer_groups.0.albert_layers.0"
    return (
        Width("embedding", "neuron", 14, "inner.albert.embeddings.word_embeddings.weight", 1),
        Width("residual stream", "neuron", 20, "inner.albert.encoder.embedding_hidden_mapping_in.weight", step=20),
        *attention(
            "the shared layer", 4, 5, *[f"{block}.attention.{name}.weight" for name in ("query", "key", "value")]
        ),
        Width("inner width of the shared layer", "neuron", 36, f"{block}.ffn.weight"),
        Width("pooler", "neuron", 20, "inner.albert.pooler.weight"),
    )


def distilbert_widths() -> tuple[Width, ...]:
    widths = [
        Width("residual stream", "neuron", 20, "inner.distilbert.embeddings.word_embeddings.weight", 1, step=20),
        Width("hidden layer of the classifier", "neuron", 20, "inner.pre_classifier.weight"),
    ]
    for layer in (0, 1):
        prefix = f"inner.distilbert.transformer.layer.{layer}"
        widths += attention(f"layer {layer}", 4, 5, *[f"{prefix}.attention.{name}_lin.weight" for name in "qkv"])
        widths.append(Width(f"inner width of layer {layer}", "neuron", 34, f"{prefix}.ffn.lin1.weight"))
    return tuple(widths)


def gpt2_widths() -> tuple[Width, ...]:
    widths = [Width("residual stream, tied to the output", "neuron", 28, "inner.transformer.wte.weight", 1)]
    for layer in (0, 1):
        prefix = f"inner.transformer.h.{layer}"
        fused = f"{prefix}.attn.c_attn.weight"
        widths += attention(f"layer {layer}", 4, 7, fused, fused, fused, axis=1)
        widths.append(Width(f"inner width of layer {layer}", "neuron", 44, f"{prefix}.mlp.c_fc.weight", 1))
    return tuple(widths)


def llama_widths() -> tuple[Width, ...]:
    widths = [Width("residual stream", "neuron", 18, "inner.model.embed_tokens.weight", 1)]
    for layer in (0, 1):
        prefix = f"inner.model.layers.{layer}"
        widths += [
            Width(f"key heads of layer {layer}, 3 query heads each", "group", 2, f"{prefix}.self_attn.k_proj.weight"),
            Width(f"query heads per key head of layer {layer}", "head", 3, f"{prefix}.self_attn.q_proj.weight"),
            # A rotation mixes entries j and j + 4: a unit is such a pair. The old frequencies stay.
            Width(
                f"query and key size of a head of layer {layer}, in pairs",
                "neuron",
                4,
                f"{prefix}.self_attn.k_proj.weight",
            ),
            Width(f"value size of a head of layer {layer}", "neuron", 8, f"{prefix}.self_attn.v_proj.weight"),
            Width(f"inner width of layer {layer}", "neuron", 38, f"{prefix}.mlp.gate_proj.weight"),
        ]
    return tuple(widths)


def t5_widths() -> tuple[Width, ...]:
    def block(part: str, layer: int, at: int, kind: str) -> list[str]:
        return [f"inner.{part}.block.{layer}.layer.{at}.{kind}.{name}.weight" for name in "qkv"]

    def bias(part: str) -> str:
        return f"inner.{part}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"

    widths = [
        Width("residual streams of encoder and decoder, tied by the embedding", "neuron", 22, "inner.shared.weight", 1),
        Width("heads of the encoder, tied by the position bias", "head", 4, bias("encoder"), 1),
        Width("self-attention heads of the decoder, tied by the position bias", "head", 4, bias("decoder"), 1),
    ]
    for layer in (0, 1):
        widths += attention(f"encoder layer {layer}", 4, 6, *block("encoder", layer, 0, "SelfAttention"))
        widths += attention(f"decoder layer {layer}", 4, 6, *block("decoder", layer, 0, "SelfAttention"))
        widths += attention(f"cross-attention {layer}", 4, 6, *block("decoder", layer, 1, "EncDecAttention"))
        for part, at in (("encoder", 1), ("decoder", 2)):
            gate = f"inner.{part}.block.{layer}.layer.{at}.DenseReluDense.wi_0.weight"
            widths.append(Width(f"inner width of {part} layer {layer}", "neuron", 38, gate))
    return tuple(widths)


def whisper_widths(prefix: str) -> tuple[Width, ...]:
    widths = [Width("channels of the first convolution", "channel", 24, f"{prefix}.conv1.weight")]
    for layer in (0, 1):
        names = (f"{prefix}.layers.{layer}.self_attn.{name}_proj.weight" for name in "qkv")
        widths += attention(f"layer {layer}", 3, 8, *names)
        widths.append(Width(f"inner width of layer {layer}", "neuron", 42, f"{prefix}.layers.{layer}.fc1.weight"))
    return tuple(widths)


TOKENS, MASK, TYPES = ids("input_ids", 46), mask("attention_mask"), ids("token_type_ids", 1)
SOUND = (Input("input_features", ("batch", 10, 18)),)
TEXT = ("batch", "sequence")
NO_DIFF = {TORCHSCRIPT: "aten::diff, which finds packed sequences where no mask is given, has no ONNX translation"}

ENTRIES = [
    Torch("bert", bert("sdpa"), (TOKENS, MASK, TYPES), bert_widths(), variadic=True),
    Torch("bert-eager", bert("eager"), (TOKENS, MASK, TYPES), bert_widths(), variadic=True),
    # Zero biases and norms of one are each stored once: one initializer serves widths that have nothing in common.
    Torch("bert-fresh", bert("sdpa"), (TOKENS, MASK, TYPES), bert_widths(), fresh=True, variadic=True),
    Torch("albert", albert, (TOKENS, MASK), albert_widths(), variadic=True),
    Torch("distilbert", distilbert, (TOKENS, MASK), distilbert_widths(), variadic=True),
    Torch("gpt2", gpt2("input_ids", "attention_mask"), (TOKENS, MASK), gpt2_widths(), output=TEXT, variadic=True),
    Torch("gpt2-unmasked", gpt2("input_ids"), (TOKENS,), gpt2_widths(), NO_DIFF, output=TEXT, variadic=True),
    Torch("llama", llama, (TOKENS, MASK), llama_widths(), output=TEXT, variadic=True),
    Torch(
        "t5",
        t5,
        (TOKENS, ids("decoder_input_ids", 46, "target")),
        t5_widths(),
        output=("batch", "target"),
        variadic=True,
    ),
    Torch(
        "whisper",
        whisper,
        SOUND,
        (
            # GELU writes the stream, so no padding keeps its mean.
            Width("residual stream", "neuron", 24, "inner.encoder.conv2.weight", step=24),
            *whisper_widths("inner.encoder"),
            Width("projection", "neuron", 14, "inner.projector.weight"),
        ),
        variadic=True,
    ),
    Torch(
        "whisper-encoder",
        whisper_encoder,
        SOUND,
        whisper_widths("inner"),
        refusals=(Refusal("residual stream, which is the output", "inner.conv2.weight", 0, "output"),),
        variadic=True,
    ),
]
