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

#: Name to the class of its configuration and what it is given.
CONFIGURATIONS = {
    "llama": ("LlamaConfig", {**DECODER, "rms_norm_eps": 1e-5}),
    "llama-tied": ("LlamaConfig", {**DECODER, "tie_word_embeddings": True, "attention_bias": True, "mlp_bias": True}),
    "mistral": ("MistralConfig", {**DECODER, "sliding_window": WINDOW}),
    "qwen2": ("Qwen2Config", {**DECODER, "use_sliding_window": True, "sliding_window": WINDOW, "max_window_layers": 1}),
    "qwen3": ("Qwen3Config", {**DECODER, "head_dim": 10, "tie_word_embeddings": True}),
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
AUTOMATIC = {**{kind: "AutoModelForMaskedLM" for kind in MASKED}, "vit": "AutoModelForImageClassification"}


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


def make(name: str, folder: str, dtype=torch.float32, seed: int = 0, **options) -> None:
    """Saves one; `options` are of save_pretrained."""
    torch.manual_seed(seed)
    config = configuration(name)
    model = automatic(config.model_type).from_config(config)
    randomize(model, seed)
    model.to(dtype).save_pretrained(folder, **options)


def load(folder: str, dtype=None):
    """Opens a folder as users do. Refuses one of which a key is missing, unknown or of another shape."""
    config = transformers.AutoConfig.from_pretrained(folder)
    model, report = automatic(config.model_type).from_pretrained(
        folder, dtype=dtype or "auto", attn_implementation="eager", output_loading_info=True
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
    return {"input_ids": torch.randint(3, VOCABULARY, (2, length), generator=generator)}


def logits(model, length: int, seed: int = 1) -> torch.Tensor:
    with torch.no_grad():
        return model(**inputs(model, length, seed)).logits.double()


def distance(after: torch.Tensor, before: torch.Tensor) -> float:
    """The largest difference of what both have, relative to the largest logit."""
    return float((after[..., : before.shape[-1]] - before).abs().max() / before.abs().max())


#: What PyTorch may be off where it sums in another order.
FUSED = 1e-6

#: What espalier's graph calls the inputs of a model.
NAMES = {"input_ids": "ids", "pixel_values": "pixels"}


def feeds(model, length: int, seed: int = 1) -> dict:
    """The same inputs for an exported model."""
    return {NAMES[name]: value.numpy() for name, value in inputs(model, length, seed).items()}


def fields(name: str) -> dict:
    """What a model's configuration calls its sizes, and a stream that grows by other than a multiple."""
    kind = configuration(name).model_type
    own = {
        "gpt2": {"hidden": "n_embd", "ffn": "n_inner", "heads": "n_head"},
        "opt": {"ffn": "ffn_dim"},
        "distilbert": {"hidden": "dim", "ffn": "hidden_dim", "heads": "n_heads"},
    }
    common = {"hidden": "hidden_size", "ffn": "intermediate_size", "heads": "num_attention_heads"}
    kv = "num_key_value_heads" if hasattr(configuration(name), "num_key_value_heads") else None
    names = {**common, **own.get(kind, {}), "kv": kv}
    padded = "{hidden}=+8" if kv or kind == "vit" else "{hidden}=+6,{heads}=+1"
    return {**names, "padded": padded.format(**names)}


#: Growths that move outputs although nothing is added. Where norms stand behind the branches, a new layer normalizes once
#: more what is normalized: that rounds as a wider stream does, and moves a layer by half its epsilon times |1 - 1/variance|
#: (1e-5 for RoBERTa).
CLOSE = {
    "phi3": {"mlp": FUSED, "mlp x1.5": FUSED},
    "bert": {"depth": 2e-6},
    "distilbert": {"depth": 2e-6},
    "roberta": {"depth": 1e-5, "all": 1e-5},
}


def refused(name: str) -> tuple[str, ...]:
    """Growths that the class, or exactness, does not allow."""
    kind = configuration(name).model_type
    if fields(name)["kv"]:
        return ()
    if kind == "vit":
        return ("vocabulary", "positions", "all")
    return ("queries", "padding") if kind in MASKED else ("queries",)


def keys(folder) -> set[str]:
    """The tensors that a folder's files hold."""
    found: set[str] = set()
    for file in folder.glob("*.safetensors"):
        with safe_open(file, "pt") as opened:
            found |= set(opened.keys())
    return found


def text(model) -> list:
    """What a model writes, greedily, with its cache; longer than its window."""
    if model.config.model_type in AUTOMATIC:
        return logits(model, 24, 3).argmax(-1).tolist()
    with torch.no_grad():
        return model.generate(**inputs(model, 12, 3), max_new_tokens=20, do_sample=False, pad_token_id=0).tolist()
