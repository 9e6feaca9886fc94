"""Weights that are shared, constants that are none, and numbers that are weights although they look like constants."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from .building import Calls, enter


def buffered(module: nn.Module, **buffers: torch.Tensor) -> nn.Module:
    for name, value in buffers.items():
        module.register_buffer(name, value)
    return module


def positions(length: int, width: int) -> torch.Tensor:
    at, rate = torch.arange(length)[:, None], torch.exp(torch.arange(0, width, 2) * (-math.log(1e4) / width))
    table = torch.zeros(length, width)
    table[:, 0::2], table[:, 1::2] = torch.sin(at * rate), torch.cos(at * rate)
    return table


def tied(module: nn.Module) -> nn.Module:
    module.h.weight = module.e.weight
    return module


def put(name: str, forward, *inputs, buffers: dict | None = None, **parts) -> None:
    def make() -> nn.Module:
        made = {key: part() for key, part in parts.items()}
        return buffered(Calls(forward, **made), **{key: buffer() for key, buffer in (buffers or {}).items()})

    enter(f"x_{name}", make, *(inputs or ([5],)))


L, O = (lambda: nn.Linear(5, 8)), (lambda: nn.Linear(8, 3))
put("buf", lambda s, x: s.o(torch.tanh(s.l((x - s.mean) / s.std))), l=L, o=O,
    buffers={"mean": lambda: torch.linspace(0.1, 0.5, 5), "std": lambda: torch.linspace(0.5, 0.9, 5)})
put("buf_names", lambda s, x: s.o(torch.tanh(s.l(x * s.factor + s.offset))), l=L, o=O,
    buffers={"factor": lambda: torch.linspace(0.5, 0.9, 5), "offset": lambda: torch.linspace(0.1, 0.5, 5)})
put("mask", lambda s, x: s.o(torch.tanh(s.l(x)) * s.mask), l=L, o=O, buffers={"mask": lambda: torch.tensor([1.0, 0, 1, 1, 0, 1, 1, 1])})
put("weight_mask", lambda s, x: s.o(torch.tanh(F.linear(x, s.l.weight * s.mask, s.l.bias))), l=L, o=O,
    buffers={"mask": lambda: (torch.arange(40).view(8, 5) % 3 > 0).float()})
put("literal", lambda s, x: s.o(torch.tanh(s.l(x)) * torch.tensor([1.0, 2, 1, 3, 1, 1, 1, 0.5])), l=L, o=O)
put("imagenet", lambda s, x: s.o(torch.relu(s.c((x - s.mean) / s.std)).mean((2, 3))), [3, 6, 6], c=lambda: nn.Conv2d(3, 8, 3), o=O,
    buffers={"mean": lambda: torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), "std": lambda: torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)})
put("blur", lambda s, x: s.o(F.conv2d(torch.tanh(s.c(x)), s.kernel, groups=8).mean((2, 3))), [3, 6, 6], c=lambda: nn.Conv2d(3, 8, 3), o=O,
    buffers={"kernel": lambda: (torch.tensor([1.0, 2, 1])[:, None] * torch.tensor([1.0, 2, 1]) / 16).expand(8, 1, 3, 3).clone()})
put("posenc", lambda s, x: s.o(torch.tanh(s.i(x) + s.pe).mean(1)), [7, 6], i=lambda: nn.Linear(6, 8), o=O, buffers={"pe": lambda: positions(7, 8)})
put("posenc_sliced", lambda s, x: s.o(torch.tanh(s.i(x) + s.pe[:, : x.shape[1]]).mean(1)), [7, 6], i=lambda: nn.Linear(6, 8), o=O,
    buffers={"pe": lambda: positions(20, 8)[None]})
put("pos_learned", lambda s, x: s.o(torch.tanh(s.i(x) + s.pos).mean(1)), [7, 6], i=lambda: nn.Linear(6, 8), o=O,
    pos=lambda: nn.Parameter(torch.randn(1, 7, 8) * 0.2))
put("pos_embedding", lambda s, x: s.o(torch.tanh(s.i(x) + s.p(s.ids)).mean(1)), [7, 6], i=lambda: nn.Linear(6, 8), o=O,
    p=lambda: nn.Embedding(7, 8), buffers={"ids": lambda: torch.arange(7)})
put("pos_arange", lambda s, x: s.o(torch.tanh(s.i(x) + s.p(torch.arange(x.shape[1]))).mean(1)), [7, 6], i=lambda: nn.Linear(6, 8), o=O,
    p=lambda: nn.Embedding(7, 8))
put("rotary", lambda s, x: s.o(((h := s.i(x)) * s.cos + torch.cat([-h[..., 4:], h[..., :4]], -1) * s.sin).mean(1).tanh()), [7, 6],
    i=lambda: nn.Linear(6, 8), o=O, buffers={"cos": lambda: torch.cos(positions(7, 8)), "sin": lambda: torch.sin(positions(7, 8))})
put("inv_freq", lambda s, x: s.o(torch.tanh(s.i(x) * torch.cos(torch.arange(7)[:, None] * s.inv_freq)).mean(1)), [7, 6], i=lambda: nn.Linear(6, 8), o=O,
    buffers={"inv_freq": lambda: 1 / 1e4 ** (torch.arange(8) / 8)})
put("cls", lambda s, x: s.o(torch.cat([s.cls.expand(x.shape[0], -1, -1), s.i(x)], 1).cumsum(1).tanh().mean(1)), [7, 6],
    i=lambda: nn.Linear(6, 8), o=O, cls=lambda: nn.Parameter(torch.randn(1, 1, 8) * 0.2))
put("scalar", lambda s, x: s.o(torch.tanh(s.l(x)) * s.g), l=L, o=O, g=lambda: nn.Parameter(torch.tensor(0.7)))
put("temperature", lambda s, x: s.o(torch.tanh(s.l(x))) * s.logit_scale.exp(), l=L, o=O, logit_scale=lambda: nn.Parameter(torch.tensor(0.5)))
put("one_number", lambda s, x: s.o(torch.tanh(s.l(x)) * s.g), l=L, o=O, g=lambda: nn.Parameter(torch.tensor([0.7])))
put("ones", lambda s, x: s.o(torch.tanh(s.l(x)) * s.g + s.b), l=L, o=O, g=lambda: nn.Parameter(torch.ones(8)), b=lambda: nn.Parameter(torch.zeros(8)))
put("twice", lambda s, x: s.o(torch.tanh(s.m(torch.tanh(s.m(s.l(x)))))), l=L, m=lambda: nn.Linear(8, 8), o=O)
put("shared_block", lambda s, x: s.o(_blocks(s, s.i(x))), i=L, l=lambda: nn.Linear(8, 8), n=lambda: nn.LayerNorm(8), o=O)
put("shared_norm", lambda s, x: s.o(s.n(torch.tanh(s.k(s.n(s.l(x)))))), l=L, k=lambda: nn.Linear(8, 8), n=lambda: nn.LayerNorm(8), o=O)
put("shared_prelu", lambda s, x: s.o(s.p(s.k(s.p(s.l(x))))), l=L, k=lambda: nn.Linear(8, 8), p=lambda: nn.PReLU(8), o=O)
put("shared_bias", lambda s, x: s.o(torch.tanh(torch.tanh(s.l(x) + s.b) + s.b)), l=L, b=lambda: nn.Parameter(torch.randn(8) * 0.3), o=O)
put("siamese", lambda s, a, b: s.o((torch.tanh(s.l(a)) - torch.tanh(s.l(b))).abs()), [5], [5], l=L, o=O)
put("conv_twins", lambda s, a, b: s.o((torch.tanh(s.c(a)).mean((2, 3)) - torch.tanh(s.c(b)).mean((2, 3))).abs()), [3, 6, 6], [3, 6, 6],
    c=lambda: nn.Conv2d(3, 8, 3), o=O)
put("zero_biases", lambda s, x: s.o(torch.tanh(s.k(torch.tanh(s.l(x))))), l=lambda: _zeroed(nn.Linear(5, 8)), k=lambda: _zeroed(nn.Linear(8, 8)),
    o=lambda: _zeroed(nn.Linear(8, 3)))
put("two_norms", lambda s, x: s.o(s.n(torch.tanh(s.k(s.m(s.l(x)))))), l=L, k=lambda: nn.Linear(8, 8), m=lambda: nn.LayerNorm(8), n=lambda: nn.LayerNorm(8), o=O)
put("tied", lambda s, x: s.l(torch.tanh(x @ s.w.T) @ s.w), w=lambda: nn.Parameter(torch.randn(8, 5) * 0.4), l=lambda: nn.Linear(5, 3))
put("autoencoder", lambda s, x: F.linear(torch.tanh(F.linear(x, s.w, s.b)), s.w.T, s.c), w=lambda: nn.Parameter(torch.randn(8, 5) * 0.4),
    b=lambda: nn.Parameter(torch.zeros(8)), c=lambda: nn.Parameter(torch.zeros(5)))
enter("x_lm_tied", lambda: tied(Calls(lambda s, x: s.h(torch.tanh(s.e(x))), e=nn.Embedding(11, 6), h=nn.Linear(6, 11, bias=False))), ([7], 11))
put("scaled_weight", lambda s, x: s.o(torch.tanh(F.linear(x, s.w * 0.5))), w=lambda: nn.Parameter(torch.randn(8, 5) * 0.6), o=O)
put("reshaped_weight", lambda s, x: s.o(torch.tanh(x @ s.w.view(5, 8))), w=lambda: nn.Parameter(torch.randn(40) * 0.4), o=O)
put("stacked_weights", lambda s, x: s.o(torch.tanh(torch.einsum("bi,kij->bkj", x, s.w)).mean(1)), w=lambda: nn.Parameter(torch.randn(2, 5, 8) * 0.4), o=O)
put("sliced_weight", lambda s, x: s.o(torch.tanh(F.linear(x, s.w[:8]) * F.linear(x, s.w[8:]))), w=lambda: nn.Parameter(torch.randn(16, 5) * 0.4), o=O)
put("softmax_weight", lambda s, x: s.o(torch.tanh(s.l(x)) * s.a.softmax(0)), l=L, o=O, a=lambda: nn.Parameter(torch.randn(8)))
put("int_buffer", lambda s, x: s.o(torch.tanh(s.l(x))[:, s.order]), l=L, o=O, buffers={"order": lambda: torch.tensor([3, 1, 0, 2, 7, 6, 5, 4])})
put("int_origin", lambda s, x: s.o(torch.tanh(s.l(x)) * s.steps), l=L, o=O, buffers={"steps": lambda: torch.arange(8).float() / 8})


def _zeroed(layer: nn.Linear) -> nn.Linear:
    nn.init.zeros_(layer.bias)
    return layer


def _blocks(self: nn.Module, x: torch.Tensor) -> torch.Tensor:
    for _ in range(3):
        x = x + torch.tanh(self.l(self.n(x)))
    return x
