"""Models of the zoo train: 30 steps of Adam on random examples, a width grows, five steps more, a checkpoint resumes.

In each model the loss falls and is finite throughout, the growth preserves the outputs, the resumed run equals the
uninterrupted one bit for bit, and the saved file passes onnx's checker and computes in Python's ONNX Runtime what espalier
predicts, to 1e-4 of the largest output.

ZOO=PATTERN takes other models than the chosen ones (fnmatch; ZOO='*' takes all but the negative zoo).
"""

import math
import os
import sys
import time
from fnmatch import fnmatchcase

import numpy as np
import onnx
import onnxruntime

import zoo_build
from engine import Engine

EXAMPLES, STEPS = 8, 30
LIMIT = 1e-4  # of the largest entry of the output
CHOSEN = """
    mlp-batch-norm-torchscript mlp-siamese-dynamo resnet-basic-dynamo densenet-torchscript mobilenet-v3-dynamo
    unet-resize-torchscript vit-dynamo recommender-dynamo bert-torchscript gpt2-dynamo llama-torchscript whisper-dynamo
    lstm-both-torchscript lstm-regressor-dynamo sklearn-classifier sklearn-regressor sklearn-pipeline keras-cnn
""".split()
# skl2onnx folds the two outputs of this one into its batch axis.
OUTPUTS = {"sklearn-regressor": "add_result2"}


def main() -> int:
    started = time.monotonic()
    pattern = os.environ.get("ZOO")
    folder, zoo = zoo_build.built()
    models = [
        model
        for model in zoo["models"]
        if (model["name"] in CHOSEN if pattern is None else fnmatchcase(model["name"], pattern))
        and not model["name"].startswith("no-")
    ]
    sizes = {name: values[0] for name, values in zoo["sizes"].items()}
    asked = [
        {key: model[key] for key in ("name", "file", "inputs")}
        | {"sizes": sizes, "output": OUTPUTS.get(model["name"])}
        for model in models
    ]
    engine = Engine()
    answers, tensors = engine.ask(
        "trainZoo", {"folder": str(folder), "examples": EXAMPLES, "steps": STEPS, "models": asked}, {}
    )
    problems = []
    for model in models:
        found = judge(model, answers[model["name"]], tensors, engine)
        problems += [f"{model['name']}: {problem}" for problem in found]
    print(f"train_zoo: {len(models)} models, {len(problems)} mismatches, {time.monotonic() - started:.0f} s")
    for problem in problems:
        print(f"  MISMATCH {problem}", file=sys.stderr)
    return 1 if problems or not models else 0


def judge(model: dict, answer: dict, tensors: dict[str, np.ndarray], engine: Engine) -> list[str]:
    """What is wrong with one model; prints a line about it."""
    name = model["name"]
    if answer["error"]:
        return [answer["error"]]
    losses = answer["losses"]
    problems = []
    if not all(math.isfinite(loss) for loss in losses + answer["on"]):
        problems.append("a loss is not finite")
    if not losses[STEPS - 1] < losses[0]:
        problems.append(f"the loss did not fall: {losses[0]} to {losses[STEPS - 1]}")
    if not answer["preserved"]:
        problems.append(f"growing {answer['width']} changed the output")
    if answer["on"] != answer["again"]:
        problems.append(f"the resumed run differs: {answer['on']} and {answer['again']}")
    difference = compare(model, tensors, engine)
    if not difference <= LIMIT:
        problems.append(f"the saved file computes something else: {difference:.1e} of the largest output")
    print(f"  {name}: {losses[0]:.3f} to {losses[-1]:.3f}, grew {answer['width']}, saved to {difference:.0e}")
    return problems


def compare(model: dict, tensors: dict[str, np.ndarray], engine: Engine) -> float:
    """How much the saved file's output differs from espalier's prediction, relative to the largest entry."""
    name = model["name"]
    saved = onnx.load(engine.folder / f"{name}.onnx")
    onnx.checker.check_model(saved)
    wanted = OUTPUTS.get(name)
    if wanted is None:
        floats = [o.name for o in saved.graph.output if o.type.tensor_type.elem_type == onnx.TensorProto.FLOAT]
        wanted = floats[0]
    elif wanted not in {output.name for output in saved.graph.output}:
        saved.graph.output.append(onnx.helper.make_tensor_value_info(wanted, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(saved.SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = {value["name"]: tensors[f"{name}/{value['name']}"] for value in model["inputs"]}
    actual, expected = session.run([wanted], feeds)[0], tensors[f"{name}/"]
    return float(np.abs(actual - expected).max() / max(np.abs(expected).max(), 1e-30))


if __name__ == "__main__":
    sys.exit(main())
