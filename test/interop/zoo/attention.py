"""Transformers of PyTorch alone: ViT with fused projections, MLP-mixer, nn.TransformerEncoder; and a recommender."""

import torch
import torch.nn.functional as F
from torch import nn

from entry import TORCHSCRIPT, Input, Torch, Width, batched


class FusedAttention(nn.Module):
    """Queries, keys and values by one projection, reshaped to [batch, tokens, 3, heads, size]."""

    def __init__(self, width: int, heads: int, size: int) -> None:
        super().__init__()
        self.heads, self.size = heads, size
        self.qkv = nn.Linear(width, 3 * heads * size)
        self.project = nn.Linear(heads * size, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, tokens, _ = x.shape
        q, k, v = self.qkv(x).reshape(batch, tokens, 3, self.heads, self.size).permute(2, 0, 3, 1, 4).unbind(0)
        weights = ((q * self.size**-0.5) @ k.transpose(-2, -1)).softmax(-1)
        return self.project((weights @ v).transpose(1, 2).reshape(batch, tokens, self.heads * self.size))


class Block(nn.Module):
    def __init__(self, width: int, heads: int, size: int, inner: int) -> None:
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), FusedAttention(width, heads, size)
        self.norm2, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Vit(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 24, 4, 4)
        self.token = nn.Parameter(torch.zeros(1, 1, 24))
        self.positions = nn.Parameter(torch.zeros(1, 17, 24))
        self.blocks = nn.Sequential(Block(24, 4, 6, 40), Block(24, 5, 7, 38))
        self.norm = nn.LayerNorm(24)
        self.head = nn.Linear(24, 9)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = self.patches(image).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.positions
        return self.head(self.norm(self.blocks(x))[:, 0])


class MixerBlock(nn.Module):
    def __init__(self, tokens: int, between: int, width: int, inner: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix_up, self.mix_down = nn.Linear(tokens, between), nn.Linear(between, tokens)
        self.up, self.down = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mixed = self.mix_down(F.gelu(self.mix_up(self.norm1(x).transpose(1, 2)))).transpose(1, 2)
        x = x + mixed
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Mixer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 18, 4, 4)
        self.blocks = nn.Sequential(MixerBlock(16, 11, 18, 30), MixerBlock(16, 13, 18, 28))
        self.norm = nn.LayerNorm(18)
        self.head = nn.Linear(18, 7)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = self.patches(image).flatten(2).transpose(1, 2)
        return self.head(self.norm(self.blocks(x)).mean(1))


class Encoder(nn.Module):
    def __init__(self, **options) -> None:
        super().__init__()
        self.embed = nn.Linear(9, 20)
        layer = nn.TransformerEncoderLayer(20, 4, 34, batch_first=True, **options)
        norm = nn.LayerNorm(20) if options.get("norm_first") else None
        self.encoder = nn.TransformerEncoder(layer, 2, norm, enable_nested_tensor=False)
        self.head = nn.Linear(20, 6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.encoder(self.embed(x)))


class Recommender(nn.Module):
    """Embeddings of two tables, concatenated with numbers, read by an MLP: an embedding is a segment of its input."""

    def __init__(self) -> None:
        super().__init__()
        self.user, self.item = nn.Embedding(23, 8), nn.Embedding(29, 6)
        self.inner = nn.Linear(8 + 6 + 5, 16)
        self.head = nn.Linear(16, 1)

    def forward(self, user: torch.Tensor, item: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        joined = torch.cat([self.user(user), self.item(item), features], -1)
        return torch.sigmoid(self.head(F.relu(self.inner(joined))))


def block_widths(block: int, heads: int, size: int, inner: int) -> tuple[Width, ...]:
    return (
        Width(f"heads of block {block}", "head", heads, f"blocks.{block}.attention.qkv.weight"),
        Width(f"size of a head of block {block}", "neuron", size, f"blocks.{block}.attention.qkv.weight"),
        Width(f"inner width of block {block}", "neuron", inner, f"blocks.{block}.up.weight"),
    )


LAYERS = "encoder.layers"


def encoder_widths(step: int) -> tuple[Width, ...]:
    return (
        Width("residual stream", "neuron", 20, "embed.weight", step=step),
        *[
            width
            for layer in (0, 1)
            for width in (
                Width(f"heads of layer {layer}", "head", 4, f"{LAYERS}.{layer}.self_attn.in_proj_weight"),
                Width(f"size of a head of layer {layer}", "neuron", 5, f"{LAYERS}.{layer}.self_attn.in_proj_weight"),
                Width(f"inner width of layer {layer}", "neuron", 34, f"{LAYERS}.{layer}.linear1.weight"),
            )
        ],
    )


IMAGE = batched("image", 3, 16, 16)
BAKED = {TORCHSCRIPT: "nn.MultiheadAttention writes the example's sequence length into a Reshape"}

ENTRIES = [
    Torch(
        "vit",
        Vit,
        IMAGE,
        (
            Width("residual stream, with class token and positions", "neuron", 24, "patches.weight"),
            *block_widths(0, 4, 6, 40),
            *block_widths(1, 5, 7, 38),
        ),
    ),
    Torch(
        "mixer",
        Mixer,
        IMAGE,
        (
            # Each channel passes the token mixer by itself, so no padding keeps the mean of the residual stream.
            Width("residual stream", "neuron", 18, "patches.weight", step=18),
            Width("inner width between the tokens of block 0", "neuron", 11, "blocks.0.mix_up.weight"),
            Width("inner width of block 0", "neuron", 30, "blocks.0.up.weight"),
            Width("inner width between the tokens of block 1", "neuron", 13, "blocks.1.mix_up.weight"),
            Width("inner width of block 1", "neuron", 28, "blocks.1.up.weight"),
        ),
    ),
    # After a norm the stream is what the norm scales, entry by entry, and its mean is in no new entry's reach.
    Torch("encoder-post-norm", lambda: Encoder(), batched("x", 7, 9), encoder_widths(step=20)),
    Torch(
        "encoder-pre-norm",
        lambda: Encoder(norm_first=True, activation="gelu"),
        batched("x", 7, 9),
        encoder_widths(step=1),
    ),
    Torch(
        "encoder-pre-norm-any-length",
        lambda: Encoder(norm_first=True),
        (Input("x", ("batch", "sequence", 9)),),
        encoder_widths(step=1),
        BAKED,
    ),
    Torch(
        "recommender",
        Recommender,
        (Input("user", ("batch",), "int64", 0, 22), Input("item", ("batch",), "int64", 0, 28), *batched("features", 5)),
        (
            Width("embedding of users", "neuron", 8, "user.weight", 1),
            Width("embedding of items", "neuron", 6, "item.weight", 1),
            Width("hidden layer", "neuron", 16, "inner.weight"),
        ),
    ),
]
