"""Draws ONNX graphs by hand: nodes and seeded weights that become one model."""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 20


class Drawing:
    """Collects nodes and weights; `model` makes the graph of them."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, *shape: int, dtype: type = np.float32) -> str:
        """A normal initializer, scaled by its fan-in; returns its name."""
        fan_in = np.prod(shape[:-1]) if len(shape) < 3 else np.prod(shape[1:])
        values = self.random.standard_normal(shape) / np.sqrt(max(fan_in, 1) if len(shape) > 1 else 10)
        return self.tensor(name, values.astype(dtype))

    def tensor(self, name: str, values: np.ndarray | np.generic | Sequence[int]) -> str:
        """An initializer of these values; a sequence is a shape, int64."""
        array = np.array(values, np.int64) if isinstance(values, Sequence) else np.asarray(values)
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def constant(self, name: str, values: np.ndarray) -> str:
        """The same as a Constant node."""
        self.nodes.append(helper.make_node("Constant", [], [name], value=numpy_helper.from_array(values)))
        return name

    def node(self, operator: str, inputs: Sequence[str], output: str, **attributes) -> str:
        """A node of one output, named after it; returns the output."""
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def model(self, inputs: dict[str, Sequence], outputs: dict[str, Sequence], *domains: str) -> onnx.ModelProto:
        """Inputs and outputs: name -> shape. All are float32, but for inputs whose name ends in "ids": int64."""

        def typed(name: str, shape: Sequence) -> onnx.ValueInfoProto:
            kind = TensorProto.INT64 if name.endswith("ids") else TensorProto.FLOAT
            return helper.make_tensor_value_info(name, kind, shape)

        ends = [[typed(name, shape) for name, shape in values.items()] for values in (inputs, outputs)]
        graph = helper.make_graph(self.nodes, "drawing", *ends, self.weights)
        opsets = [helper.make_opsetid("", OPSET), *[helper.make_opsetid(domain, 1) for domain in domains]]
        return helper.make_model(graph, opset_imports=opsets, ir_version=9, producer_name="zoo")
