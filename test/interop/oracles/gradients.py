"""Every operator's output and gradients against torch.autograd.

espalier computes in float32, the reference in float64 on the same float32 inputs. Inputs and upstream gradients
are of size 1; an entry sums up to a hundred products of them, each rounded to 6e-8 of itself, and the approximations
inside Tanh and Erf are good to some 1e-7: 3e-6, relative and absolute, is that with a margin of about 3. Where sums
are longer (Conv) or a difference is divided by a small deviation (the normalizations) the case allows more.
"""

import os
import sys
import time

import numpy as np
import torch

import elementwise, moving, products, recurrent, reducing  # noqa: E401, F401  (they fill the table)
from case import Constant, table
from draw import Draw
from engine import Engine

SEED = int(os.environ.get("SEED", "20260"))

#: Operators of espalier that have no gradient rule, because their outputs are whole numbers, flags or constants, or
#: because they only occur in backward passes. One that gains or loses a rule must be moved.
WITHOUT_GRADIENT = {
    "And",
    "ArgMax",
    "ArgMin",
    "Choose",
    "Constant",
    "ConstantOfShape",
    "Equal",
    "Greater",
    "GreaterOrEqual",
    "IsInf",
    "IsNaN",
    "Less",
    "LessOrEqual",
    "Mod",
    "Not",
    "Or",
    "Range",
    "Scan",
    "Shape",
    "Size",
    "Xor",
}


#: Operators of older operator sets alone, which are rewritten before anything is differentiated.
RAISED = {"Upsample"}


def coverage(rules: dict[str, bool]) -> list[str]:
    """What is wrong with the table, the operators being those of espalier."""
    missing = {name for name, has in rules.items() if has} - set(table) - RAISED
    extra = set(table) - {name for name, has in rules.items() if has}
    lists = {name for name, has in rules.items() if not has} ^ WITHOUT_GRADIENT
    return [
        *(f"{name}: has a gradient rule but no cases here" for name in sorted(missing)),
        *(f"{name}: has cases here but no gradient rule in espalier" for name in sorted(extra)),
        *(f"{name}: WITHOUT_GRADIENT and espalier's table differ" for name in sorted(lists)),
    ]


class Asked:
    """A case, run through PyTorch, and its request to espalier."""

    def __init__(self, op: str, number: int, stream: int) -> None:
        draw = Draw(SEED, stream, number)
        self.op, self.id = op, f"{op}{number}"
        self.case = case = table[op].draw(draw)
        self.tensors: dict[str, np.ndarray] = {}
        kinds, fed, self.differentiable = [], [], []
        named = draw.flag()
        for index, given in enumerate(case.inputs):
            if given is None:
                kinds.append("none")
                continue
            constant = isinstance(given, Constant)
            kinds.append("constant" if constant else "named" if named else "fed")
            array = np.asarray(given.value if constant else given)
            self.tensors[f"{self.id}.x{index}"] = array
            if constant or array.dtype != np.float32:
                continue
            wanted = index not in case.fixed
            fed.append(torch.tensor(array, dtype=torch.float64, requires_grad=wanted))
            if wanted:
                self.differentiable.append(index)
        made = case.reference(*fed)
        made = made if isinstance(made, list) else [made]
        # The loss may depend on some of several outputs only.
        used = draw.some(list(range(len(made)))) if len(made) > 1 else [0]
        loss = torch.zeros((), dtype=torch.float64)
        for index in used:
            upstream = draw.tensor(tuple(made[index].shape))
            self.tensors[f"{self.id}.r{index}"] = upstream
            loss = loss + (made[index] * torch.from_numpy(np.asarray(upstream, dtype=np.float64))).sum()
        wanted = [tensor for tensor in fed if tensor.requires_grad]
        grads = torch.autograd.grad(loss, wanted, allow_unused=True) if loss.requires_grad else [None] * len(wanted)
        self.expected = {f"y{index}": output.detach().numpy() for index, output in enumerate(made)}
        for index, tensor, grad in zip(self.differentiable, wanted, grads):
            self.expected[f"g{index}"] = (torch.zeros_like(tensor) if grad is None else grad).detach().numpy()
        self.request = {
            "id": self.id,
            "op": op,
            "attributes": {name: {"kind": a.kind, "value": a.value} for name, a in case.attributes.items()},
            "inputs": kinds,
            "outputs": case.outputs,
            "differentiable": self.differentiable,
            "numericFrom": case.numeric_from,
        }

    def describe(self) -> str:
        shapes = [self.tensors.get(f"{self.id}.x{index}") for index in range(len(self.case.inputs))]
        inputs = ", ".join("-" if array is None else f"{array.dtype}{list(array.shape)}" for array in shapes)
        attributes = {name: a.value for name, a in self.case.attributes.items()}
        return f"{self.id}({inputs}) {attributes} inputs {self.request['inputs']}"

    def deviation(self, answered: dict[str, np.ndarray]) -> tuple[float, str]:
        """The largest fraction of the tolerance that any entry uses, and where; infinite if a shape is wrong."""
        worst = (0.0, "")
        for name, expected in self.expected.items():
            ours = answered.get(f"{self.id}.{name}")
            if ours is None or ours.shape != expected.shape:
                shape = "nothing" if ours is None else list(ours.shape)
                return float("inf"), f"{name} is {shape}, should be {list(expected.shape)}"
            if expected.size == 0:
                continue
            allowed = self.case.relative * np.abs(expected) + self.case.absolute
            part = np.abs(ours - expected) / allowed
            at = np.unravel_index(np.argmax(np.where(np.isnan(part), np.inf, part)), part.shape)
            value = float(part[at]) if not np.isnan(part[at]) else float("inf")
            if value > worst[0]:
                worst = (value, f"{name}{[int(i) for i in at]} is {ours[at]}, should be {expected[at]}")
        return worst


def main() -> int:
    started = time.monotonic()
    only = sys.argv[2:]
    engine = Engine()
    rules, _ = engine.ask("operators", {}, {})
    problems = coverage(rules)
    streams = {name: stream for stream, name in enumerate(sorted(table))}
    asked = [
        Asked(name, number, streams[name])
        for name in sorted(table)
        if (not only or name in only) and rules.get(name)
        for number in range(table[name].cases)
    ]
    tensors = {name: array for case in asked for name, array in case.tensors.items()}
    answers, results = engine.ask("gradients", [case.request for case in asked], tensors)
    errors = {answer["id"]: answer["error"] for answer in answers}
    worst: dict[str, float] = {}
    for case in asked:
        if errors[case.id] is not None:
            problems.append(f"{case.describe()}: {errors[case.id]}")
            continue
        part, where = case.deviation(results)
        worst[case.op] = max(worst.get(case.op, 0.0), part)
        if not part <= 1:
            problems.append(f"{case.describe()}: {where} ({part:.3g} of the tolerance)")
    for name in sorted(worst, key=worst.get, reverse=True):
        print(f"  {name:24} {table[name].cases:4} cases, worst {worst[name]:.3f} of the tolerance")
    seconds = time.monotonic() - started
    print(f"gradients: seed {SEED}, {len(asked)} cases of {len(worst)} operators, {len(WITHOUT_GRADIENT)} without")
    print(f"gradients: worst {max(worst.values(), default=0):.3f} of the tolerance, {seconds:.0f} s")
    for problem in problems:
        print(f"  MISMATCH {problem}", file=sys.stderr)
    return 1 if problems else 0


sys.exit(main())
