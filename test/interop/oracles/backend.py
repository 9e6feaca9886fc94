"""The onnx package's own backend tests: models of one operator or a few, with inputs and what they must give.

No valid file may be called invalid. Where espalier has rules for every node, the types that it infers must be those of
the reference outputs, and the model that it writes (raised to today's operators) must give those outputs in ONNX
Runtime; without rules, every output still has a type and the rest of the file is as usual.
"""

import os
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

from engine import Engine

DATA = Path(onnx.__file__).parent / "backend" / "test" / "data"
#: Refusals that are right: what a model of tensors cannot hold.
ALLOWED = {"UNSUPPORTED_TYPE"}
SHOW = int(os.environ.get("SHOW", "20"))


def stored_cases():
    for path in sorted(DATA.glob("*/*/model.onnx")):
        sets = []
        for folder in sorted(path.parent.glob("test_data_set_*")):
            read = lambda kind: [read_value(file) for file in sorted(folder.glob(f"{kind}_*.pb"), key=number_of)]
            sets.append((read("input"), read("output")))
        yield f"{path.parent.parent.name}/{path.parent.name}", onnx.load(path), sets


def number_of(path: Path) -> int:
    return int(path.stem.split("_")[-1])


def read_value(path: Path):
    try:
        return numpy_helper.to_array(onnx.load_tensor(str(path)))
    except Exception:  # noqa: BLE001  (a sequence or an optional value)
        return None


def cases():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in collect_testcases(None):
            if case.model is not None:
                yield f"node/{case.name}", case.model, case.data_sets or []
    yield from stored_cases()


def is_valid(model: onnx.ModelProto) -> bool:
    try:
        onnx.checker.check_model(model)
        return True
    except Exception:  # noqa: BLE001
        return False


def bind(answer: dict, inputs: list) -> dict:
    """The values of the inputs' named sizes."""
    bound = {}
    for value, array in zip(answer["inputs"], inputs):
        if isinstance(array, np.ndarray):
            bound |= {dim: size for dim, size in zip(value["shape"], array.shape) if isinstance(dim, str)}
    return bound


def size_of(dim, bound: dict):
    """The value of a polynomial in named sizes; None if a name is not bound."""
    if isinstance(dim, int):
        return dim
    total = 0
    for term in dim.split("+"):
        product = 1
        for factor in term.split("*"):
            if factor.lstrip("-").isdigit():
                product *= int(factor)
            elif factor in bound:
                product *= bound[factor]
            else:
                return None
        total += product
    return total


def check_types(answer: dict, inputs: list, outputs: list) -> list[str]:
    bound = bind(answer, inputs)
    problems = []
    for index, (type_, expected) in enumerate(zip(answer["types"], outputs)):
        if not isinstance(expected, np.ndarray):
            continue
        if type_ is None:
            if answer["ruled"]:
                problems.append(f"output {index} has no type")
            continue
        shape = [size_of(dim, bound) for dim in type_["shape"]]
        fits = len(shape) == expected.ndim and all(a is None or a == b for a, b in zip(shape, expected.shape))
        if not fits:
            problems.append(f"output {index} is {list(expected.shape)}, inferred {type_['shape']}")
        dtype = str(expected.dtype).replace("object", "string")
        if type_["dtype"] != dtype and not dtype.startswith(("<U", "str")):
            problems.append(f"output {index} is {dtype}, inferred {type_['dtype']}")
    return problems


def run(path: str, inputs: list):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return session.run(None, {value.name: array for value, array in zip(session.get_inputs(), inputs)})


def agrees(given: list, expected: list) -> bool:
    for a, b in zip(given, expected):
        if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray):
            return False
        if a.dtype.kind in "fc" and not (a.shape == b.shape and np.allclose(a, b, rtol=1e-3, atol=1e-5, equal_nan=True)):
            return False
        if a.dtype.kind not in "fc" and not np.array_equal(a, b):
            return False
    return True


def main() -> int:
    started = time.monotonic()
    engine = Engine()
    tests = {}
    for number, (name, model, sets) in enumerate(cases()):
        identity = f"case{number}"
        data = model.SerializeToString()
        (engine.folder / f"{identity}.onnx").write_bytes(data)
        tests[identity] = (name, is_valid(model), sets)
    answered, _ = engine.ask("backend", list(tests), {})
    counts, problems = Counter(), []
    for identity, (name, valid, sets) in tests.items():
        answer = answered[identity]
        counts["files"] += 1
        counts["valid"] += valid
        if "code" in answer:
            counts[f"refused: {answer['code']}"] += 1
            if answer["code"] == "CRASH" or (valid and answer["code"] not in ALLOWED):
                problems.append(f"{name}: {answer['code']} {answer['message'][:300]}")
            continue
        counts["with rules" if answer["ruled"] else "without rules"] += 1
        if not answer["ruled"] and any(type_ is None for type_ in answer["types"]):
            counts["without rules, a type from the file alone"] += 1
        found = []
        for inputs, outputs in sets:
            found += check_types(answer, inputs, outputs)
            try:
                reference = run(str(engine.folder / f"{identity}.onnx"), inputs)
            except Exception:  # noqa: BLE001  (ONNX Runtime does not have every operator)
                continue
            if not agrees(reference, outputs):
                continue
            try:
                written = run(str(engine.folder / f"{identity}.written.onnx"), inputs)
            except Exception as error:  # noqa: BLE001
                found.append(f"written, ONNX Runtime refuses it: {str(error)[:200]}")
                continue
            counts["run and compared"] += 1
            if not agrees(written, outputs):
                found.append("written, it gives something else")
        problems += [f"{name}: {problem}" for problem in found]
    print(f"backend: onnx {onnx.__version__}, {time.monotonic() - started:.0f} s")
    for what, count in counts.items():
        print(f"backend: {count:5} {what}")
    for problem in problems[:SHOW]:
        print(f"  MISMATCH {problem}", file=sys.stderr)
    if len(problems) > SHOW:
        print(f"  and {len(problems) - SHOW} more", file=sys.stderr)
    return 1 if problems else 0


sys.exit(main())
