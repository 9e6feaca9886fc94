"""Tiny transformers models, one or two of each family, in which every parameter is random, norms and biases too."""

import importlib.util
import os

# transformers looks for packages that these models have no use for, and which need not fit the torch that is there.
_find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name.split(".")[0] in ("torchvision", "timm") else _find(name, *rest)
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import transformers
from safetensors import safe_open
from safetensors.torch import load_file, save_file

transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
torch.set_num_threads(1)

VOCABULARY = 61
WINDOW = 8
#: Sizes that all decoders of Llama's kind share; unequal ones, so that no two axes can be mistaken for each other.
DECODER = {
    "vocab_size": VOCABULARY,
    "hidden_size": 24,
    "intermediate_size": 40,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 160,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}

#: The same where heads have keys and values of their own.
CLASSIC = {
    "vocab_size": VOCABULARY,
    "hidden_size": 24,
    "intermediate_size": 40,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 160,
    "bos_token_id": 1,
    "eos_token_id": 2,
}

#: The same of images.
VISION = {
    "hidden_size": 24,
    "intermediate_size": 40,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_channels": 2,
    "num_labels": 5,
}

#: Encoder and decoder with relative positions; few enough buckets that distances share them.
SEQUENCES = {
    "vocab_size": VOCABULARY,
    "d_model": 24,
    "d_kv": 10,
    "d_ff": 40,
    "num_layers": 4,
    "num_decoder_layers": 3,
    "num_heads": 4,
    "relative_attention_num_buckets": 12,
    "relative_attention_max_distance": 40,
    "decoder_start_token_id": 0,
}

#: Encoder of a spectrogram, decoder of text.
SPEECH = {
    "vocab_size": VOCABULARY,
    "d_model": 24,
    "encoder_layers": 3,
    "decoder_layers": 4,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 40,
    "decoder_ffn_dim": 36,
    "num_mel_bins": 5,
    "max_source_positions": 30,
    "max_target_positions": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
    "begin_suppress_tokens": None,
}

#: Name to the class of its configuration and what it is given.
CONFIGURATIONS = {
    "llama": ("LlamaConfig", {**DECODER, "rms_norm_eps": 1e-5}),
    "llama-tied": ("LlamaConfig", {**DECODER, "tie_word_embeddings": True, "attention_bias": True, "mlp_bias": True}),
    "mistral": ("MistralConfig", {**DECODER, "sliding_window": WINDOW}),
    "qwen2": ("Qwen2Config", {**DECODER, "use_sliding_window": True, "sliding_window": WINDOW, "max_window_layers": 1}),
    "qwen3": ("Qwen3Config", {**DECODER, "head_dim": 10, "tie_word_embeddings": True}),
    "mixtral": ("MixtralConfig", {**DECODER, "num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": WINDOW}),
    "qwen2_moe": (
        "Qwen2MoeConfig",
        {
            **DECODER,
            "num_experts": 4,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 20,
            "shared_expert_intermediate_size": 28,
            "mlp_only_layers": [1],
            "use_sliding_window": True,
            "sliding_window": WINDOW,
            "max_window_layers": 2,
        },
    ),
    "qwen3_moe": (
        "Qwen3MoeConfig",
        {**DECODER, "head_dim": 10, "num_experts": 6, "num_experts_per_tok": 3, "moe_intermediate_size": 20, "norm_topk_prob": True, "decoder_sparse_step": 2},
    ),
    "gemma": ("GemmaConfig", {**DECODER, "head_dim": 6}),
    "gemma2": ("Gemma2Config", {**DECODER, "head_dim": 6, "query_pre_attn_scalar": 7, "sliding_window": WINDOW}),
    "gemma3": ("Gemma3TextConfig", {**DECODER, "head_dim": 6, "query_pre_attn_scalar": 7, "sliding_window": WINDOW}),
    "phi3": ("Phi3Config", {**DECODER}),
    "gpt2": (
        "GPT2Config",
        {"vocab_size": VOCABULARY, "n_embd": 24, "n_layer": 3, "n_head": 4, "n_positions": 160, "bos_token_id": 1, "eos_token_id": 2},
    ),
    "gpt_neox": (
        "GPTNeoXConfig",
        {
            **CLASSIC,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.34},
        },
    ),
    "gpt_neox-sequential": ("GPTNeoXConfig", {**CLASSIC, "use_parallel_residual": False}),
    "opt": ("OPTConfig", {**{key: value for key, value in CLASSIC.items() if key != "intermediate_size"}, "ffn_dim": 40}),
    "bert": ("BertConfig", CLASSIC),
    "roberta": ("RobertaConfig", {**CLASSIC, "pad_token_id": 1, "layer_norm_eps": 1e-5}),
    "distilbert": (
        "DistilBertConfig",
        {"vocab_size": VOCABULARY, "dim": 24, "hidden_dim": 40, "n_layers": 3, "n_heads": 4, "max_position_embeddings": 160},
    ),
    "t5": ("T5Config", SEQUENCES),
    "t5-gated": ("T5Config", {**SEQUENCES, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}),
    "t5-untied": ("T5Config", {**SEQUENCES, "feed_forward_proj": "gated-silu", "tie_word_embeddings": False}),
    "whisper": ("WhisperConfig", SPEECH),
    "vit": ("ViTConfig", {**VISION, "image_size": 12, "patch_size": 4}),
    "vit-oblong": ("ViTConfig", {**VISION, "image_size": [8, 12], "patch_size": [4, 3], "qkv_bias": False, "hidden_act": "relu"}),
}


def configuration(name: str):
    kind, values = CONFIGURATIONS[name]
    return getattr(transformers, kind)(**values)


def automatic(model_type: str):
    """The class that opens a folder of this type with a head."""
    return getattr(transformers, AUTOMATIC.get(model_type, "AutoModelForCausalLM"))


#: Encoders that predict masked words, with norms behind their branches.
MASKED = ("bert", "roberta", "distilbert")
AUTOMATIC = {**{kind: "AutoModelForMaskedLM" for kind in MASKED}, "vit": "AutoModelForImageClassification", "t5": "AutoModelForSeq2SeqLM", "whisper": "AutoModelForSpeechSeq2Seq"}


def randomize(model, seed: int) -> None:
    """Parameters of the sizes that training gives. A scale lies about what its class multiplies by: 1, or 0 beside a 1."""
    generator = torch.Generator().manual_seed(seed)
    gemma = model.config.model_type.startswith("gemma")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            values = torch.randn(parameter.shape, generator=generator, dtype=torch.float32)
            is_norm = parameter.ndim == 1 and ("norm" in name.lower() or "ln_" in name)
            if is_norm and name.endswith("weight"):
                values = (0.0 if gemma else 1.0) + 0.25 * values
            elif parameter.ndim == 1:
                values = 0.2 * values
            elif "embed" in name or "shared" in name or "wte" in name or "wpe" in name:
                values = 0.6 * values
            else:
                values = values / parameter.shape[-1] ** 0.5
            parameter.copy_(values)


#: Layers and heads whose attention says when a word is spoken.
LISTED = [[0, 1], [2, 3], [3, 0]]


def make(name: str, folder: str, dtype=torch.float32, seed: int = 0, **options) -> None:
    """Saves one; `options` are of save_pretrained."""
    torch.manual_seed(seed)
    config = configuration(name)
    model = automatic(config.model_type).from_config(config)
    randomize(model, seed)
    model.to(dtype).save_pretrained(folder, **options)
    if config.model_type == "whisper":
        model.generation_config.alignment_heads = LISTED
        model.generation_config.save_pretrained(folder)
    if name == "t5-untied":
        untie(f"{folder}/model.safetensors", seed)


def untie(file: str, seed: int) -> None:
    """Adds a head that is not the table, and the table again under its other name, as old folders have it."""
    tensors = load_file(file)
    table = tensors["shared.weight"]
    draws = torch.randn(table.shape, generator=torch.Generator().manual_seed(seed + 1))
    tensors["lm_head.weight"] = (draws / table.shape[1] ** 0.5).to(table.dtype)
    tensors["decoder.embed_tokens.weight"] = table.clone()
    save_file(tensors, file, {"format": "pt"})


def load(folder: str, dtype=None):
    """Opens a folder as users do. Refuses one of which a key is missing, unknown or of another shape."""
    config = transformers.AutoConfig.from_pretrained(folder)
    # Grouped products want sizes that are multiples of 4; one expert after another takes any.
    experts = {"experts_implementation": "eager"} if hasattr(config, "num_experts_per_tok") else {}
    model, report = automatic(config.model_type).from_pretrained(
        folder, dtype=dtype or "auto", attn_implementation="eager", output_loading_info=True, **experts
    )
    wrong = {key: value for key, value in report.items() if value}
    assert not wrong, f"{folder}: {wrong}"
    return model.eval()


def inputs(model, length: int, seed: int = 1) -> dict:
    generator = torch.Generator().manual_seed(seed)
    config = model.config
    if config.model_type == "vit":
        sides = config.image_size if isinstance(config.image_size, list | tuple) else (config.image_size,) * 2
        return {"pixel_values": torch.randn(2, config.num_channels, *sides, generator=generator)}
    ids = torch.randint(3, VOCABULARY, (2, length), generator=generator)
    if config.model_type == "whisper":
        frames = torch.randn(2, config.num_mel_bins, 2 * config.max_source_positions, generator=generator)
        return {"input_features": frames, "decoder_input_ids": ids[:, : length // 2 + 1]}
    if config.model_type == "t5":
        return {"input_ids": ids, "decoder_input_ids": torch.randint(3, VOCABULARY, (2, length // 2 + 1), generator=generator)}
    return {"input_ids": ids}


def logits(model, length: int, seed: int = 1) -> torch.Tensor:
    with torch.no_grad():
        return model(**inputs(model, length, seed)).logits.double()


def distance(after: torch.Tensor, before: torch.Tensor) -> float:
    """The largest difference of what both have, relative to the largest logit."""
    return float((after[..., : before.shape[-1]] - before).abs().max() / before.abs().max())


#: What PyTorch may be off where it sums in another order.
FUSED = 1e-6

#: What espalier's graph calls the inputs of a model.
NAMES = {"input_ids": "ids", "decoder_input_ids": "decoder_ids", "pixel_values": "pixels", "input_features": "features"}


def feeds(model, length: int, seed: int = 1) -> dict:
    """The same inputs for an exported model."""
    return {NAMES[name]: value.numpy() for name, value in inputs(model, length, seed).items()}


def fields(name: str) -> dict:
    """What a model's configuration calls its sizes, and a stream that grows by other than a multiple."""
    kind = configuration(name).model_type
    own = {
        "gpt2": {"hidden": "n_embd", "ffn": "n_inner", "heads": "n_head"},
        "opt": {"ffn": "ffn_dim"},
        "whisper": {
            "hidden": "d_model",
            "ffn": "encoder_ffn_dim=+6,decoder_ffn_dim",
            "heads": "encoder_attention_heads",
        },
        "t5": {"hidden": "d_model", "ffn": "d_ff", "heads": "num_heads"},
        "distilbert": {"hidden": "dim", "ffn": "hidden_dim", "heads": "n_heads"},
        "mixtral": {"experts": "num_local_experts"},
        "qwen2_moe": {"ffn": "moe_intermediate_size", "experts": "num_experts"},
        "qwen3_moe": {"ffn": "moe_intermediate_size", "experts": "num_local_experts"},
    }
    common = {"hidden": "hidden_size", "ffn": "intermediate_size", "heads": "num_attention_heads"}
    kv = "num_key_value_heads" if "num_key_value_heads" in configuration(name).to_dict() else None
    names = {"experts": None, **common, **own.get(kind, {}), "kv": kv}
    padded = "{hidden}=+8" if kv or kind in ("vit", "t5") else "{hidden}=+6,{heads}=+1"
    return {**names, "padded": padded.format(**names)}


#: What a wider stream may move outputs in float32. T5 has no scale of scores, so that rounding counts for more.
STREAM = {"t5": 1e-5}
#: A wider stream and, in the same growth, other products.
STREAM_AND_FUSED = 3e-6

#: Models that have a family with experts. Biases have none there.
UPCYCLED = ("llama", "mistral", "qwen2", "qwen3")

#: All experts of a layer are one tensor in memory.
SPARSE = {"mlp": FUSED, "mlp x1.5": FUSED, "experts": FUSED, "all": STREAM_AND_FUSED}

#: Growths that move outputs although nothing is added. Where norms stand behind the branches, a new layer normalizes once
#: more what is normalized: that rounds as a wider stream does, and moves a layer by half its epsilon times |1 - 1/variance|
#: (1e-5 for RoBERTa).
CLOSE = {
    "phi3": {"mlp": FUSED, "mlp x1.5": FUSED},
    **{name: SPARSE for name in ("mixtral", "qwen2_moe", "qwen3_moe")},
    **{name: {"upcycled": FUSED} for name in UPCYCLED},
    "bert": {"depth": 2e-6},
    "distilbert": {"depth": 2e-6},
    "roberta": {"depth": 1e-5, "all": 1e-5},
}


#: Growths of models that have an encoder and a decoder.
STACKS = ("encoder", "decoder")


def refused(name: str) -> tuple[str, ...]:
    """Growths that the class, or exactness, does not allow."""
    kind = configuration(name).model_type
    dense = () if name in UPCYCLED else ("upcycled",)
    if fields(name)["kv"]:
        return (*STACKS, *dense)
    if kind == "vit":
        return (*STACKS, *dense, "vocabulary", "positions", "all")
    if kind == "t5":
        return (*dense, "positions",)
    if kind == "whisper":
        return (*dense, "queries", "padding")
    return (*STACKS, *dense, "queries", "padding") if kind in MASKED else (*STACKS, *dense, "queries")


def keys(folder) -> set[str]:
    """The tensors that a folder's files hold."""
    found: set[str] = set()
    for file in folder.glob("*.safetensors"):
        with safe_open(file, "pt") as opened:
            found |= set(opened.keys())
    return found


def text(model) -> list:
    """What a model writes, greedily, with its cache; longer than its window."""
    if model.config.model_type in (*MASKED, "vit"):
        return logits(model, 24, 3).argmax(-1).tolist()
    with torch.no_grad():
        asked = {key: value for key, value in inputs(model, 12, 3).items() if key != "decoder_input_ids"}
        # Whisper's own method looks for languages and timestamps, which a tiny model has none of.
        return transformers.GenerationMixin.generate(model, **asked, max_new_tokens=20, do_sample=False, pad_token_id=0).tolist()
