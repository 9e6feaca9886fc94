"""Checkpoint folders against transformers: what espalier exports, grows and refuses.

ONNX Runtime and PyTorch sum in another order, so an exported model may lie 5e-6 off in float32; some 1e-6 is what is seen.
"""

import json
import sys
import time
from pathlib import Path

import onnxruntime
import torch

import folder_models as models
from engine import Engine

EXPORTED = 5e-6


class Verdicts:
    """What was compared, by kind: how often, how far off at most, and what was too far."""

    def __init__(self) -> None:
        self.worst: dict[str, tuple[int, float]] = {}
        self.problems: list[str] = []

    def near(self, kind: str, identity: str, off: float, allowed: float) -> None:
        count, most = self.worst.get(kind, (0, 0.0))
        self.worst[kind] = (count + 1, max(most, off))
        if not off <= allowed:
            self.problems.append(f"{kind} of {identity}: off by {off:.1e}, not {allowed:.0e}")

    def holds(self, kind: str, identity: str, truth: bool, why: str = "") -> None:
        self.near(kind, f"{identity} {why}", 0.0 if truth else 1.0, 0.5)


def exported(see: Verdicts, engine: Engine, names: list[str]) -> None:
    root = engine.folder
    for name in names:
        models.make(name, str(root / name))
    answers, _ = engine.ask("folders", [["export", str(root / name), "--onnx", str(root / f"{name}.onnx")] for name in names], {})
    for name, answer in zip(names, answers):
        see.holds("export", name, answer["code"] == 0, answer["err"])
        if answer["code"] != 0:
            continue
        session = onnxruntime.InferenceSession(str(root / f"{name}.onnx"), providers=["CPUExecutionProvider"])
        model = models.load(str(root / name))
        for length in (1, 5, 24):
            theirs = models.logits(model, length)
            ours = session.run(["logits"], models.feeds(model, length))[0]
            see.near("exported logits", f"{name}, {length} tokens", models.distance(torch.from_numpy(ours), theirs), EXPORTED)


def main() -> int:
    started = time.monotonic()
    see, engine = Verdicts(), Engine()
    names = [name for name in models.CONFIGURATIONS if len(sys.argv) < 3 or name in sys.argv[2:]]
    exported(see, engine, names)
    for kind, (count, off) in see.worst.items():
        print(f"  {kind:32} {count:3} compared, off by {off:.1e} at most")
    print(f"folders: {len(names)} models, {time.monotonic() - started:.0f} s")
    for problem in see.problems:
        print(f"  MISMATCH {problem}", file=sys.stderr)
    return 1 if see.problems else 0


sys.exit(main())
