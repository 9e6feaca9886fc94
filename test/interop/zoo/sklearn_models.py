"""scikit-learn's multi-layer perceptrons, converted by skl2onnx."""

from collections.abc import Callable

import numpy as np
import onnx
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from entry import File, Width, batched


def classifier() -> onnx.ModelProto:
    return converted(MLPClassifier((18, 13), random_state=0, max_iter=8), classes=4)


def binary() -> onnx.ModelProto:
    return converted(MLPClassifier((15,), activation="tanh", random_state=0, max_iter=8), classes=2)


def regressor() -> onnx.ModelProto:
    return converted(
        MLPRegressor(hidden_layer_sizes=(16, 12), activation="logistic", random_state=0, max_iter=8), classes=0
    )


def pipeline() -> onnx.ModelProto:
    model = make_pipeline(StandardScaler(), MLPClassifier((14, 11), random_state=0, max_iter=8))
    return converted(model, classes=3)


def converted(model, classes: int) -> onnx.ModelProto:
    """Fitted to 60 random examples of 9 features; `classes` 0 means two regression targets."""
    random = np.random.default_rng(7)
    features = random.standard_normal((60, 9)).astype(np.float32)
    targets = np.arange(60) % classes if classes else features[:, :2] ** 2
    with np.errstate(all="ignore"):
        model.fit(features, targets)
    options = {id(model): {"zipmap": False}} if classes else None
    types, opset = [("features", FloatTensorType([None, 9]))], {"": 20, "ai.onnx.ml": 3}
    return to_onnx(model, initial_types=types, options=options, target_opset=opset)


def hidden(*units: int) -> tuple[Width, ...]:
    """skl2onnx calls the matrices coefficient, coefficient1, ..., each of [features, units]."""
    return tuple(
        Width(f"hidden layer {at}", "neuron", count, f"coefficient{at or ''}", 1) for at, count in enumerate(units)
    )


def entry(name: str, make: Callable[[], onnx.ModelProto], *units: int) -> File:
    return File(name, "skl2onnx", make, batched("features", 9), hidden(*units))


ENTRIES = [
    entry("sklearn-classifier", classifier, 18, 13),
    entry("sklearn-binary", binary, 15),
    entry("sklearn-regressor", regressor, 16, 12),
    entry("sklearn-pipeline", pipeline, 14, 11),
]
