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
from transformers import AutoModelForCausalLM

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
}


def configuration(name: str):
    kind, values = CONFIGURATIONS[name]
    return getattr(transformers, kind)(**values)


def automatic(model_type: str):
    """The class that opens a folder of this type with a head."""
    return AutoModelForCausalLM


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
    return {"input_ids": torch.randint(3, VOCABULARY, (2, length), generator=generator)}


def logits(model, length: int, seed: int = 1) -> torch.Tensor:
    with torch.no_grad():
        return model(**inputs(model, length, seed)).logits.double()


def distance(after: torch.Tensor, before: torch.Tensor) -> float:
    """The largest difference of what both have, relative to the largest logit."""
    return float((after[..., : before.shape[-1]] - before).abs().max() / before.abs().max())


#: What espalier's graph calls the inputs of a model.
NAMES = {"input_ids": "ids"}


def feeds(model, length: int, seed: int = 1) -> dict:
    """The same inputs for an exported model."""
    return {NAMES[name]: value.numpy() for name, value in inputs(model, length, seed).items()}


def fields(name: str) -> dict:
    """What a model's configuration calls its sizes; `pad` is by how much its stream may grow without its heads."""
    return {
        "hidden": "hidden_size",
        "ffn": "intermediate_size",
        "heads": "num_attention_heads",
        "kv": "num_key_value_heads",
        "pad": 8,
    }


#: Growths whose products PyTorch may sum in another order, as one weight holds several.
FUSED = {"phi3": ("mlp", "mlp x1.5")}
#: Tolerances of wider streams where they are not those of all.
STREAM: dict[str, float] = {}


def refused(name: str) -> tuple[str, ...]:
    """Growths that the class, or exactness, does not allow."""
    return ()


def keys(folder) -> set[str]:
    """The tensors that a folder's files hold."""
    found: set[str] = set()
    for file in folder.glob("*.safetensors"):
        with safe_open(file, "pt") as opened:
            found |= set(opened.keys())
    return found


def text(model) -> list:
    """What a model writes, greedily, with its cache; longer than its window."""
    with torch.no_grad():
        return model.generate(**inputs(model, 12, 3), max_new_tokens=20, do_sample=False, pad_token_id=0).tolist()
