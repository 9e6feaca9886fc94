"""The same models in espalier's JSON and in PyTorch, and small data sets to train them on."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def linear(units: int, bias: bool = True) -> dict:
    return {"kind": "linear", "units": units, "options": {"bias": bias}}


def activation(name: str) -> dict:
    return {"kind": "activation", "name": name}


def conv(filters: int, **options) -> dict:
    return {"kind": "conv2d", "filters": filters, "options": {"kernel": 3, "padding": 1, **options}}


def max_pool(size: int, **options) -> dict:
    return {"kind": "maxPool", "size": size, "options": options}


def average_pool(size: int, **options) -> dict:
    return {"kind": "averagePool", "size": size, "options": options}


BATCH_NORM = {"kind": "batchNorm"}
FLATTEN = {"kind": "flatten"}
GLOBAL_AVERAGE_POOL = {"kind": "globalAveragePool"}


def dropout(ratio: float) -> dict:
    return {"kind": "dropout", "ratio": ratio}


def mlp(sizes: list[int], name: str = "relu", norm: bool = False, bias: bool = True, drop: float = 0) -> list[dict]:
    hidden = [
        [linear(size, bias), *([BATCH_NORM] if norm else []), activation(name), *([dropout(drop)] if drop else [])]
        for size in sizes[:-1]
    ]
    return [layer for block in hidden for layer in block] + [linear(sizes[-1])]


def small_cnn(norm: bool = False) -> list[dict]:
    """For images of [1, 8, 8]: two convolutions, a maximum and a mean pool, two linear layers."""
    between = [BATCH_NORM] if norm else []
    return [
        *[conv(6, bias=not norm), *between, activation("relu"), max_pool(2)],
        *[conv(8, bias=not norm), *between, activation("relu"), average_pool(2)],
        *[FLATTEN, linear(16), activation("relu"), linear(10)],
    ]


class PopulationBatchNorm(nn.Module):
    """Batch normalization whose running variance is of the population, as ONNX says; PyTorch's own is of a sample."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return F.batch_norm(x, self.mean, self.variance, self.weight, self.bias)
        axes = [0, *range(2, x.dim())]
        with torch.no_grad():
            self.mean.lerp_(x.mean(axes), 0.1)
            self.variance.lerp_(x.var(axes, correction=0), 0.1)
        return F.batch_norm(x, None, None, self.weight, self.bias, training=True)


class Activation(nn.Module):
    functions = {
        "relu": torch.relu,
        "leakyRelu": lambda x: F.leaky_relu(x, 0.01),
        "elu": F.elu,
        "gelu": F.gelu,
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
        "softplus": F.softplus,
    }

    def __init__(self, name: str) -> None:
        super().__init__()
        self.function = self.functions[name]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


def build(input_dims: list[int], layers: list[dict]) -> nn.Sequential:
    """The PyTorch model, its modules named as espalier names layers: hidden1, conv1, norm1, ..., output."""
    model = nn.Sequential()
    counts: dict[str, int] = {}
    weighted = [at for at, layer in enumerate(layers) if layer["kind"] in ("linear", "conv2d")]
    probe = torch.zeros([2, *input_dims])
    for at, layer in enumerate(layers):
        module, kind = module_of(layer, probe.shape[1])
        counts[kind] = counts.get(kind, 0) + 1
        model.add_module("output" if at == weighted[-1] else f"{kind}{counts[kind]}", module)
        with torch.no_grad():
            probe = module(probe)
    return model


def module_of(layer: dict, channels: int) -> tuple[nn.Module, str]:
    options = layer.get("options", {})
    match layer["kind"]:
        case "linear":
            return nn.Linear(channels, layer["units"], options.get("bias", True)), "hidden"
        case "conv2d":
            stride, groups = options.get("stride", 1), options.get("groups", 1)
            kernel, padding, bias = options["kernel"], options["padding"], options.get("bias", True)
            return nn.Conv2d(channels, layer["filters"], kernel, stride, padding, groups=groups, bias=bias), "conv"
        case "maxPool":
            return nn.MaxPool2d(layer["size"], options.get("stride"), options.get("padding", 0)), "pool"
        case "averagePool":
            padding = options.get("padding", 0)
            return nn.AvgPool2d(layer["size"], options.get("stride"), padding, count_include_pad=False), "pool"
        case "globalAveragePool":
            return nn.AdaptiveAvgPool2d(1), "pool"
        case "batchNorm":
            return PopulationBatchNorm(channels), "norm"
        case "dropout":
            return nn.Dropout(layer["ratio"]), "dropout"
        case "flatten":
            return nn.Flatten(), "flatten"
        case "activation":
            return Activation(layer["name"]), "activation"
    raise ValueError(layer)


def load(model: nn.Module, weights: dict[str, np.ndarray], dtype: torch.dtype) -> nn.Module:
    """Gives every parameter and buffer the value of its name; none may be missing."""
    names = {name for name, _ in model.named_parameters()} | {name for name, _ in model.named_buffers()}
    model = model.to(dtype)
    model.load_state_dict({name: torch.from_numpy(weights[name].copy()).to(dtype) for name in names})
    return model


def classified(seed: int, count: int, dims: list[int], classes: int = 10) -> dict[str, np.ndarray]:
    """Noisy prototypes of each class: easy enough to learn something in 50 steps."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, count).astype(np.int32)
    prototypes = random.standard_normal([classes, *dims])
    features = prototypes[labels] + random.standard_normal([count, *dims])
    return {"features": features.astype(np.float32), "labels": labels}


def regressed(seed: int, count: int, dims: list[int], outputs: int, binary: bool = False) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    features = random.standard_normal([count, *dims])
    linear_map = random.standard_normal([int(np.prod(dims)), outputs]) / np.sqrt(np.prod(dims))
    targets = np.tanh(features.reshape(count, -1) @ linear_map)
    targets = (targets > 0) if binary else targets
    return {"features": features.astype(np.float32), "targets": targets.astype(np.float32)}
