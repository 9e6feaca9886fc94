"""Checkpoint folders against transformers: what espalier exports, grows and refuses.

ONNX Runtime and PyTorch sum in another order, so an exported model may lie 5e-6 off in float32; some 1e-6 is what is seen.
Grown folders are opened as users open them: no key may be missing, unknown or of another shape, and a model that is saved
again must have the same keys. What has zero weights (MLP, heads, depth), is repeated (keys and values) or stands beside
(vocabulary, positions) moves no bit in float32; where one matrix holds several, its products may be summed in another
order (1e-6). A wider stream sums in another order and, where it is padded, rounds factors once (2e-6).
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
STREAM = 2e-6
NARROW = 3e-6

#: What each growth is called, which options it takes (of the sizes in folder_models), and how exact it is.
ZERO = {
    "nothing": [],
    "mlp": ["--widen", "{ffn}=+8"],
    "mlp x1.5": ["--widen", "{ffn}=x1.5"],
    "groups": ["--widen", "{heads}=x2,{kv}=x2"],
    "queries": ["--widen", "{heads}=x2"],
    "repeated": ["--widen", "{kv}=x2"],
    "experts": ["--widen", "{experts}=x2"],
    "upcycled": ["--experts", "4"],
    "depth": ["--deepen", "after=0,2"],
    "encoder": ["--deepen", "encoder.after=1,1"],
    "decoder": ["--deepen", "decoder.after=0"],
    "vocabulary": ["--vocab", "+7"],
    "positions": ["--positions", "+32"],
}
WIDER = {
    "copies": ["--widen", "{hidden}=x2,{heads}=x2"],
    "copies x4": ["--widen", "{hidden}=x4,{heads}=x4"],
    "padding": ["--widen", "{padded}"],
    "all": ["--widen", "{ffn}=+8,{hidden}=x2,{heads}=x2", "--deepen", "after=1", "--vocab", "+3"],
}


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


def kind_of(name: str) -> str:
    return models.configuration(name).model_type


def growths(name: str) -> dict[str, list[str]]:
    """The growths that a model's class allows, with its own names of the fields."""
    fields = models.fields(name)
    known = {kind: options for kind, options in {**ZERO, **WIDER}.items() if kind not in models.refused(name)}
    return {
        kind: [option.format(**fields) for option in options]
        for kind, options in known.items()
        if not any(fields[size] is None and f"{{{size}}}" in option for size in ("kv", "experts") for option in options)
    }


def grown(see: Verdicts, engine: Engine, names: list[str]) -> None:
    root = engine.folder
    asked = [
        (name, kind, ["grow", str(root / name), "--out", str(root / f"{name} {kind}"), *options])
        for name in names
        for kind, options in growths(name).items()
    ]
    answers, _ = engine.ask("folders", [args for _, _, args in asked], {})
    before: dict[str, dict] = {}
    for (name, kind, args), answer in zip(asked, answers):
        identity = f"{name} {kind}"
        see.holds("grow", identity, answer["code"] == 0, f"{' '.join(args[3:])}: {answer['err']}")
        if answer["code"] != 0:
            continue
        if name not in before:
            before[name] = observed(models.load(str(root / name)), root)
        after = observed(models.load(str(root / identity)), root)
        allowed = models.CLOSE.get(name, {}).get(kind, 0.0 if kind in ZERO else models.STREAM.get(kind_of(name), STREAM))
        for length, theirs in before[name]["logits"].items():
            see.near(f"{kind}", f"{name}, {length} tokens", models.distance(after["logits"][length], theirs), allowed)
        if kind != "vocabulary" and kind != "all":
            see.holds("same text", identity, after["text"] == before[name]["text"])
        if name == "whisper":
            once = [[0, 1], [3, 3], [4, 0]]
            layers = {"depth": [[0, 1], [3, 3], [5, 0]], "decoder": once, "all": once}
            listed = json.loads((root / identity / "generation_config.json").read_text())["alignment_heads"]
            see.holds("listed heads", identity, listed == layers.get(kind, models.LISTED), str(listed))
        see.holds("same keys", identity, after["saved"] == after["keys"], str(after["saved"] ^ after["keys"]))


def observed(model, root: Path) -> dict:
    """What a model computes, the text that it writes, and the keys that it saves."""
    again = root / "saved again"
    model.save_pretrained(again)
    keys = models.keys(again)
    return {
        "logits": {length: models.logits(model, length) for length in (24, 100)},
        "text": models.text(model),
        "saved": keys,
        "keys": models.keys(Path(model.name_or_path)),
    }


def narrow(see: Verdicts, engine: Engine, names: list[str]) -> None:
    """Stored in 16 bits and run in float32: zeros and repetitions move no bit, copies 3e-6, and padding is refused."""
    root = engine.folder
    kinds = {"bfloat16": torch.bfloat16, "float16": torch.float16}
    asked = []
    for name in names:
        for dtype, stored in kinds.items():
            models.make(name, str(root / f"{name}-{dtype}"), stored)
            for kind, options in growths(name).items():
                if kind in ("mlp", "repeated", "depth", "copies x4", "padding"):
                    folder = str(root / f"{name}-{dtype}")
                    asked.append((name, dtype, kind, ["grow", folder, "--out", f"{folder} {kind}", *options]))
    answers, _ = engine.ask("folders", [args for *_, args in asked], {})
    for (name, dtype, kind, args), answer in zip(asked, answers):
        identity = f"{name} {dtype} {kind}"
        if kind == "padding":
            see.holds("padding refused in 16 bits", identity, answer["code"] == 2 and dtype in answer["err"], answer["err"])
            continue
        see.holds("grow", identity, answer["code"] == 0, answer["err"])
        if answer["code"] == 0:
            before, after = (models.load(folder, torch.float32) for folder in (args[1], args[3]))
            allowed = models.CLOSE.get(name, {}).get(kind, 0.0 if kind in ZERO else models.STREAM.get(kind_of(name), NARROW))
            off = models.distance(models.logits(after, 24), models.logits(before, 24))
            see.near(f"{kind}, stored in {dtype}", identity, off, allowed)


def main() -> int:
    started = time.monotonic()
    see, engine = Verdicts(), Engine()
    names = [name for name in models.CONFIGURATIONS if len(sys.argv) < 3 or name in sys.argv[2:]]
    exported(see, engine, names)
    grown(see, engine, names)
    narrow(see, engine, names)
    for kind, (count, off) in see.worst.items():
        print(f"  {kind:32} {count:3} compared, off by {off:.1e} at most")
    print(f"folders: {len(names)} models, {time.monotonic() - started:.0f} s")
    for problem in see.problems:
        print(f"  MISMATCH {problem}", file=sys.stderr)
    return 1 if see.problems else 0


sys.exit(main())
