"""Models with a width that must be refused, and the part of the reason that must be given; and their kin that grow.

Each is an MLP of 8 features whose first hidden layer, where there is one before the trouble, can still grow.
"""

from collections.abc import Callable

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from torch import nn

from drawing import Drawing
from entry import DYNAMO, TORCHSCRIPT, File, Refusal, Torch, Width, batched

FLOAT = TensorProto.FLOAT


def start(seed: int) -> tuple[Drawing, str]:
    """x [batch, 8] -> 21 -> 19, by w0 and w1; returns the drawing and the hidden value of 19."""
    d = Drawing(seed)
    x = d.node("Relu", [d.node("MatMul", ["x", d.weight("w0", 8, 21)], "h0")], "h0_relu")
    x = d.node("Add", [d.node("MatMul", [x, d.weight("w1", 21, 19)], "h1"), d.weight("b1", 19)], "h1_biased")
    return d, d.node("Tanh", [x], "h1_tanh")


def finish(d: Drawing, hidden: str, *domains: str) -> onnx.ModelProto:
    d.node("MatMul", [hidden, d.weight("w2", 19, 4)], "y")
    return d.model({"x": ["batch", 8]}, {"y": ["batch", 4]}, *domains)


def through(operator: str, domain: str = "", **attributes) -> Callable[[], onnx.ModelProto]:
    """A model whose width of 19 passes one operator of one input and one output."""

    def make() -> onnx.ModelProto:
        d, h = start(11)
        h = d.node(operator, [h], "passed", domain=domain, **attributes)
        return finish(d, h, *[domain] if domain else [])

    return make


def reaches_output() -> onnx.ModelProto:
    d, h = start(12)
    d.node("MatMul", [h, d.weight("w2", 19, 4)], "y")
    return d.model({"x": ["batch", 8]}, {"y": ["batch", 4], h: ["batch", 19]})


def reaches_input() -> onnx.ModelProto:
    """A residual block on the input itself."""
    d = Drawing(13)
    h = d.node("Relu", [d.node("MatMul", ["x", d.weight("w0", 8, 21)], "h0")], "h0_relu")
    h = d.node("Add", ["x", d.node("MatMul", [h, d.weight("w1", 21, 8)], "h1")], "sum")
    d.node("MatMul", [h, d.weight("w2", 8, 4)], "y")
    return d.model({"x": ["batch", 8]}, {"y": ["batch", 4]})


def arg_max() -> onnx.ModelProto:
    d, h = start(14)
    d.node("Cast", [d.node("ArgMax", [h], "best", axis=-1, keepdims=1)], "y", to=FLOAT)
    return d.model({"x": ["batch", 8]}, {"y": ["batch", 1]})


def reduced(operator: str) -> Callable[[], onnx.ModelProto]:
    def make() -> onnx.ModelProto:
        d, h = start(15)
        d.node(operator, [h, d.tensor("axes", [-1])], "y", keepdims=1)
        return d.model({"x": ["batch", 8]}, {"y": ["batch", 1]})

    return make


def top_k() -> onnx.ModelProto:
    d, h = start(16)
    d.nodes.append(helper.make_node("TopK", [h, d.tensor("k", [5])], ["best", "at"], name="best"))
    d.node("MatMul", ["best", d.weight("w2", 5, 4)], "y")
    return d.model({"x": ["batch", 8]}, {"y": ["batch", 4]})


def quantized() -> onnx.ModelProto:
    """The quantisation's scale follows the largest of all entries, new ones too."""
    d, h = start(17)
    outputs = ["quantized", "scale", "zero"]
    d.nodes.append(helper.make_node("DynamicQuantizeLinear", [h], outputs, name="quantized"))
    return finish(d, d.node("DequantizeLinear", outputs, "restored"))


def merged_with_batch() -> onnx.ModelProto:
    """Two examples of 20 entries become 5 rows of 8: the third row has entries of both."""
    d = Drawing(18)
    h = d.node("Tanh", [d.node("MatMul", ["x", d.weight("w1", 8, 20)], "h1")], "h1_tanh")
    h = d.node("Concat", [h, h], "twice", axis=0)
    h = d.node("Reshape", [h, d.tensor("rows", [-1, 8])], "rows_of_8")
    d.node("MatMul", [h, d.weight("w2", 8, 3)], "y")
    return d.model({"x": ["batch", 8]}, {"y": ["rows", 3]})


def branch() -> onnx.ModelProto:
    """If: one branch reads the hidden value from outside, the other doubles it first."""
    d, h = start(19)
    out = helper.make_tensor_value_info("branched", FLOAT, ["batch", 19])
    same = helper.make_graph([helper.make_node("Identity", [h], ["branched"])], "same", [], [out])
    twice = helper.make_graph([helper.make_node("Add", [h, h], ["branched"])], "twice", [], [out])
    total = d.node("ReduceSum", ["x"], "total", keepdims=0)
    positive = d.node("Greater", [total, d.tensor("nought", np.float32(0))], "positive")
    return finish(d, d.node("If", [positive], "chosen", then_branch=same, else_branch=twice))


def captured() -> onnx.ModelProto:
    """If: both branches multiply by the weight of the outer graph."""
    d = Drawing(20)
    d.weight("w1", 8, 19)
    out = helper.make_tensor_value_info("branched", FLOAT, ["batch", 19])
    plain = helper.make_graph([helper.make_node("MatMul", ["x", "w1"], ["branched"])], "plain", [], [out])
    product = helper.make_node("MatMul", ["x", "w1"], ["product"])
    bent = helper.make_graph([product, helper.make_node("Tanh", ["product"], ["branched"])], "bent", [], [out])
    total = d.node("ReduceSum", ["x"], "total", keepdims=0)
    positive = d.node("Greater", [total, d.tensor("nought", np.float32(0))], "positive")
    h = d.node("If", [positive], "chosen", then_branch=plain, else_branch=bent)
    return finish(d, h)


def loop() -> onnx.ModelProto:
    """Loop: the hidden value is carried three times through Tanh."""
    d, h = start(21)
    inputs = [
        helper.make_tensor_value_info("turn", TensorProto.INT64, []),
        helper.make_tensor_value_info("go", TensorProto.BOOL, []),
        helper.make_tensor_value_info("carried", FLOAT, ["batch", 19]),
    ]
    outputs = [
        helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
        helper.make_tensor_value_info("next", FLOAT, ["batch", 19]),
    ]
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("Tanh", ["carried"], ["next"])],
        *["body", inputs, outputs],
    )
    return finish(d, d.node("Loop", [d.tensor("turns", np.int64(3)), "", h], "looped", body=body))


def scan() -> onnx.ModelProto:
    """Scan: a running sum over the batch, of rows of the hidden value."""
    d, h = start(22)
    row = [helper.make_tensor_value_info(name, FLOAT, [19]) for name in ("sum", "row")]
    out = [helper.make_tensor_value_info(name, FLOAT, [19]) for name in ("sum_next", "row_out")]
    total = helper.make_node("Add", ["sum", "row"], ["sum_next"])
    body = helper.make_graph([total, helper.make_node("Identity", ["sum_next"], ["row_out"])], "body", row, out)
    inputs, outputs = [d.weight("from", 19), h], ["last", "sums"]
    d.nodes.append(helper.make_node("Scan", inputs, outputs, name="sums", num_scan_inputs=1, body=body))
    return finish(d, "sums")


class Conditional(nn.Module):
    """torch.cond around a width: the new exporter writes If."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Linear(8, 21), nn.Linear(21, 19), nn.Linear(19, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.tanh(self.second(torch.relu(self.first(x))))
        return self.head(torch.cond(x.sum() > 0, lambda h: h * 2, lambda h: h - 1, (h,)))


class Scripted(nn.Module):
    """A scripted loop over a width: the old exporter writes Loop."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Linear(8, 21), nn.Linear(21, 19), nn.Linear(19, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(repeat(torch.tanh(self.second(torch.relu(self.first(x))))))


@torch.jit.script
def repeat(h: torch.Tensor) -> torch.Tensor:
    for _ in range(h.size(0)):
        h = torch.tanh(h)
    return h


FIRST = (Width("first hidden layer, before the trouble", "neuron", 21, "w0", 1),)


SECOND = Width("second hidden layer, which a branch passes on", "neuron", 19, "w1", 1)


def refused(
    name: str, make: Callable[[], onnx.ModelProto], reason: str, runs: bool = True, widths: tuple[Width, ...] = FIRST
) -> File:
    refusals = (Refusal("second hidden layer", "w1", 1, reason),)
    return File(f"no-{name}", "handmade", make, batched("x", 8), widths, refusals, runs)


LAYERS = (Width("first hidden layer, before the trouble", "neuron", 21, "first.weight"),)

ENTRIES = [
    refused("output", reaches_output, "output"),
    refused("input", reaches_input, "input"),
    refused("softmax", through("Softmax", axis=-1), "Softmax"),
    refused("log-softmax", through("LogSoftmax", axis=-1), "LogSoftmax"),
    refused("hardmax", through("Hardmax", axis=-1), "Hardmax"),
    refused("argmax", arg_max, "ArgMax"),
    refused("topk", top_k, "TopK"),
    refused("reduce-max", reduced("ReduceMax"), "ReduceMax"),
    refused("reduce-mean", reduced("ReduceMean"), "ReduceMean"),
    refused("quantized", quantized, "DynamicQuantizeLinear"),
    refused("reshape", merged_with_batch, "Reshape", widths=()),
    refused("custom", through("Mystery", "com.example"), "Mystery", runs=False),
    refused("contributed", through("QuickGelu", "com.microsoft", alpha=1.702), "QuickGelu"),
    File("if", "handmade", branch, batched("x", 8), (*FIRST, SECOND)),
    File("if-captured", "handmade", captured, batched("x", 8), (SECOND,)),
    refused("loop", loop, "Loop"),
    refused("scan", scan, "Scan"),
    Torch(
        "cond",
        Conditional,
        batched("x", 8),
        (*LAYERS, Width("second hidden layer, which a branch passes on", "neuron", 19, "second.weight")),
        {TORCHSCRIPT: "torch.cond is the new exporter's"},
    ),
    Torch(
        "no-scripted-loop",
        Scripted,
        batched("x", 8),
        LAYERS,
        {DYNAMO: "the new exporter unrolls or refuses scripted loops"},
        (Refusal("second hidden layer", "second.weight", 0, "Loop"),),
    ),
]
