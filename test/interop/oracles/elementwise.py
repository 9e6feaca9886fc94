"""Operators that treat each position of their inputs separately."""

import numpy as np
import torch
import torch.nn.functional as F

from case import Case, Constant, of_float, of_int, of_text, operator


@operator(
    *("Abs", "Atan", "Ceil", "Cos", "Erf", "Exp", "Floor", "Identity", "Mish", "Neg", "Round", "Sigmoid", "Sign", "Sin"),
    *("Softplus", "Softsign", "Tanh"),
)
def plain(draw, name):
    function = {
        "Abs": torch.abs,
        "Atan": torch.atan,
        "Ceil": torch.ceil,
        "Cos": torch.cos,
        "Erf": torch.erf,
        "Exp": torch.exp,
        "Floor": torch.floor,
        "Identity": torch.clone,
        "Mish": F.mish,
        "Neg": torch.neg,
        "Round": torch.round,
        "Sigmoid": torch.sigmoid,
        "Sign": torch.sign,
        "Sin": torch.sin,
        # torch's softplus turns linear above a threshold; here it should never.
        "Softplus": lambda x: F.softplus(x, threshold=1e9),
        "Softsign": F.softsign,
        "Tanh": torch.tanh,
    }[name]
    # Sometimes far out, where a naive formula overflows or loses its digits.
    scale = draw.one_of(1, 1, 4) if name == "Exp" else draw.one_of(1, 1, 10)
    return Case([draw.tensor(draw.shape(), scale)], function)


@operator("Relu", "LeakyRelu", "Elu")
def rectifiers(draw, name):
    x = draw.tensor(draw.shape())
    if draw.flag():
        # At the corner PyTorch takes the left derivative, and so should we: zeros are common after a Relu.
        x = np.where(np.abs(x) < 0.5, np.float32(0), x)
    if name == "Relu":
        return Case([x], torch.relu)
    alpha = draw.real(0.01, 1.5)
    function = F.leaky_relu if name == "LeakyRelu" else F.elu
    if draw.flag():
        return Case([x], lambda x: function(x, alpha), {"alpha": of_float(alpha)})
    return Case([x], lambda x: function(x, {"LeakyRelu": float(np.float32(0.01)), "Elu": 1.0}[name]))


@operator("Celu")
def celu(draw, _):
    x = draw.tensor(draw.shape(), draw.one_of(1, 1, 6))
    if draw.flag():
        return Case([x], F.celu)
    alpha = draw.real(0.2, 2)
    return Case([x], lambda x: F.celu(x, alpha), {"alpha": of_float(alpha)})


@operator("Selu")
def selu(draw, _):
    return Case([draw.tensor(draw.shape(), draw.one_of(1, 1, 6))], F.selu)


@operator("Swish")
def swish(draw, _):
    x = draw.tensor(draw.shape(), draw.one_of(1, 1, 6))
    if draw.flag():
        return Case([x], F.silu)
    alpha = draw.real(-2, 2)
    return Case([x], lambda x: x * torch.sigmoid(alpha * x), {"alpha": of_float(alpha)})


@operator("PRelu", cases=30)
def prelu(draw, _):
    x, slope = draw.broadcasting(2)
    if len(x) < len(slope):
        x, slope = slope, x
    lead = len(x) - len(slope)
    shape = [max(size, slope[axis - lead]) if axis >= lead else size for axis, size in enumerate(x)]
    values = draw.tensor(shape)
    if draw.flag():
        values = np.where(np.abs(values) < 0.5, np.float32(0), values)
    return Case([values, draw.tensor(slope)], lambda x, slope: torch.where(x > 0, x, slope * x))


@operator("Sum", "Mean", cases=30)
def many(draw, name):
    inputs = [draw.tensor(shape) for shape in draw.broadcasting(draw.whole(1, 4))]

    def reference(*given):
        total = sum(given[1:], given[0])
        return total / len(given) if name == "Mean" else total.clone()

    return Case(inputs, reference)


@operator("Gelu")
def gelu(draw, _):
    approximate = draw.one_of("none", "tanh")
    attributes = {"approximate": of_text(approximate)} if approximate == "tanh" or draw.flag() else {}
    x = draw.tensor(draw.shape(), draw.one_of(1, 1, 6))
    return Case([x], lambda x: F.gelu(x, approximate=approximate), attributes)


@operator("HardSwish")
def hard_swish(draw, _):
    return Case([draw.tensor(draw.shape(), 2.5)], F.hardswish)


@operator("HardSigmoid")
def hard_sigmoid(draw, _):
    alpha, beta = draw.real(0.1, 0.4), draw.real(0.3, 0.6)
    attributes = {"alpha": of_float(alpha), "beta": of_float(beta)}
    return Case([draw.tensor(draw.shape(), 2.5)], lambda x: torch.clamp(alpha * x + beta, 0, 1), attributes)


@operator("Log", "Sqrt", "Reciprocal")
def of_positive(draw, name):
    function = {"Log": torch.log, "Sqrt": torch.sqrt, "Reciprocal": torch.reciprocal}[name]
    return Case([draw.positive(draw.shape())], function)


@operator("Add", "Sub", "Mul", cases=30)
def arithmetic(draw, name):
    function = {"Add": torch.add, "Sub": torch.sub, "Mul": torch.mul}[name]
    return Case([draw.tensor(shape) for shape in draw.broadcasting(2)], function)


@operator("Div", cases=30)
def divide(draw, _):
    left, right = draw.broadcasting(2)
    return Case([draw.tensor(left), draw.away_from_zero(right)], torch.div)


@operator("Pow", cases=40)
def power(draw, _):
    left, right = draw.broadcasting(2)
    kind = draw.one_of("real", "square", "cube", "root", "inverse")
    if kind == "real":
        return Case([draw.positive(left), draw.tensor(right)], torch.pow)
    exponent = {"square": 2.0, "cube": 3.0, "root": 0.5, "inverse": -1.0}[kind]
    base = draw.tensor(left) if exponent > 1 else draw.positive(left)
    if exponent > 1 and draw.flag():
        # x**2 has a derivative at 0, though the logarithm in the general rule has no value there.
        base = np.where(np.abs(base) < 0.5, np.float32(0), base)
    return Case([base, Constant(np.asarray(exponent, dtype=np.float32))], lambda x: torch.pow(x, exponent))


@operator("Max", "Min", cases=30)
def extremum(draw, name):
    function = torch.maximum if name == "Max" else torch.minimum
    inputs = [draw.tensor(shape) for shape in draw.broadcasting(draw.whole(1, 3))]

    def reference(first, *others):
        for other in others:
            first = function(first, other)
        return first

    return Case(inputs, reference)


@operator("Clip", cases=30)
def clip(draw, _):
    low = Constant(np.float32(draw.real(-0.8, 0.0))) if draw.flag() else None
    high = Constant(np.float32(draw.real(0.1, 0.9))) if draw.flag() else None
    limits = [None if limit is None else float(limit.value) for limit in (low, high)]
    inputs = [draw.tensor(draw.shape()), low, high]
    return Case(inputs, lambda x: x.clone() if limits == [None, None] else torch.clamp(x, *limits))


@operator("Where", cases=30)
def where(draw, _):
    mask, left, right = draw.broadcasting(3)
    condition = draw.flags(mask)
    inputs = [condition, draw.tensor(left), draw.tensor(right)]
    return Case(inputs, lambda a, b: torch.where(torch.from_numpy(condition), a, b))


@operator("Cast")
def cast(draw, _):
    return Case([draw.tensor(draw.shape())], torch.clone, {"to": of_int(1)})


@operator("CastLike")
def cast_like(draw, _):
    like = Constant(np.zeros(draw.shape(), dtype=np.float32))
    return Case([draw.tensor(draw.shape()), like], torch.clone)


@operator("Dropout")
def dropout(draw, _):
    ratio = Constant(np.float32(draw.real(0, 0.9)))
    inputs = [draw.tensor(draw.shape(1))] + ([ratio] if draw.flag() else [])
    return Case(inputs, lambda x: F.dropout(x, float(ratio.value), training=False))
