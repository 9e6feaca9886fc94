"""Models that are made as ONNX: what Keras' converter writes, and weights in unusual places."""

import numpy as np
import onnx
from onnx import TensorProto

from drawing import Drawing
from entry import File, Width, batched, ids


def keras_dense() -> onnx.ModelProto:
    """Dense layers as MatMul and a separate BiasAdd, BatchNormalization written out, Softmax on classes."""
    d = Drawing(1)
    x = "input_1"
    for at, (before, after) in enumerate([(12, 26), (26, 15)]):
        layer = f"model/dense_{at}"
        x = d.node("MatMul", [x, d.weight(f"{layer}/MatMul/ReadVariableOp:0", before, after)], f"{layer}/MatMul:0")
        x = d.node("Add", [x, d.weight(f"{layer}/BiasAdd/ReadVariableOp:0", after)], f"{layer}/BiasAdd:0")
        x = d.node("Relu", [x], f"{layer}/Relu:0")
        x = d.node("Mul", [x, d.weight(f"{layer}/batchnorm/mul/ReadVariableOp:0", after)], f"{layer}/batchnorm/mul:0")
        x = d.node("Add", [x, d.weight(f"{layer}/batchnorm/sub/ReadVariableOp:0", after)], f"{layer}/batchnorm/add:0")
    x = d.node("MatMul", [x, d.weight("model/out/MatMul/ReadVariableOp:0", 15, 4)], "model/out/MatMul:0")
    x = d.node("Add", [x, d.weight("model/out/BiasAdd/ReadVariableOp:0", 4)], "model/out/BiasAdd:0")
    d.node("Softmax", [x], "Identity:0", axis=-1)
    return d.model({"input_1": ["unk__1", 12]}, {"Identity:0": ["unk__1", 4]})


def keras_cnn() -> onnx.ModelProto:
    """Channels last: a Conv between two Transposes, its bias an Add; flatten is height, width, channel."""
    d = Drawing(2)
    x = "image"
    for at, (before, after) in enumerate([(3, 8), (8, 11)]):
        layer = f"model/conv2d_{at}"
        x = d.node("Transpose", [x], f"{layer}/to_channels_first:0", perm=[0, 3, 1, 2])
        kernel = d.weight(f"{layer}/Conv2D/ReadVariableOp:0", after, before, 3, 3)
        x = d.node("Conv", [x, kernel], f"{layer}/Conv2D:0", kernel_shape=[3, 3], auto_pad="SAME_UPPER", strides=[1, 1])
        x = d.node("Transpose", [x], f"{layer}/to_channels_last:0", perm=[0, 2, 3, 1])
        x = d.node("Add", [x, d.weight(f"{layer}/BiasAdd/ReadVariableOp:0", after)], f"{layer}/BiasAdd:0")
        x = d.node("Relu", [x], f"{layer}/Relu:0")
        x = d.node("Transpose", [x], f"{layer}/pool/to_channels_first:0", perm=[0, 3, 1, 2])
        x = d.node("MaxPool", [x], f"{layer}/pool/MaxPool:0", kernel_shape=[2, 2], strides=[2, 2])
        x = d.node("Transpose", [x], f"{layer}/pool/to_channels_last:0", perm=[0, 2, 3, 1])
    x = d.node("Reshape", [x, d.tensor("model/flatten/Const:0", [-1, 2 * 3 * 11])], "model/flatten/Reshape:0")
    x = d.node("MatMul", [x, d.weight("model/dense/MatMul/ReadVariableOp:0", 66, 20)], "model/dense/MatMul:0")
    x = d.node("Add", [x, d.weight("model/dense/BiasAdd/ReadVariableOp:0", 20)], "model/dense/BiasAdd:0")
    x = d.node("Relu", [x], "model/dense/Relu:0")
    x = d.node("MatMul", [x, d.weight("model/out/MatMul/ReadVariableOp:0", 20, 5)], "model/out/MatMul:0")
    d.node("Add", [x, d.weight("model/out/BiasAdd/ReadVariableOp:0", 5)], "Identity:0")
    return d.model({"image": ["unk__1", 8, 12, 3]}, {"Identity:0": ["unk__1", 5]})


def constant_nodes() -> onnx.ModelProto:
    """Weights as outputs of Constant nodes, a bias that is added from the left, a Gemm with alpha and beta."""
    d = Drawing(3)
    r = d.random
    d.constant("w1", r.standard_normal((10, 21)).astype(np.float32))
    d.constant("b1", r.standard_normal((1, 21)).astype(np.float32))
    d.node("Relu", [d.node("Add", ["b1", d.node("MatMul", ["x", "w1"], "h0")], "h1")], "h2")
    d.constant("w2", r.standard_normal((16, 21)).astype(np.float32))
    d.constant("b2", r.standard_normal((16,)).astype(np.float32))
    d.node("Tanh", [d.node("Gemm", ["h2", "w2", "b2"], "h3", transB=1, alpha=0.25, beta=2.0)], "h4")
    d.constant("w3", r.standard_normal((16, 3)).astype(np.float32))
    d.node("MatMul", ["h4", "w3"], "y")
    return d.model({"x": ["batch", 10]}, {"y": ["batch", 3]})


def cast_weights() -> onnx.ModelProto:
    """Weights kept as float16 and cast, transposed by a node, or passed through Identity before they are used."""
    d = Drawing(4)
    half = d.node("Cast", [d.weight("w1", 10, 23, dtype=np.float16)], "w1_float", to=TensorProto.FLOAT)
    bias = d.node("Cast", [d.weight("b1", 23, dtype=np.float16)], "b1_float", to=TensorProto.FLOAT)
    d.node("Relu", [d.node("Add", [d.node("MatMul", ["x", half], "h0"), bias], "h1")], "h2")
    turned = d.node("Transpose", [d.weight("w2", 17, 23)], "w2_turned", perm=[1, 0])
    same = d.node("Identity", [d.weight("b2", 17)], "b2_same")
    d.node("Sigmoid", [d.node("Gemm", ["h2", turned, same], "h3")], "h4")
    d.node("MatMul", ["h4", d.weight("w3", 17, 3)], "y")
    return d.model({"x": ["batch", 10]}, {"y": ["batch", 3]})


def shared_weights() -> onnx.ModelProto:
    """One matrix used three times in a row (22 -> 22), so that rows and columns are one width; a shared bias."""
    d = Drawing(5)
    d.weight("w", 22, 22)
    d.weight("b", 22)
    x = d.node("Tanh", [d.node("MatMul", ["x", d.weight("first", 9, 22)], "h")], "h_tanh")
    for at in range(3):
        x = d.node("Tanh", [d.node("Gemm", [x, "w", "b"], f"h{at}")], f"h{at}_tanh")
    d.node("MatMul", [x, d.weight("last", 22, 4)], "y")
    return d.model({"x": ["batch", 9]}, {"y": ["batch", 4]})


def tied_language_model() -> onnx.ModelProto:
    """One matrix embeds and, transposed, predicts; LayerNorm and GELU are written out in primitive operators."""
    d = Drawing(6)
    embedding = d.weight("embedding", 41, 18)
    one, two, half = (d.tensor(name, np.float32(value)) for name, value in (("one", 1), ("two", 2), ("half", 0.5)))
    root, epsilon = d.tensor("root", np.float32(2**0.5)), d.tensor("epsilon", np.float32(1e-5))
    last = d.tensor("last", [-1])

    def norm(x: str, at: str) -> str:
        y = d.node("Sub", [x, d.node("ReduceMean", [x, last], f"mean{at}", keepdims=1)], f"centred{at}")
        variance = d.node("ReduceMean", [d.node("Pow", [y, two], f"squared{at}"), last], f"variance{at}", keepdims=1)
        deviation = d.node("Sqrt", [d.node("Add", [variance, epsilon], f"steadied{at}")], f"deviation{at}")
        y = d.node("Mul", [d.node("Div", [y, deviation], f"normed{at}"), d.weight(f"scale{at}", 18)], f"scaled{at}")
        return d.node("Add", [y, d.weight(f"shift{at}", 18)], f"shifted{at}")

    x = d.node("Gather", [embedding, "ids"], "embedded", axis=0)
    for at, inner in (("0", 33), ("1", 29)):
        y = d.node("MatMul", [norm(x, at), d.weight(f"up{at}", 18, inner)], f"raised{at}")
        y = d.node("Add", [y, d.weight(f"up_bias{at}", inner)], f"biased{at}")
        erf = d.node("Erf", [d.node("Div", [y, root], f"divided{at}")], f"erf{at}")
        y = d.node("Mul", [y, d.node("Add", [erf, one], f"lifted{at}")], f"weighed{at}")
        y = d.node("MatMul", [d.node("Mul", [y, half], f"gelu{at}"), d.weight(f"down{at}", inner, 18)], f"lowered{at}")
        x = d.node("Add", [x, y], f"stream{at}")
    d.node("MatMul", [norm(x, "_last"), d.node("Transpose", [embedding], "unembedding", perm=[1, 0])], "y")
    return d.model({"ids": ["batch", "sequence"]}, {"y": ["batch", "sequence", 41]})


ENTRIES = [
    File(
        "keras-dense",
        "handmade",
        keras_dense,
        batched("input_1", 12),
        (
            Width("first dense layer", "neuron", 26, "model/dense_0/MatMul/ReadVariableOp:0", 1),
            Width("second dense layer", "neuron", 15, "model/dense_1/MatMul/ReadVariableOp:0", 1),
        ),
    ),
    File(
        "keras-cnn",
        "handmade",
        keras_cnn,
        batched("image", 8, 12, 3),
        (
            Width("channels of the first convolution", "channel", 8, "model/conv2d_0/Conv2D/ReadVariableOp:0"),
            Width("channels of the second, flattened", "channel", 11, "model/conv2d_1/Conv2D/ReadVariableOp:0"),
            Width("dense layer", "neuron", 20, "model/dense/MatMul/ReadVariableOp:0", 1),
        ),
    ),
    File(
        "constant-nodes",
        "handmade",
        constant_nodes,
        batched("x", 10),
        (Width("first hidden layer", "neuron", 21, "w1", 1), Width("second hidden layer", "neuron", 16, "w2", 0)),
    ),
    File(
        "cast-weights",
        "handmade",
        cast_weights,
        batched("x", 10),
        (
            Width("first hidden layer, of float16 weights", "neuron", 23, "w1", 1),
            Width("second hidden layer, of a transposed weight", "neuron", 17, "w2", 0),
        ),
    ),
    File(
        "shared-weights",
        "handmade",
        shared_weights,
        batched("x", 9),
        (Width("every hidden layer, by one shared matrix", "neuron", 22, "w", 0),),
    ),
    File(
        "tied-language-model",
        "handmade",
        tied_language_model,
        (ids("ids", 40),),
        (
            Width("residual stream, tied to the output", "neuron", 18, "embedding", 1),
            Width("inner width of block 0", "neuron", 33, "up0", 1),
            Width("inner width of block 1", "neuron", 29, "up1", 1),
        ),
    ),
]
