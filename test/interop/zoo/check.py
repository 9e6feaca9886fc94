"""Compares a model before and after growth: `python check.py BEFORE.onnx AFTER.onnx SPEC.json [--name NAME]`.

SPEC holds {"inputs": [...], "sizes": {symbol: [...]}}, as each model of zoo.json does; --name picks the model of that
name from a whole zoo.json. AFTER must pass onnx's checker. Both run in ONNX Runtime on the same seeded inputs, at
every size that SPEC lists. Prints one JSON object: maxAbs, maxRel (of the largest entry of that output before growth),
runs, and per output the same. Exit code 0: compared; 1: AFTER is not valid, the outputs differ in name, type or shape,
or hold values that are not finite: an object with "error". Whether the difference is small enough is the caller's
judgement.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from inputs import draw


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("spec", type=Path)
    parser.add_argument("--name", help="the model of this name, where SPEC is a whole zoo.json")
    parser.add_argument("--seed", type=int, default=0, help="of the first inputs (default 0)")
    parser.add_argument("--seeds", type=int, default=2, help="inputs for each size (default 2)")
    options = parser.parse_args()
    spec = json.loads(options.spec.read_text())
    if options.name is not None:
        spec = {model["name"]: model for model in spec["models"]}[options.name]
    try:
        onnx.checker.check_model(options.after, full_check=True)
        seeds = range(options.seed, options.seed + options.seeds)
        result = compare(session(options.before), session(options.after), spec, seeds)
    except Exception as error:  # the checker and ONNX Runtime throw many types; each is the answer
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}))
        return 1
    print(json.dumps(result))
    return 0


def session(path: Path) -> onnxruntime.InferenceSession:
    """Without graph optimization, so that a difference is the models' and not the optimizer's choice of kernels."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def compare(
    before: onnxruntime.InferenceSession, after: onnxruntime.InferenceSession, spec: dict, seeds: range
) -> dict:
    """Throws ValueError if the outputs cannot be compared."""
    names = [output.name for output in before.get_outputs()]
    if names != [output.name for output in after.get_outputs()]:
        raise ValueError(f"outputs were {names} and are {[output.name for output in after.get_outputs()]}")
    symbols = sorted({size for given in spec["inputs"] for size in given["shape"] if isinstance(size, str)})
    choices = max((len(spec["sizes"][symbol]) for symbol in symbols), default=1)
    outputs = {name: {"maxAbs": 0.0, "maxRel": 0.0} for name in names}
    for at in range(choices):
        sizes = {symbol: spec["sizes"][symbol][at % len(spec["sizes"][symbol])] for symbol in symbols}
        for seed in seeds:
            feeds = draw(spec["inputs"], sizes, seed * choices + at)
            for name, old, new in zip(names, before.run(None, feeds), after.run(None, feeds), strict=True):
                absolute, relative = difference(name, np.asarray(old), np.asarray(new))
                worst = outputs[name]
                outputs[name] = {"maxAbs": max(worst["maxAbs"], absolute), "maxRel": max(worst["maxRel"], relative)}
    total = {kind: max(output[kind] for output in outputs.values()) for kind in ("maxAbs", "maxRel")}
    return {**total, "runs": choices * len(seeds), "outputs": outputs}


def difference(name: str, old: np.ndarray, new: np.ndarray) -> tuple[float, float]:
    """The largest absolute difference, and that over the largest absolute old entry."""
    if old.dtype != new.dtype or old.shape != new.shape:
        raise ValueError(f"{name} was {old.dtype}{list(old.shape)} and is {new.dtype}{list(new.shape)}")
    if old.dtype.kind not in "fiub":
        return (0.0, 0.0) if np.array_equal(old, new) else (float("inf"), float("inf"))
    was, now = old.astype(np.float64), new.astype(np.float64)
    if not (np.isfinite(was).all() and np.isfinite(now).all()):
        raise ValueError(f"{name} holds values that are not finite")
    if was.size == 0:
        return 0.0, 0.0
    absolute, scale = float(np.abs(was - now).max()), float(np.abs(was).max())
    return absolute, absolute / scale if scale > 0 else float(absolute > 0)


if __name__ == "__main__":
    sys.exit(main())
