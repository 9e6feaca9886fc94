"""Reads a folder of ONNX files aloud: `python listing.py FOLDER` writes FOLDER/ops.txt and FOLDER/patterns.txt.

ops.txt counts which operators, attributes and opsets occur in which models; patterns.txt prints each graph, one line
per node, with the types of values, the shapes of initializers and the values of short constants.
"""

import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

SHORT = 12


def type_of(value: onnx.ValueInfoProto) -> str:
    tensor = value.type.tensor_type
    dims = [dim.dim_param or ("?" if not dim.HasField("dim_value") else str(dim.dim_value)) for dim in tensor.shape.dim]
    return f"{onnx.TensorProto.DataType.Name(tensor.elem_type).lower()}[{','.join(dims)}]"


def literal(tensor: onnx.TensorProto) -> str:
    array = numpy_helper.to_array(tensor)
    head = f"{array.dtype}{list(array.shape)}".replace(" ", "")
    if array.size <= SHORT and (array.dtype.kind in "ib" or array.size == 1):
        return (
            f"{head}={np.array2string(array, separator=',', floatmode='unique').replace(' ', '').replace(chr(10), '')}"
        )
    return head


def attribute(attr: onnx.AttributeProto) -> str:
    match attr.type:
        case onnx.AttributeProto.TENSOR:
            return f"{attr.name}={literal(attr.t)}"
        case onnx.AttributeProto.GRAPH:
            return f"{attr.name}=<graph of {len(attr.g.node)} nodes>"
    value = helper.get_attribute_value(attr)
    return f"{attr.name}={value.decode() if isinstance(value, bytes) else value}".replace(" ", "")


def operator(node: onnx.NodeProto) -> str:
    return f"{node.domain}.{node.op_type}" if node.domain else node.op_type


def lines(graph: onnx.GraphProto, indent: str = "") -> list[str]:
    """One line per input, node and output; subgraphs are indented under their node."""
    known = {tensor.name: literal(tensor) for tensor in graph.initializer}
    types = {value.name: type_of(value) for value in graph.value_info}
    text = [f"{indent}input {value.name}: {type_of(value)}" for value in graph.input]
    for node in graph.node:
        inputs = [f"{name}<{known[name]}>" if name in known else name for name in node.input]
        attributes = "".join(f" {attribute(attr)}" for attr in node.attribute)
        outputs = [f"{name}: {types[name]}" if name in types else name for name in node.output]
        text.append(f"{indent}{', '.join(outputs)} = {operator(node)}({', '.join(inputs)}){attributes}")
        for attr in node.attribute:
            if attr.type == onnx.AttributeProto.GRAPH:
                text += lines(attr.g, indent + "    ")
    return text + [f"{indent}output {value.name}: {type_of(value)}" for value in graph.output]


def nodes(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    inner = [attr.g for node in graph.node for attr in node.attribute if attr.type == onnx.AttributeProto.GRAPH]
    return [*graph.node, *(node for sub in inner for node in nodes(sub))]


def main(folder: Path) -> None:
    users, attributes, total = defaultdict(list), defaultdict(Counter), Counter()
    opsets, patterns = [], []
    for path in sorted(folder.glob("*.onnx")):
        model = onnx.load(path)
        versions = " ".join(f"{entry.domain or 'ai.onnx'}:{entry.version}" for entry in model.opset_import)
        functions = [f"{function.domain}.{function.name}" for function in model.functions]
        opsets.append(
            f"{path.stem}: ir {model.ir_version}, {versions}, {len(nodes(model.graph))} nodes, functions {functions}"
        )
        for name, count in Counter(map(operator, nodes(model.graph))).items():
            users[name].append(path.stem)
            total[name] += count
        for node in nodes(model.graph):
            for attr in node.attribute:
                attributes[operator(node)][attr.name] += 1
        patterns += [f"==== {path.stem} ({versions})", *lines(model.graph), ""]
    text = [
        f"{name}: {total[name]} nodes in {len(names)} models; {dict(attributes[name])}\n    {' '.join(names)}"
        for name, names in sorted(users.items(), key=lambda entry: -len(entry[1]))
    ]
    (folder / "ops.txt").write_text("\n".join([*opsets, "", *text, ""]))
    (folder / "patterns.txt").write_text("\n".join(patterns))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
