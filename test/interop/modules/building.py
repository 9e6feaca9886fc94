"""The table of modules, and the frames that layers are tried in."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import nn


@dataclass(frozen=True)
class Tried:
    """A module and the inputs of one example: sizes for numbers, (sizes, classes) for integers."""

    make: Callable[[], nn.Module]
    inputs: tuple
    #: Whether the module's output is the loss itself.
    loss: bool = False


table: dict[str, Tried] = {}


def enter(name: str, make: Callable[[], nn.Module], *inputs, loss: bool = False) -> None:
    assert name not in table, name
    table[name] = Tried(make, inputs, loss)


class Calls(nn.Module):
    """A function as a layer, with submodules and parameters given by name."""

    def __init__(self, function: Callable, **parts) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *inputs: torch.Tensor):
        return self.function(self, *inputs)


def calls(function: Callable) -> nn.Module:
    """A function of one tensor as a layer."""
    return Calls(lambda _, x: function(x))


def vector(name: str, layer: Callable[[], nn.Module], out: int = 8) -> None:
    """A layer between two linear ones: [n, 8] to [n, out]."""
    enter(f"v_{name}", lambda: nn.Sequential(nn.Linear(5, 8), layer(), nn.Linear(out, 3)), [5])


def function(name: str, f: Callable, out: int = 8) -> None:
    vector(name, lambda: calls(f), out)


def sized(body: nn.Module, example: torch.Tensor) -> nn.Module:
    """A module with a linear head of the size that it happens to need."""
    with torch.no_grad():
        width = body.eval()(example).flatten(1).shape[1]
    return nn.Sequential(body.train(), nn.Flatten(), nn.Linear(width, 3))


def grid(name: str, layer: Callable[[], nn.Module], axes: int = 2, size: int = 8) -> None:
    """A layer after a convolution with tanh: [n, 6, 8, 8] (or 1 or 3 axes of space) to anything."""
    convolution = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[axes - 1]
    dims = [2, *[size] * axes]

    def make() -> nn.Module:
        return sized(nn.Sequential(convolution(2, 6, 3, padding=1), nn.Tanh(), layer()), torch.zeros(2, *dims))

    enter(f"c_{name}", make, dims)


class Sequence(nn.Module):
    """A layer over [n, 7, 6], read at its last position and in the mean."""

    def __init__(self, m: nn.Module, width: int) -> None:
        super().__init__()
        self.m, self.l = m, nn.Linear(width, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.m(x)
        y = y[0] if isinstance(y, tuple) else y
        return self.l(y[:, -1] + y.mean(1))


def sequence(name: str, layer: Callable[[], nn.Module], width: int = 6) -> None:
    enter(f"s_{name}", lambda: Sequence(layer(), width), [7, 6])
