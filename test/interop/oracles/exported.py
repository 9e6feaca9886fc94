"""Models that PyTorch exports, by its old exporter and its new one: espalier loads, evaluates, trains and grows them.

Predictions agree with PyTorch to 1e-5 of the largest output; the losses of ten steps of SGD agree with PyTorch training
the same model, to 1e-4; every width grows without changing the output, or is refused for a reason that holds; and the
grown file passes onnx's checker and computes in Python's ONNX Runtime what espalier predicted.
"""

import contextlib
import io
import logging
import os
import sys
import time
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn.functional as F
from torch import nn

import models
from engine import Engine

SEED = int(os.environ.get("SEED", "20260"))
STEPS, RATE = 10, 0.05


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 16), nn.Tanh(), nn.Linear(16, 10))


def gelu_norm() -> nn.Module:
    return nn.Sequential(
        nn.Linear(64, 24), nn.LayerNorm(24), nn.GELU(), nn.Dropout(0.0), nn.Linear(24, 16), nn.SiLU(), nn.Linear(16, 10)
    )


class LeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 3)
        self.fc1 = nn.Linear(16 * 3 * 3, 40)
        self.fc2 = nn.Linear(40, 20)
        self.fc3 = nn.Linear(20, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.avg_pool2d(torch.tanh(self.conv1(x)), 2)
        x = F.max_pool2d(torch.relu(self.conv2(x)), 2)
        x = torch.flatten(x, 1)
        return self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(x)))))


class BatchNormNet(nn.Module):
    """Normalized convolutions, a residual sum, a global mean."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.conv2, self.norm2 = nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.head = nn.Linear(8, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.norm1(self.conv1(x)))
        x = torch.relu(x + self.norm2(self.conv2(x)))
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))


#: Why a width of these models may be refused. PyTorch's new exporter writes a flatten as a Reshape to [-1, 144].
REASONS = ("it reaches the output", "LayerNormalization", "the target shape of the Reshape names the size")

#: Name, model, example, whether training is compared (exported BatchNormalization is folded or frozen).
plans = [
    ("mlp", mlp, [64], True),
    ("gelu-norm", gelu_norm, [64], True),
    ("lenet", LeNet, [1, 16, 16], True),
    ("batch-norm", BatchNormNet, [1, 10, 10], False),
]


def export(model: nn.Module, dims: list[int], path: str, dynamo: bool) -> None:
    example = torch.zeros([2, *dims])
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        if dynamo:
            shapes = ({0: torch.export.Dim("batch")},)
            program = torch.onnx.export(model, (example,), dynamo=True, dynamic_shapes=shapes, verbose=False)
            program.save(path)
        else:
            names = {"input_names": ["input"], "output_names": ["output"]}
            axes = {"dynamic_axes": {"input": {0: "batch"}, "output": {0: "batch"}}}
            torch.onnx.export(model, (example,), path, dynamo=False, **names, **axes)


def train(model: nn.Module, data: dict, order: np.ndarray) -> np.ndarray:
    """PyTorch's losses: SGD without momentum, batches of 25 of 100 examples."""
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    features, labels = torch.from_numpy(data["features"]), torch.from_numpy(data["labels"]).long()
    seen = []
    for step in range(STEPS):
        batch = torch.from_numpy(order[step // 4, step % 4 * 25 : step % 4 * 25 + 25])
        optimizer.zero_grad()
        loss = F.cross_entropy(model(features[batch]), labels[batch])
        loss.backward()
        optimizer.step()
        seen.append(loss.item())
    return np.array(seen)


def main() -> int:
    started = time.monotonic()
    logging.disable(logging.WARNING)
    engine = Engine()
    requests, tensors, made = [], {}, {}
    for number, (name, make, dims, trained) in enumerate(plans):
        for dynamo in (False, True):
            identity = f"{name}-{'dynamo' if dynamo else 'script'}"
            torch.manual_seed(SEED + number)
            model = make()
            if not trained:
                # Statistics that have an effect.
                model.train()
                model(torch.randn([64, *dims]))
            model.eval()
            export(model, dims, str(engine.folder / f"{identity}.onnx"), dynamo)
            data = models.classified(SEED + number, 100, dims)
            probe = np.random.default_rng(SEED).standard_normal([17, *dims]).astype(np.float32)
            tensors |= {f"{identity}.{key}": array for key, array in data.items()} | {f"{identity}.probe": probe}
            with torch.no_grad():
                made[identity] = (model, data, model(torch.from_numpy(probe)).numpy(), trained)
            run = {
                "loss": "crossEntropy",
                "optimizer": {"name": "sgd", "options": {}, "learningRate": RATE},
                "batchSize": 25,
                "seed": number,
                "steps": STEPS,
                "clipNorm": None,
                "clipValue": None,
                "update": "kernel",
            }
            requests.append({"id": identity, "run": run, "by": 3})
    answered, results = engine.ask("exported", requests, tensors)
    problems, growths = [], 0
    for asked in requests:
        identity = asked["id"]
        answer = answered[identity]
        if answer["error"] is not None:
            problems.append(f"{identity}: {answer['error']}")
            continue
        model, data, expected, trained = made[identity]
        off = float(np.abs(results[f"{identity}.predicted"] - expected).max() / np.abs(expected).max())
        if not off <= 1e-5:
            problems.append(f"{identity}: predicts what PyTorch does not, by {off:.1e}")
        ours = np.array(answer["losses"])
        if trained:
            theirs = train(model, data, results[f"{identity}.order"])
            apart = float(np.max(np.abs(ours - theirs) / theirs))
            if not apart <= 1e-4:
                problems.append(f"{identity}: its losses differ from PyTorch's by {apart:.1e}: {ours} {theirs}")
        else:
            apart = None
        if not ours[-3:].mean() < ours[:3].mean():
            problems.append(f"{identity}: training does not lower its loss: {ours}")
        for growth in answer["growths"]:
            if not growth["output"]["preserved"]:
                problems.append(f"{identity}: widening {growth['width']} was not preserved: {growth['output']}")
        growths += len(answer["growths"])
        for width in answer["blocked"]:
            if not any(reason in width["reason"] for reason in REASONS):
                problems.append(f"{identity}: refuses to widen {width['id']}: {width['reason']}")
        path = str(engine.folder / f"{identity}-grown.onnx")
        onnx.checker.check_model(onnx.load(path), full_check=True)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        (grown,) = session.run(None, {session.get_inputs()[0].name: tensors[f"{identity}.probe"]})
        beside = float(np.abs(grown - results[f"{identity}.grown"]).max() / np.abs(grown).max())
        if not beside <= 1e-6:
            problems.append(f"{identity}: the grown file's outputs differ by {beside:.1e}")
        beside_torch = "not compared" if apart is None else f"{apart:.1e}"
        widths = ", ".join(growth["width"] for growth in answer["growths"])
        print(f"  {identity:18} predicts within {off:.1e}, losses {beside_torch}, grown file {beside:.1e}; grew {widths or 'nothing'}")
        for width in answer["blocked"]:
            print(f"  {'':18} refused {width['id']}: {width['reason']}")
    seconds = time.monotonic() - started
    print(f"exported: seed {SEED}, {len(requests)} models of PyTorch {torch.__version__}, {growths} growths, {seconds:.0f} s")
    for problem in problems:
        print(f"  MISMATCH {problem}", file=sys.stderr)
    return 1 if problems else 0


sys.exit(main())
