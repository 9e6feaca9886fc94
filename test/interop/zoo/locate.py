"""Finds a PyTorch parameter in an exported file, whatever its name and layout there."""

import numpy as np
import onnx
from onnx import numpy_helper


def constants(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """Every initializer and Constant node of the main graph by name."""
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            values = [numpy_helper.to_array(attr.t) for attr in node.attribute if attr.name == "value"]
            found |= dict(zip(node.output, values, strict=False))
    return found


def locate(tensors: dict[str, np.ndarray], state: dict[str, np.ndarray], name: str, axis: int) -> tuple[str, int]:
    """The file's name and axis for an axis of a parameter of `state`, or of a tensor that the file itself names.

    Looks for a tensor that is equal (of the same name first), transposed, of parallel rows (a BatchNorm folded into
    them), both, or a stack of permuted rows (the gates of LSTM and GRU). Throws LookupError where nothing fits, or
    several do.
    """
    if name not in state:
        if name in tensors and axis < tensors[name].ndim:
            return name, axis
        raise LookupError(f"{name} is neither in the model's state nor in the file")
    value = state[name]
    if name in tensors and same(tensors[name], value):
        return name, axis
    rules = [(same, axis)]
    if value.ndim == 2:
        rules.append((lambda tensor, value: same(tensor, value.T), 1 - axis))
    if value.ndim > 1:
        rules.append((parallel, axis))
    if value.ndim == 2:
        rules += [(lambda tensor, value: parallel(tensor.T, value), 1 - axis), (stacked, axis + 1)]
    for rule, where in rules:
        matches = [key for key, tensor in tensors.items() if rule(tensor, value)]
        if len(matches) > 1:
            raise LookupError(f"{name} could be any of {matches}")
        if matches:
            return matches[0], where
    raise LookupError(f"no tensor of the file holds {name} {list(value.shape)}")


def same(tensor: np.ndarray, value: np.ndarray) -> bool:
    return tensor.shape == value.shape and np.array_equal(tensor, value)


def parallel(tensor: np.ndarray, value: np.ndarray) -> bool:
    """Whether each row of one is a multiple of the same row of the other."""
    if tensor.shape != value.shape or tensor.dtype.kind != "f":
        return False
    ours, theirs = (array.reshape(len(array), -1).astype(np.float64) for array in (tensor, value))
    products, norms = (ours * theirs).sum(1) ** 2, (ours**2).sum(1) * (theirs**2).sum(1)
    return bool(np.all(norms > 0) and np.allclose(products, norms, rtol=1e-4))


def stacked(tensor: np.ndarray, value: np.ndarray) -> bool:
    """Whether tensor[0] has the rows of `value` in some order: ONNX's LSTM is [directions, gates * hidden, input]."""
    if tensor.ndim != 3 or tensor.shape[1:] != value.shape:
        return False
    return sorted(tensor[0].tolist()) == sorted(value.tolist())
