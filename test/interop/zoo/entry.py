"""What an entry of the zoo states: how to make the model, what to feed it, which widths a person expects in it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import onnx
from torch import nn

DYNAMO, TORCHSCRIPT = "dynamo", "torchscript"


@dataclass(frozen=True)
class Input:
    """A model's input. A shape holds numbers and symbols; integers are drawn from low to high, both included.

    `first` is what stands first on the last axis: a mask that hides every token has no meaning, and runtimes differ
    in what they make of it.
    """

    name: str
    shape: tuple[int | str, ...]
    dtype: str = "float32"
    low: int = 0
    high: int = 1
    first: int | None = None


@dataclass(frozen=True)
class Width:
    """A width that must be found and growable.

    `unit` is neuron, channel, head, group or state, and `units` how many there are: a query projection of 4 heads of 6
    numbers is a width of 4 heads, and another of 6 neurons in each head. `parameter` and `axis` name one axis that must
    be in the width. A PyTorch model states them as its own `state_dict` does; the build translates them to the file's
    initializer, which may be transposed, folded, stacked or renamed.

    `step` is the least number of units that can be added exactly: `units` itself where only whole multiples are. A copy
    of every unit keeps the mean and variance of a LayerNorm; padding by the mean does so only where every writer of the
    width is linear.
    """

    what: str
    unit: str
    units: int
    parameter: str
    axis: int = 0
    step: int = 1


@dataclass(frozen=True)
class Refusal:
    """A width that must be refused: one of its axes, and a part of the reason that the refusal must give."""

    what: str
    parameter: str
    axis: int
    reason: str


@dataclass(frozen=True)
class Torch:
    """A PyTorch model; it becomes one file per exporter, but for those in `without` (exporter -> why not).

    `output` names the leading axes of its one output, y. `fresh` leaves the weights as PyTorch initializes them.
    `variadic` says that forward takes *inputs.
    """

    name: str
    make: Callable[[], nn.Module]
    inputs: tuple[Input, ...]
    widths: tuple[Width, ...]
    without: dict[str, str] = field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()
    output: tuple[str, ...] = ("batch",)
    fresh: bool = False
    variadic: bool = False


@dataclass(frozen=True)
class File:
    """A model that is made as ONNX: by skl2onnx or by hand."""

    name: str
    exporter: str
    make: Callable[[], onnx.ModelProto]
    inputs: tuple[Input, ...]
    widths: tuple[Width, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    runs: bool = True


Entry = Torch | File

# Sizes that the symbols of input shapes take; the first are those of the example that is exported.
SIZES = {"batch": (3, 1, 5), "sequence": (7, 4, 9), "target": (5, 3, 8)}


def batched(name: str, *shape: int) -> tuple[Input, ...]:
    """One float32 input [batch, ...shape]."""
    return (Input(name, ("batch", *shape)),)


def mask(name: str, axis: str = "sequence") -> Input:
    """An int64 input [batch, axis] of zeros and ones."""
    return Input(name, ("batch", axis), "int64", 0, 1, 1)


def ids(name: str, high: int, axis: str = "sequence", low: int = 0) -> Input:
    """An int64 input [batch, axis] of ids from low to high."""
    return Input(name, ("batch", axis), "int64", low, high)
