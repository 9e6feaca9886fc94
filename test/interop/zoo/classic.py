"""Multi-layer perceptrons and autoencoders, as PyTorch users write them."""

import torch
import torch.nn.functional as F
from torch import nn

from entry import Refusal, Torch, Width, batched


def mlp_relu() -> nn.Module:
    return nn.Sequential(nn.Linear(11, 24), nn.ReLU(), nn.Linear(24, 17), nn.ReLU(), nn.Linear(17, 5))


def mlp_gelu() -> nn.Module:
    return nn.Sequential(nn.Linear(11, 24), nn.GELU(), nn.Linear(24, 17), nn.GELU("tanh"), nn.Linear(17, 5))


def mlp_batch_norm() -> nn.Module:
    return nn.Sequential(
        *[nn.Linear(11, 24, bias=False), nn.BatchNorm1d(24), nn.ReLU(), nn.Dropout(0.1)],
        *[nn.Linear(24, 17), nn.Tanh(), nn.BatchNorm1d(17), nn.Linear(17, 5)],
    )


def mlp_layer_norm() -> nn.Module:
    return nn.Sequential(
        *[nn.Linear(11, 24), nn.LayerNorm(24), nn.SiLU()],
        *[nn.Linear(24, 17, bias=False), nn.LayerNorm(17, bias=False), nn.LeakyReLU(0.2), nn.Linear(17, 5)],
    )


class ResidualBlock(nn.Module):
    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, inner)
        self.down = nn.Linear(inner, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.down(F.gelu(self.up(self.norm(x))))


class ResidualMlp(nn.Module):
    """Residual blocks on tokens of any number: MatMul and Add instead of Gemm."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(11, 18)
        self.blocks = nn.Sequential(ResidualBlock(18, 30), ResidualBlock(18, 26))
        self.norm = nn.LayerNorm(18)
        self.head = nn.Linear(18, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.norm(self.blocks(self.embed(x))))


class Siamese(nn.Module):
    """One encoder reads both inputs: its weights have two users, and the difference and product join its outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(11, 24)
        self.second = nn.Linear(24, 14)
        self.head = nn.Linear(28, 3)

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.second(F.relu(self.first(x))))

    def forward(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        a, b = self.encode(left), self.encode(right)
        return self.head(torch.cat([(a - b).abs(), a * b], dim=-1))


class Autoencoder(nn.Module):
    """Its decoder reuses the encoder's first matrix, transposed."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Linear(33, 20)
        self.middle = nn.Linear(20, 6)
        self.decode = nn.Linear(6, 20)
        self.shift = nn.Parameter(torch.zeros(33))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        code = self.middle(torch.sigmoid(self.encode(x)))
        return F.linear(torch.relu(self.decode(code)), self.encode.weight.t(), self.shift)


TWO_LAYERS = (
    Width("first hidden layer", "neuron", 24, "0.weight"),
    Width("second hidden layer", "neuron", 17, "2.weight"),
)

ENTRIES = [
    Torch("mlp-relu", mlp_relu, batched("x", 11), TWO_LAYERS, refusals=(Refusal("classes", "4.weight", 0, "output"),)),
    Torch("mlp-gelu", mlp_gelu, batched("x", 11), TWO_LAYERS),
    Torch(
        "mlp-batch-norm",
        mlp_batch_norm,
        batched("x", 11),
        (
            Width("first hidden layer", "neuron", 24, "0.weight"),
            Width("second hidden layer", "neuron", 17, "4.weight"),
        ),
    ),
    Torch(
        "mlp-layer-norm",
        mlp_layer_norm,
        batched("x", 11),
        (
            Width("first hidden layer, normalized", "neuron", 24, "0.weight"),
            Width("second hidden layer, normalized", "neuron", 17, "3.weight"),
        ),
    ),
    Torch(
        "mlp-residual",
        ResidualMlp,
        batched("x", 7, 11),
        (
            Width("residual stream", "neuron", 18, "embed.bias"),
            Width("inner width of block 0", "neuron", 30, "blocks.0.up.bias"),
            Width("inner width of block 1", "neuron", 26, "blocks.1.up.bias"),
        ),
    ),
    Torch(
        "mlp-siamese",
        Siamese,
        (*batched("left", 11), *batched("right", 11)),
        (
            Width("hidden layer of the shared encoder", "neuron", 24, "first.weight"),
            Width("code of the shared encoder", "neuron", 14, "second.weight"),
        ),
    ),
    Torch(
        "autoencoder-tied",
        Autoencoder,
        batched("x", 33),
        (
            Width("hidden layer, read by the transposed matrix too", "neuron", 20, "encode.weight"),
            Width("code", "neuron", 6, "middle.weight"),
        ),
    ),
]
