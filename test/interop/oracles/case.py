"""What a case of an operator is, and the table that operators are entered in."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from draw import Draw


@dataclass(frozen=True)
class Attribute:
    """An ONNX attribute, as espalier writes one."""

    kind: str
    value: object


def of_int(value: int) -> Attribute:
    return Attribute("int", int(value))


def of_ints(value) -> Attribute:
    return Attribute("ints", [int(entry) for entry in value])


def of_float(value: float) -> Attribute:
    return Attribute("float", value)


def of_text(value: str) -> Attribute:
    return Attribute("string", value)


@dataclass(frozen=True)
class Constant:
    """An input that is part of the graph, so that rules can see its value (axes, shapes, indices)."""

    value: np.ndarray


def whole_numbers(values) -> Constant:
    return Constant(np.asarray(list(values), dtype=np.int64))


@dataclass(frozen=True)
class Case:
    """One call. `inputs` are arrays (fed), Constants, or None where an optional input is left out."""

    inputs: list
    #: The same in PyTorch, from the float inputs that are fed: a tensor, or a list of them, one to an output.
    reference: Callable[..., torch.Tensor | list[torch.Tensor]]
    attributes: dict[str, Attribute] = field(default_factory=dict)
    #: Fed inputs whose gradient is not compared (it is not defined, or ONNX says it is not propagated).
    fixed: tuple[int, ...] = ()
    #: Outputs; the loss depends on all of those that `reference` gives.
    outputs: int = 1
    #: Axes from this one on keep their sizes as numbers in the graph, where the others are named.
    numeric_from: int = 99
    #: Allowed |ours - reference| is relative·|reference| + absolute.
    relative: float = 3e-6
    absolute: float = 3e-6


@dataclass(frozen=True)
class Entry:
    draw: Callable[[Draw], Case]
    cases: int


#: ONNX operator to its cases.
table: dict[str, Entry] = {}


def operator(*names: str, cases: int = 24):
    """Enters a function from (draw, operator) to a case under the names of operators."""

    def enter(make):
        for name in names:
            assert name not in table, name
            table[name] = Entry(lambda draw, name=name: make(draw, name), cases)
        return make

    return enter
