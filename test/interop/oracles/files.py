"""What espalier writes, opened by other tools: onnx's checker, ONNX Runtime for Python, safetensors.

Python's ONNX Runtime must give what `trainer.predict` gives, to 1e-6 of the largest output: the same weights and the
same operators, but another version of the engine, which may add in another order.
"""

import hashlib
import json
import os
import sys
import time

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from safetensors import safe_open

import models
from engine import Engine
from models import mlp, small_cnn

SEED = int(os.environ.get("SEED", "20260"))
TOLERANCE = 1e-6
MLP, IMAGE = [64], [1, 8, 8]

#: Name, input, layers, optimizer, widths that grow.
plans = [
    *((f"mlp-{name}", MLP, mlp([24, 16, 10], name), "adam", []) for name in models.Activation.functions),
    ("norm", MLP, mlp([24, 16, 10], norm=True), "sgd", []),
    ("dropout", MLP, mlp([24, 16, 10], drop=0.3), "adamw", []),
    ("cnn", IMAGE, small_cnn(), "adam", []),
    ("cnn-norm", IMAGE, small_cnn(norm=True), "sgd", []),
    ("grown", MLP, mlp([8, 6, 10]), "adam", [("hidden1", 5), ("hidden2", 9), ("hidden1", 1)]),
    ("grown-norm", MLP, mlp([8, 6, 10], norm=True, drop=0.2), "sgd", [("hidden2", 3), ("hidden1", 7)]),
    ("grown-cnn", IMAGE, small_cnn(norm=True), "adam", [("conv1", 3), ("conv2", 4), ("hidden1", 8), ("conv1", 2)]),
]

slots = {"sgd": ["momentum"], "adam": ["moment1", "moment2"], "adamw": ["moment1", "moment2"]}


def check_model(path: str, probe: np.ndarray, predicted: np.ndarray, weights: dict) -> tuple[float, list[str]]:
    """The largest difference of an output, relative to the largest output, and what is wrong."""
    problems = []
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    stored = {initializer.name: numpy_helper.to_array(initializer) for initializer in inferred.graph.initializer}
    for name, value in weights.items():
        if not np.array_equal(stored.get(name), value):
            problems.append(f"parameter {name} in the file is not the trainer's")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (source,) = session.get_inputs()
    (output,) = session.run(None, {source.name: probe})
    if output.shape != predicted.shape or not np.isfinite(output).all():
        return float("inf"), [*problems, f"output has shape {output.shape}, should have {predicted.shape}"]
    # Any batch size must work.
    (single,) = session.run(None, {source.name: probe[:1]})
    worst = max(np.abs(output - predicted).max(), np.abs(single - predicted[:1]).max())
    return float(worst / np.abs(predicted).max()), problems


def check_checkpoint(path: str, optimizer: str, weights: dict, step: int) -> list[str]:
    problems = []
    with safe_open(path, "np") as file:
        metadata, names = file.metadata(), set(file.keys())
        model = onnx.load_model_from_string(file.get_tensor("model").tobytes())
        onnx.checker.check_model(model, full_check=True)
        for initializer in model.graph.initializer:
            if initializer.name not in weights:
                continue
            value = numpy_helper.to_array(initializer)
            if not np.array_equal(value, weights[initializer.name]):
                problems.append(f"the checkpoint's {initializer.name} is not the trainer's")
            if initializer.name.endswith((".mean", ".variance")) or value.ndim == 0:
                continue
            for slot in slots[optimizer]:
                key = f"optimizer/{slot}/{initializer.name}"
                if key not in names or file.get_tensor(key).shape != value.shape:
                    problems.append(f"{key} is missing or has not the shape of its parameter")
            births = [file.get_tensor(f"births/{axis}/{initializer.name}").size for axis in range(min(2, value.ndim))]
            if births != list(value.shape[:2]):
                problems.append(f"births of {initializer.name} have sizes {births}, the parameter {value.shape}")
    if json.loads(metadata["progress"])["step"] != step:
        problems.append("its progress is not the trainer's")
    data = bytearray(open(path, "rb").read())
    digest = metadata["sha256"].encode()
    at = data.index(digest)
    data[at : at + 64] = b"0" * 64
    if hashlib.sha256(data).hexdigest().encode() != digest:
        problems.append("its SHA-256 is not that of its bytes")
    return problems


def main() -> int:
    started = time.monotonic()
    requests, tensors = [], {}
    for number, (identity, dims, layers, optimizer, growths) in enumerate(plans):
        data = models.classified(SEED + number, 150, dims)
        tensors |= {f"{identity}.{name}": array for name, array in data.items()}
        tensors[f"{identity}.probe"] = np.random.default_rng(SEED).standard_normal([37, *dims]).astype(np.float32)
        options = {"momentum": 0.9} if optimizer == "sgd" else {}
        requests.append(
            {
                "id": identity,
                "model": {"input": dims, "layers": layers, "seed": SEED + number},
                "run": {
                    "loss": "crossEntropy",
                    "optimizer": {"name": optimizer, "options": options, "learningRate": 0.01},
                    "batchSize": 32,
                    "seed": number,
                    "steps": 12,
                    "clipNorm": None,
                    "clipValue": None,
                    "update": "kernel",
                },
                "growths": [{"width": width, "by": by} for width, by in growths],
            }
        )
    engine = Engine()
    answered, results = engine.ask("files", requests, tensors)
    worst, problems = 0.0, []
    for asked in requests:
        identity = asked["id"]
        prefix = f"{identity}.after."
        weights = {name.removeprefix(prefix): value for name, value in results.items() if name.startswith(prefix)}
        found: list[str] = []
        off = float("inf")
        try:
            path = str(engine.folder / f"{identity}.onnx")
            off, found = check_model(path, tensors[f"{identity}.probe"], results[f"{identity}.predicted"], weights)
            checkpoint = str(engine.folder / f"{identity}.safetensors")
            optimizer, step = asked["run"]["optimizer"]["name"], answered[identity]["step"]
            found += check_checkpoint(checkpoint, optimizer, weights, step)
        except Exception as error:  # noqa: BLE001  (whatever a tool dislikes about a file is a mismatch)
            found.append(f"{type(error).__name__}: {error}")
        for growth in answered[identity]["growths"]:
            if not growth["output"]["preserved"]:
                found.append(f"widening {growth['width']} was not preserved: {growth['output']}")
        if not off <= TOLERANCE:
            found.append(f"outputs differ by {off:.1e}")
        print(f"  {identity:14} off by {off:.1e}, {len(answered[identity]['growths'])} growths")
        worst = max(worst, off)
        problems += [f"{identity}: {problem}" for problem in found]
    print(f"files: seed {SEED}, {len(requests)} models and checkpoints, {time.monotonic() - started:.0f} s")
    print(f"files: worst {worst:.1e} of the largest output, allowed {TOLERANCE:.0e}")
    for problem in problems:
        print(f"  MISMATCH {problem}", file=sys.stderr)
    return 1 if problems else 0


sys.exit(main())
