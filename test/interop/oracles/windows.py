"""Windows of a pool, written out, for what PyTorch's pools cannot do: uneven padding, dilated means."""

import torch
import torch.nn.functional as F


def windows(x: torch.Tensor, window, fill: float, *, count_padding: bool = False):
    """The taps of each window, [..., positions, taps], and how many of them a mean counts, [positions]."""
    rank = window.rank
    counted = torch.ones([1, 1, *x.shape[2:]], dtype=x.dtype)
    counted = F.pad(counted, window.padding(), value=float(count_padding))
    x = F.pad(x, window.padding(), value=fill)
    for axis in range(rank):
        size, stride, dilation = x.shape[axis + 2], window.strides[axis], window.dilations[axis]
        reach = (window.kernel[axis] - 1) * dilation + 1
        positions = (size - reach) // stride + 1
        if window.ceil:
            positions = -(-(size - reach) // stride) + 1
        over = max(0, (positions - 1) * stride + reach - size)
        room = [0, 0] * (x.dim() - axis - 3) + [0, over]
        x, counted = F.pad(x, room, value=fill), F.pad(counted, room)
        at = torch.arange(positions)[:, None] * stride + torch.arange(window.kernel[axis])[None, :] * dilation
        # The taps of this axis go to the end.
        pick = lambda t: t.index_select(axis + 2, at.flatten()).unflatten(axis + 2, list(at.shape)).movedim(axis + 3, -1)
        x, counted = pick(x), pick(counted)
    return x.flatten(rank + 2), counted.flatten(rank + 2).sum(-1)
