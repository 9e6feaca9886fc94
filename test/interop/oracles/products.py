"""Matrix products, convolutions and pools."""

import numpy as np
import torch
import torch.nn.functional as F

from case import Case, of_float, of_int, of_ints, of_text, operator
from windows import windows

convolve = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
convolve_back = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
largest_of = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
mean_of = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


@operator("Gemm", cases=60)
def gemm(draw, _):
    m, k, n = draw.whole(1, 6), draw.whole(1, 9), draw.whole(1, 6)
    across_a, across_b = draw.flag(), draw.flag()
    alpha, beta = draw.one_of(1.0, draw.real(-2, 2)), draw.one_of(1.0, draw.real(-2, 2))
    attributes = {
        "transA": of_int(across_a),
        "transB": of_int(across_b),
        "alpha": of_float(alpha),
        "beta": of_float(beta),
    }
    added = draw.one_of(None, [n], [1, n], [m, 1], [m, n], [], [1])
    inputs = [draw.tensor([k, m] if across_a else [m, k]), draw.tensor([n, k] if across_b else [k, n])]
    if added is not None:
        inputs.append(draw.tensor(added))

    def reference(a, b, *c):
        product = alpha * ((a.T if across_a else a) @ (b.T if across_b else b))
        return product + beta * c[0] if c else product

    return Case(inputs, reference, attributes)


@operator("MatMul", cases=60)
def mat_mul(draw, _):
    m, k, n = draw.whole(1, 5), draw.whole(1, 8), draw.whole(1, 5)
    left, right = draw.broadcasting(2, 2)
    shapes = draw.one_of(
        ([*left, m, k], [*right, k, n]),
        ([*left, m, k], [*right, k, n]),
        ([*left, m, k], [k, n]),
        ([k], [*right, k, n]),
        ([*left, m, k], [k]),
        ([k], [k]),
    )
    return Case([draw.tensor(shape) for shape in shapes], torch.matmul)


class Sliding:
    """A random window: how it slides over spatial axes, and sizes that it fits into."""

    def __init__(self, draw, *, pooling: bool = False, auto: bool = True) -> None:
        self.rank = draw.one_of(1, 2, 2, 2, 3)
        each = lambda low, high: [draw.whole(low, high) for _ in range(self.rank)]
        self.kernel = each(1, 3)
        self.strides = each(1, 3 if pooling else 2)
        self.dilations = each(1, 2)
        if draw.whole(0, 3) == 0:
            # Tiles: the commonest pool and patch embedding, and a case that rules treat on its own.
            self.strides, self.dilations = list(self.kernel), [1] * self.rank
        reach = [(size - 1) * dilation + 1 for size, dilation in zip(self.kernel, self.dilations)]
        self.sizes = [length + draw.whole(0, 4 if self.rank < 3 else 2) for length in reach]
        # PyTorch's pools take at most half the window as padding, and so does their reference here.
        limit = [min(1, size // 2) if pooling else 2 for size in self.kernel]
        self.begin = [draw.whole(0, most) for most in limit]
        self.end = list(self.begin) if draw.flag() else [draw.whole(0, most) for most in limit]
        self.auto = draw.one_of("NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID") if auto else "NOTSET"
        self.ceil = pooling and draw.flag()
        if self.auto.startswith("SAME"):
            # ONNX Runtime supports no dilation here, nor pools that skip elements; espalier refuses both.
            self.dilations, reach = [1] * self.rank, list(self.kernel)
            if pooling:
                self.strides = [min(stride, size) for stride, size in zip(self.strides, self.kernel)]
        if self.auto != "NOTSET":
            self.ceil = False
            totals = [
                0 if self.auto == "VALID" else max(0, (-(-size // stride) - 1) * stride + length - size)
                for size, stride, length in zip(self.sizes, self.strides, reach)
            ]
            less, more = [total // 2 for total in totals], [total - total // 2 for total in totals]
            self.begin, self.end = (more, less) if self.auto == "SAME_LOWER" else (less, more)
        for axis in range(self.rank):
            # ONNX Runtime's kernels drop a window that would start in the padding at the end, but its shape
            # inference counts it, and then it does not run the graph.
            slack = self.sizes[axis] + self.begin[axis] + self.end[axis] - reach[axis]
            last = -(-slack // self.strides[axis]) * self.strides[axis]
            self.ceil = self.ceil and last < self.sizes[axis] + self.begin[axis]

    @property
    def symmetric(self) -> bool:
        return self.begin == self.end and self.auto == "NOTSET"

    def attributes(self) -> dict:
        pads = {"pads": of_ints(self.begin + self.end)} if self.auto == "NOTSET" else {"auto_pad": of_text(self.auto)}
        return {
            "kernel_shape": of_ints(self.kernel),
            "strides": of_ints(self.strides),
            "dilations": of_ints(self.dilations),
            **pads,
        }

    def padding(self) -> list[int]:
        """For torch.nn.functional.pad, which counts axes from the last."""
        return [size for pair in reversed(list(zip(self.begin, self.end))) for size in pair]


@operator("Conv", cases=120)
def conv(draw, _):
    window = Sliding(draw)
    groups = draw.one_of(1, 1, 2, 3)
    depthwise = groups > 1 and draw.flag()
    inside, outside = (1, draw.whole(1, 2)) if depthwise else (draw.whole(1, 3), draw.whole(1, 3))
    inputs = [
        draw.tensor([draw.whole(1, 3), inside * groups, *window.sizes]),
        draw.tensor([outside * groups, inside, *window.kernel]),
    ]
    if draw.flag():
        inputs.append(draw.tensor([outside * groups]))

    def reference(x, w, b=None):
        padded = F.pad(x, window.padding())
        return convolve[window.rank](padded, w, b, window.strides, 0, window.dilations, groups)

    attributes = {**window.attributes(), "group": of_int(groups)}
    # Grouped channels must be known as numbers; so must spatial sizes, to which a stride is fitted.
    return Case(inputs, reference, attributes, numeric_from=1 if groups > 1 else 2, relative=5e-6, absolute=5e-6)


@operator("ConvTranspose", cases=60)
def conv_transpose(draw, _):
    window = Sliding(draw, auto=False)
    groups = draw.one_of(1, 1, 2)
    inside, outside = draw.whole(1, 2), draw.whole(1, 2)
    extra = [draw.whole(0, stride - 1) for stride in window.strides]
    sizes = [draw.whole(2, 4) for _ in window.sizes]
    for axis in range(window.rank):
        # At least one position must be left of what it makes.
        made = (sizes[axis] - 1) * window.strides[axis] + (window.kernel[axis] - 1) * window.dilations[axis] + 1
        if made + extra[axis] - window.begin[axis] - window.end[axis] < 1:
            window.begin[axis] = window.end[axis] = 0
    inputs = [
        draw.tensor([draw.whole(1, 2), inside * groups, *sizes]),
        draw.tensor([inside * groups, outside, *window.kernel]),
    ]
    if draw.flag():
        inputs.append(draw.tensor([outside * groups]))

    def reference(x, w, b=None):
        back = convolve_back[window.rank]
        # Without padding and then cropped; room for the largest output padding first.
        whole = back(x, w, None, window.strides, 0, 0, groups, window.dilations)
        whole = F.pad(whole, [size for more in reversed(extra) for size in (0, more)])
        for axis in range(window.rank):
            length = whole.shape[axis + 2] - window.begin[axis] - window.end[axis]
            whole = whole.narrow(axis + 2, window.begin[axis], length)
        return whole if b is None else whole + b.reshape([-1] + [1] * window.rank)

    attributes = {**window.attributes(), "group": of_int(groups), "output_padding": of_ints(extra)}
    return Case(inputs, reference, attributes, numeric_from=1 if groups > 1 else 2, relative=5e-6, absolute=5e-6)


@operator("MaxPool", cases=100)
def max_pool(draw, _):
    window = Sliding(draw, pooling=True)
    x = draw.tensor([draw.whole(1, 2), draw.whole(1, 3), *window.sizes])
    if draw.whole(0, 3) == 0:
        # Ties, as after a Relu: the first of equal elements takes the gradient, in PyTorch as here.
        x = np.where(x < 0.3, np.float32(0), x)

    def reference(x):
        if window.symmetric:
            pool = largest_of[window.rank]
            return pool(x, window.kernel, window.strides, window.begin, window.dilations, ceil_mode=window.ceil)
        taps, _ = windows(x, window, float("-inf"))
        return taps.max(-1).values

    attributes = {**window.attributes(), "ceil_mode": of_int(window.ceil)}
    return Case([x], reference, attributes, numeric_from=2)


@operator("AveragePool", cases=100)
def average_pool(draw, _):
    window = Sliding(draw, pooling=True)
    x = draw.tensor([draw.whole(1, 2), draw.whole(1, 3), *window.sizes])
    padded = draw.flag()

    def reference(x):
        if window.symmetric and set(window.dilations) == {1}:
            pool = mean_of[window.rank]
            return pool(x, window.kernel, window.strides, window.begin, window.ceil, padded)
        taps, counted = windows(x, window, 0.0, count_padding=padded)
        return taps.sum(-1) / counted

    attributes = {**window.attributes(), "ceil_mode": of_int(window.ceil), "count_include_pad": of_int(padded)}
    return Case([x], reference, attributes, numeric_from=2)


@operator("GlobalAveragePool", "GlobalMaxPool")
def global_pool(draw, name):
    x = draw.tensor([draw.whole(1, 3), draw.whole(1, 4), *draw.shape(1, 3)])

    def reference(x):
        flat = x.flatten(2)
        pooled = flat.mean(-1) if name == "GlobalAveragePool" else flat.max(-1).values
        return pooled.reshape([*x.shape[:2]] + [1] * (x.dim() - 2))

    return Case([x], reference, numeric_from=2)


@operator("Einsum", cases=60)
def einsum(draw, _):
    equation = draw.one_of(
        "ij,jk->ik", "ij,jk", "bij,bkj->bik", "bthd,bshd->bhts", "i,j->ji", "ij,jk,kl->il", "bi,oij,bj->bo", "ij->i", "ijk,j->"
    )
    sizes = {letter: draw.whole(2, 4) for letter in "bdhijklost"}
    operands = equation.split("->")[0].split(",")
    inputs = [draw.tensor([sizes[letter] for letter in letters]) for letters in operands]
    return Case(inputs, lambda *given: torch.einsum(equation, *given), {"equation": of_text(equation)}, relative=1e-5, absolute=1e-5)
