"""Operators that move, pick, slice and repeat elements."""

import numpy as np
import torch
import torch.nn.functional as F

from case import Case, Constant, of_int, of_ints, of_text, operator, whole_numbers


def factors(size: int) -> list[int]:
    for prime in range(2, size + 1):
        if size % prime == 0:
            return [prime, *factors(size // prime)]
    return []


@operator("Reshape", cases=40)
def reshape(draw, _):
    x = draw.tensor(draw.shape())
    target: list[int] = []
    for factor in draw.shuffled(factors(x.size)):
        if not target or draw.flag():
            target.append(factor)
        else:
            target[-1] *= factor
    shape = list(target)
    written = [0 if axis < x.ndim and x.shape[axis] == size and draw.flag() else size for axis, size in enumerate(shape)]
    if written and draw.flag():
        written[draw.whole(0, len(written) - 1)] = -1
    return Case([x, whole_numbers(written)], lambda x: x.reshape(shape))


@operator("Flatten")
def flatten(draw, _):
    x = draw.tensor(draw.shape(1))
    axis = draw.whole(-x.ndim, x.ndim)
    rows = int(np.prod(x.shape[: axis if axis >= 0 else axis + x.ndim], dtype=int))
    return Case([x], lambda x: x.reshape(rows, -1), {"axis": of_int(axis)})


@operator("Transpose")
def transpose(draw, _):
    x = draw.tensor(draw.shape())
    if draw.whole(0, 3) == 0:
        return Case([x], lambda x: x.permute(list(reversed(range(x.dim())))))
    order = draw.shuffled(list(range(x.ndim)))
    return Case([x], lambda x: x.permute(order), {"perm": of_ints(order)})


@operator("Squeeze")
def squeeze(draw, _):
    shape = draw.shape(0, 3)
    for at in range(draw.whole(1, 2)):
        shape.insert(draw.whole(0, len(shape)), 1)
    ones = [axis for axis, size in enumerate(shape) if size == 1]
    x = draw.tensor(shape)
    if draw.whole(0, 3) == 0:
        return Case([x], torch.squeeze)
    axes = draw.some(ones)
    written = [axis - len(shape) if draw.flag() else axis for axis in axes]
    return Case([x, whole_numbers(written)], lambda x: x.squeeze(tuple(axes)))


@operator("Unsqueeze")
def unsqueeze(draw, _):
    shape = draw.shape(0, 3)
    rank = len(shape) + draw.whole(1, 2)
    axes = sorted(draw.shuffled(list(range(rank)))[: rank - len(shape)])
    sizes = iter(shape)
    result = [1 if axis in axes else next(sizes) for axis in range(rank)]
    written = draw.shuffled([axis - rank if draw.flag() else axis for axis in axes])
    return Case([draw.tensor(shape), whole_numbers(written)], lambda x: x.reshape(result))


@operator("Concat", cases=30)
def concat(draw, _):
    shape = draw.shape(1)
    axis = draw.axis(len(shape))
    parts = []
    for _ in range(draw.whole(1, 4)):
        shape[axis] = draw.whole(1, 4)
        parts.append(draw.tensor(shape))
    return Case(parts, lambda *parts: torch.cat(parts, axis), {"axis": of_int(axis)})


@operator("Split", cases=40)
def split(draw, _):
    shape = draw.shape(1)
    axis = draw.axis(len(shape))
    if draw.flag():
        sizes = [draw.whole(1, 3) for _ in range(draw.whole(1, 3))]
        inputs, attributes = [whole_numbers(sizes)], {}
    else:
        # Into equal parts, the last of which may be smaller.
        count, size = draw.whole(1, 3), draw.one_of(3, 5, 6, 7)
        part = -(-size // count)
        sizes = [part] * (count - 1) + [size - part * (count - 1)]
        inputs, attributes = [], {"num_outputs": of_int(count)}
    shape[axis] = sum(sizes)
    return Case(
        [draw.tensor(shape), *inputs],
        lambda x: list(x.split(sizes, axis)),
        {"axis": of_int(axis), **attributes},
        outputs=len(sizes),
        # A symbolic size does not show whether it divides evenly.
        numeric_from=0 if attributes else 99,
    )


@operator("Slice", cases=100)
def cut(draw, _):
    x = draw.tensor(draw.shape(1, 4, 2, 7))
    axes = draw.shuffled(draw.some(list(range(x.ndim))))
    starts, ends, steps, picks = [], [], [], {}
    for axis in axes:
        size = x.shape[axis]
        step = draw.one_of(1, 1, 1, 2, 3, -1, -2)
        first = draw.whole(0, size - 1)
        if step > 0:
            last = draw.whole(first + 1, size)
            end = draw.one_of(last, last - size, 2**31 - 1, 2**63 - 1) if last == size else draw.one_of(last, last - size)
            end = 2**62 if end == 0 else end
        else:
            last = draw.whole(-1, first - 1)
            end = -(2**31) if last < 0 else draw.one_of(last, last - size)
        picks[axis] = list(range(first, last, step))
        starts.append(draw.one_of(first, first - size))
        ends.append(end)
        steps.append(step)

    def reference(x):
        for axis, at in picks.items():
            x = x.index_select(axis, torch.tensor(at))
        return x

    fed = draw.whole(0, 3) == 0
    limits = [whole_numbers(values) for values in (starts, ends)]
    limits = [limit.value if fed else limit for limit in limits]
    written = [axis - x.ndim if draw.flag() else axis for axis in axes]
    tail = [whole_numbers(written)] + ([whole_numbers(steps)] if set(steps) != {1} or draw.flag() else [])
    # If sizes are symbolic, the shape rule promises nothing about cuts that depend on them.
    return Case([x, *limits, *tail], reference, numeric_from=0)


@operator("Gather", cases=80)
def gather(draw, _):
    x = draw.tensor(draw.shape(1))
    axis = draw.axis(x.ndim)
    size = x.shape[axis]
    indices = draw.integers(draw.shape(0, 2), -size, size - 1, draw.one_of(np.int64, np.int64, np.int32))
    at = torch.from_numpy(np.where(indices < 0, indices + size, indices).astype(np.int64))

    def reference(x):
        where = axis % x.dim()
        return x.index_select(axis, at.flatten()).reshape([*x.shape[:where], *at.shape, *x.shape[where + 1 :]])

    given = Constant(indices) if draw.flag() else indices
    return Case([x, given], reference, {"axis": of_int(axis)}, numeric_from=draw.one_of(0, 99))


@operator("GatherElements", cases=40)
def gather_elements(draw, _):
    x = draw.tensor(draw.shape(1))
    axis = draw.axis(x.ndim)
    size = x.shape[axis]
    shape = [draw.whole(1, 5) if at == axis % x.ndim else length for at, length in enumerate(x.shape)]
    indices = draw.integers(shape, -size, size - 1)
    at = torch.from_numpy(np.where(indices < 0, indices + size, indices))
    return Case([x, indices], lambda x: torch.gather(x, axis, at), {"axis": of_int(axis)})


@operator("MaxUnpool", cases=40)
def max_unpool(draw, _):
    kernel = [draw.whole(1, 3), draw.whole(1, 3)]
    more = [draw.whole(0, size - 1) for size in kernel]
    positions = [draw.whole(1, 3), draw.whole(1, 3)]
    sizes = [count * size + extra for count, size, extra in zip(positions, kernel, more)]
    whole = draw.tensor([draw.whole(1, 2), draw.whole(1, 3), *sizes])
    _, at = F.max_pool2d(torch.from_numpy(whole), kernel, kernel, return_indices=True)
    # PyTorch counts within a plane, ONNX within the whole output.
    planes = torch.arange(at.shape[0] * at.shape[1]).reshape(*at.shape[:2], 1, 1) * (sizes[0] * sizes[1])
    x = draw.tensor(list(at.shape))
    attributes = {"kernel_shape": of_ints(kernel), "strides": of_ints(kernel)}
    asked = [whole_numbers(whole.shape)] if any(more) or draw.flag() else []
    inputs = [x, Constant((at + planes).numpy()), *asked]
    return Case(inputs, lambda x: F.max_unpool2d(x, at, kernel, kernel, output_size=sizes), attributes, numeric_from=0)


@operator("Expand", cases=30)
def expand(draw, _):
    shape, target = draw.broadcasting(2)
    result = np.broadcast_shapes(tuple(shape), tuple(target))
    return Case([draw.tensor(shape), whole_numbers(target)], lambda x: x.expand(result))


@operator("Tile")
def tile(draw, _):
    x = draw.tensor(draw.shape(1, 3))
    repeats = [draw.whole(1, 3) for _ in x.shape]
    return Case([x, whole_numbers(repeats)], lambda x: x.repeat(repeats))


@operator("Pad", cases=60)
def pad(draw, _):
    mode = draw.one_of("constant", "constant", "edge", "reflect")
    x = draw.tensor(draw.shape(1, 3, 2, 5))
    axes = draw.shuffled(draw.some(list(range(x.ndim))))
    room = {axis: x.shape[axis] - 1 if mode == "reflect" else 2 for axis in axes}
    begin = {axis: draw.whole(0, min(2, room[axis])) for axis in axes}
    end = {axis: draw.whole(0, min(2, room[axis])) for axis in axes}
    value = draw.real(-1, 1)

    def reference(x):
        for axis in axes:
            if mode == "constant":
                sizes = [0, 0] * (x.dim() - axis - 1) + [begin[axis], end[axis]]
                x = F.pad(x, sizes, value=value)
            else:
                at = torch.arange(-begin[axis], x.shape[axis] + end[axis])
                last = x.shape[axis] - 1
                at = at.clamp(0, last) if mode == "edge" else last - (last - at.abs()).abs()
                x = x.index_select(axis, at)
        return x

    written = [begin[axis] for axis in axes] + [end[axis] for axis in axes]
    fill = Constant(np.float32(value)) if mode == "constant" else None
    inputs = [x, whole_numbers(written), fill, whole_numbers(axes)]
    if axes == list(range(x.ndim)) and draw.flag():
        inputs = inputs[: 3 if fill is not None else 2]
    return Case(inputs, reference, {"mode": of_text(mode)}, numeric_from=0 if mode == "reflect" else 99)


@operator("Resize")
def resize(draw, _):
    rank = draw.whole(1, 3)
    x = draw.tensor([draw.whole(1, 2), draw.whole(1, 3), *[draw.whole(1, 4) for _ in range(rank)]])
    scales = [draw.whole(1, 3) for _ in range(rank)]
    attributes = {
        "mode": of_text("nearest"),
        "coordinate_transformation_mode": of_text("asymmetric"),
        "nearest_mode": of_text("floor"),
    }
    if draw.flag():
        factors_ = [None, Constant(np.asarray([1, 1, *scales], dtype=np.float32))]
    else:
        sizes = [size * factor for size, factor in zip(x.shape, [1, 1, *scales])]
        factors_ = [None, None, whole_numbers(sizes)]

    def reference(x):
        return F.interpolate(x, scale_factor=[float(scale) for scale in scales], mode="nearest")

    return Case([x, *factors_], reference, attributes, numeric_from=0)


@operator("GatherND", cases=30)
def gather_nd(draw, _):
    batch = [draw.whole(1, 3) for _ in range(draw.whole(0, 1))]
    lead = [draw.whole(1, 3) for _ in range(draw.whole(0, 2))]
    looked = [draw.whole(1, 4) for _ in range(draw.whole(1, 2))]
    rest = [draw.whole(1, 3) for _ in range(draw.whole(0, 2))]
    at = np.stack([draw.integers([*batch, *lead], -size, size - 1) for size in looked], axis=-1)

    def reference(x):
        each = lambda x, at: x[tuple(torch.from_numpy(np.asarray(at[..., axis])) for axis in range(len(looked)))]
        if not batch:
            return each(x, at)
        return torch.stack([each(x[entry], at[entry]) for entry in range(batch[0])])

    data = draw.tensor([*batch, *looked, *rest])
    return Case([data, at if draw.flag() else Constant(at)], reference, {"batch_dims": of_int(len(batch))}, numeric_from=0)


@operator("DepthToSpace", "SpaceToDepth")
def depth(draw, name):
    block = draw.whole(1, 3)
    batch, channels, height, width = (draw.whole(1, 3) for _ in range(4))
    attributes = {"blocksize": of_int(block)}
    if name == "SpaceToDepth":
        x = draw.tensor([batch, channels, height * block, width * block])

        def deepen(x):
            six = x.reshape(batch, channels, height, block, width, block)
            return six.permute(0, 3, 5, 1, 2, 4).reshape(batch, -1, height, width)

        return Case([x], deepen, attributes, numeric_from=0)
    x = draw.tensor([batch, channels * block * block, height, width])
    if draw.flag():
        return Case([x], lambda x: F.pixel_shuffle(x, block), {**attributes, "mode": of_text("CRD")}, numeric_from=0)

    def flatten(x):
        six = x.reshape(batch, block, block, channels, height, width)
        return six.permute(0, 3, 4, 1, 5, 2).reshape(batch, channels, height * block, width * block)

    return Case([x], flatten, attributes, numeric_from=0)


@operator("Trilu")
def trilu(draw, _):
    x = draw.tensor([*draw.shape(0, 2), draw.whole(1, 5), draw.whole(1, 5)])
    diagonal, upper = draw.whole(-3, 3), draw.flag()
    function = torch.triu if upper else torch.tril
    inputs = [x, Constant(np.asarray(diagonal, dtype=np.int64))]
    return Case(inputs, lambda x: function(x, diagonal), {"upper": of_int(upper)})


@operator("TopK", cases=30)
def top_k(draw, _):
    x = draw.tensor(draw.shape(1))
    axis = draw.axis(x.ndim)
    count, largest = draw.whole(1, x.shape[axis]), draw.flag()
    attributes = {"axis": of_int(axis), "largest": of_int(largest)}
    return Case(
        [x, whole_numbers([count])],
        lambda x: torch.topk(x, count, axis, largest).values,
        attributes,
        outputs=2,
    )


@operator("Hardmax")
def hardmax(draw, _):
    x = draw.tensor(draw.shape(1))
    axis = draw.axis(x.ndim)
    mark = lambda x: torch.zeros_like(x).scatter(axis, x.argmax(axis, keepdim=True), 1.0)
    return Case([x], mark, {"axis": of_int(axis)})


@operator("ScatterElements", cases=40)
def scatter_elements(draw, _):
    x = draw.tensor(draw.shape(1, 3))
    axis = draw.axis(x.ndim)
    adds = draw.flag()
    size = x.shape[axis]
    count = draw.whole(1, size + 2) if adds else draw.whole(1, size)
    shape = list(x.shape)
    shape[axis] = count
    lines = [draw.shuffled(list(range(size)))[:count] for _ in range(int(np.prod(shape)) // count)]
    if adds:
        at = draw.integers(shape, 0, size - 1)
    else:
        at = np.moveaxis(np.asarray(lines, dtype=np.int64).reshape([*np.delete(shape, axis), count]), -1, axis)
    index = torch.from_numpy(np.ascontiguousarray(at))
    function = torch.scatter_add if adds else torch.scatter
    attributes = {"axis": of_int(axis), "reduction": of_text("add" if adds else "none")}
    return Case([x, np.ascontiguousarray(at), draw.tensor(shape)], lambda x, new: function(x, axis, index, new), attributes)


@operator("ScatterND", cases=30)
def scatter_nd(draw, _):
    shape = draw.shape(1, 3)
    adds = draw.flag()
    rows = draw.integers([draw.whole(1, 4)], 0, shape[0] - 1)
    if not adds:
        rows = np.unique(rows)
    at = torch.from_numpy(rows)
    updates = draw.tensor([len(rows), *shape[1:]])
    return Case(
        [draw.tensor(shape), Constant(rows[:, None]), updates],
        lambda x, new: x.index_put((at,), new, accumulate=adds),
        {"reduction": of_text("add" if adds else "none")},
    )


@operator("OneHot")
def one_hot(draw, _):
    depth = draw.whole(1, 5)
    at = draw.integers(draw.shape(1, 3), 0, depth - 1)
    front = draw.flag()

    def reference(values):
        marks = F.one_hot(torch.from_numpy(at), depth).to(values.dtype)
        marks = torch.movedim(marks, -1, 0) if front else marks
        return values[0] + (values[1] - values[0]) * marks

    inputs = [at, Constant(np.asarray([depth], dtype=np.int64)), draw.tensor([2])]
    return Case(inputs, reference, {"axis": of_int(0 if front else -1)})
