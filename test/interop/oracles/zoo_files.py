"""A grown file, seen by onnx's checker and Python's ONNX Runtime; and what it must have kept of the old one."""

import sys
from collections import Counter
from pathlib import Path

import onnx
import onnxruntime

sys.path.append(str(Path(__file__).resolve().parent.parent / "zoo"))
import check  # noqa: E402

#: Of the largest entry of an output; ten times what rounding has been seen to do.
LIMIT = 1e-5


class Original:
    """A file of the zoo, with which grown ones are compared."""

    def __init__(self, path: Path, spec: dict) -> None:
        self.spec = spec
        self.model = onnx.load(path)
        self.session = check.session(path) if spec["runs"] else None

    def file_problems(self, path: str) -> list[str]:
        """What is wrong with a grown file."""
        try:
            onnx.checker.check_model(path, full_check=True)
        except Exception as error:  # the checker throws many types; each is its verdict
            return [f"onnx's checker: {error}"]
        return [f"the file has not kept {thing}" for thing in lost(self.model, onnx.load(path))]

    def output_problems(self, path: str) -> list[str]:
        """How its outputs differ from the original's in Python's ONNX Runtime."""
        if self.session is None:
            return []
        try:
            off = check.compare(self.session, check.session(path), self.spec, range(1))["maxRel"]
        except Exception as error:  # so does ONNX Runtime
            return [f"Python's ONNX Runtime: {error}"]
        return [] if off <= LIMIT else [f"Python's ONNX Runtime differs by {off:.1e}"]


def lost(before: onnx.ModelProto, after: onnx.ModelProto) -> list[str]:
    """What a grown model should have kept of the old one but has not. Constants may be initializers now."""
    missing = [name for name, read in READERS.items() if read(before) != read(after)]
    ends = ((before.graph.input, after.graph.input), (before.graph.output, after.graph.output))
    if not all(named_alike(old, new) for old, new in ends):
        missing.append("the names, types and sizes of its inputs and outputs")
    kept = tensors(after)
    folded = computed_ahead(before, kept) | only_for_zero_states(before, after)
    # A matrix stored twice, once transposed, becomes the output of a Transpose.
    produced = {name for node in after.graph.node for name in node.output}
    gone = sorted(tensors(before) - kept - produced - only_read_by(before, folded))
    if gone:
        missing.append(f"the tensors {', '.join(gone)}")
    changed = nodes(before, folded) - nodes(after, set())
    if changed:
        missing.append(f"the nodes {', '.join(f'{operator} {name}' for operator, _, name, *_ in changed)}")
    return missing


def computed_ahead(before: onnx.ModelProto, kept: set[str]) -> set[str]:
    """First outputs of the nodes that constants alone determine: their results are tensors of the grown file, or only
    such nodes read them."""
    readers = readers_of(before)
    folded: set[str] = set()
    for node in reversed(before.graph.node):
        results = [name for name in node.output if name]
        if node.op_type != "Constant" and all(
            name in kept or (readers.get(name) and readers[name] <= folded) for name in results
        ):
            folded.add(node.output[0])
    return folded


#: Indices of the recurrent operators' initial states.
STATES = {"LSTM": (5, 6), "GRU": (5,), "RNN": (5,)}


def only_for_zero_states(before: onnx.ModelProto, after: onnx.ModelProto) -> set[str]:
    """First outputs of the nodes that only made states of zeros which layers shared: the grown file leaves those out."""
    left_out = {node.output[0]: node for node in after.graph.node if node.op_type in STATES}
    ends = {value.name for value in before.graph.output}
    readers: dict[str, list[tuple[onnx.NodeProto, int]]] = {}
    for node in before.graph.node:
        for at, name in enumerate(node.input):
            readers.setdefault(name, []).append((node, at))
    gone: set[str] = set()

    def dropped(node: onnx.NodeProto, at: int) -> bool:
        if node.output[0] in gone:
            return True
        now = left_out.get(node.output[0])
        return now is not None and at in STATES[node.op_type] and (len(now.input) <= at or now.input[at] == "")

    for node in reversed(before.graph.node):
        results = [name for name in node.output if name]
        read = [reader for name in results for reader in readers.get(name, [])]
        if read and not ends & set(results) and all(dropped(*reader) for reader in read):
            gone.add(node.output[0])
    return gone


def only_read_by(model: onnx.ModelProto, nodes_: set[str]) -> set[str]:
    return {name for name, readers in readers_of(model).items() if readers and readers <= nodes_}


def readers_of(model: onnx.ModelProto) -> dict[str, set[str]]:
    """By value: the first outputs of the nodes that read it; "" stands for the model's end."""
    readers: dict[str, set[str]] = {value.name: {""} for value in model.graph.output}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, set()).add(node.output[0])
    return readers


def named_alike(before, after) -> bool:
    """Whether values have the same names, types, sizes (numbers as well as names) and notes. An axis that had neither
    size nor name may have got a name."""
    old, new = rows(before), rows(after)
    return [row[:2] for row in old] == [row[:2] for row in new] and all(
        len(was) == len(now) and all(size in ("", other) for size, other in zip(was, now, strict=True))
        for (*_, was), (*_, now) in zip(old, new, strict=True)
    )


def rows(values) -> list[tuple]:
    def remarks(value) -> tuple:
        return value.type.tensor_type.elem_type, value.doc_string, notes(value)

    return [(value.name, remarks(value), sizes(value)) for value in values]


def sizes(value) -> list[int | str]:
    dims = value.type.tensor_type.shape.dim
    return [dim.dim_value if dim.HasField("dim_value") else dim.dim_param for dim in dims]


def notes(holder) -> dict[str, str]:
    return {entry.key: entry.value for entry in holder.metadata_props}


def nodes(model: onnx.ModelProto, without: set[str]) -> Counter:
    """Operators, names and remarks of the nodes that compute something."""
    return Counter(
        (node.op_type, node.domain, node.name, node.doc_string, *sorted(notes(node).items()))
        for node in model.graph.node
        if node.op_type != "Constant" and node.output[0] not in without
    )


def tensors(model: onnx.ModelProto) -> set[str]:
    constants = {node.output[0] for node in model.graph.node if node.op_type == "Constant"}
    return {tensor.name for tensor in model.graph.initializer} | constants


READERS = {
    "its IR version": lambda model: model.ir_version,
    "its operator sets": lambda model: {entry.domain: entry.version for entry in model.opset_import},
    "its producer": lambda model: (model.producer_name, model.producer_version),
    "its domain and version": lambda model: (model.domain, model.model_version),
    "its description": lambda model: (model.doc_string, model.graph.doc_string, model.graph.name),
    "its metadata": lambda model: (notes(model), notes(model.graph)),
}
