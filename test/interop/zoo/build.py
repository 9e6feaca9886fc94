"""Makes the zoo: `python build.py OUTDIR [--only NAME ...] [--share I/N]` writes OUTDIR/NAME.onnx and OUTDIR/zoo.json.

Each file passes onnx's checker and, where it can run, computes in ONNX Runtime what PyTorch computes. zoo.json lists
the files with their inputs, the widths that must be growable and those that must be refused. An exporter that fails, a
file that disagrees and an expectation without a parameter are failures (exit code 1), unless the entry says why.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

import attention
import classic
import handmade
import images
import mobile
import negative
import recurrent
import sklearn_models
import transformers_models
import vision
from entry import DYNAMO, SIZES, TORCHSCRIPT, Entry, File, Torch
from export import export, prepare, quiet
from inputs import draw
from locate import constants, locate

FROM_TORCH = (classic, vision, mobile, images, attention, transformers_models, recurrent)
MODULES = (*FROM_TORCH, sklearn_models, handmade, negative)
TOLERANCE = 1e-5  # of the largest output: exporters fold and reorder
LIVELY = 0.02  # of the largest output: a comparison of outputs says little where inputs hardly matter


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("outdir", type=Path)
    parser.add_argument("--only", action="append", metavar="NAME", help="an entry or a file, without .onnx; repeatable")
    parser.add_argument("--share", default="0/1", metavar="I/N", help="every Nth pair of files, from the Ith on")
    options = parser.parse_args()
    share, shares = map(int, options.share.split("/"))
    options.outdir.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    models, without, failed = [], [], []
    for number, (entry, exporter, file) in enumerate(plan(options.only)):
        if number // 2 % shares != share:
            continue
        if isinstance(entry, Torch) and exporter in entry.without:
            without.append({"name": file, "reason": entry.without[exporter]})
            continue
        try:
            models.append({"number": number, **make(entry, exporter, file, options.outdir)})
            print(f"{file}: {models[-1]['bytes']:,} bytes, {len(models[-1]['widths'])} widths", flush=True)
        except Exception as error:  # an exporter may throw anything; every failure is reported
            failed.append({"name": file, "reason": f"{type(error).__name__}: {error}"})
            print(f"{file}: FAILED {type(error).__name__}: {str(error)[:800]}", flush=True)
    zoo = {"sizes": {symbol: list(values) for symbol, values in SIZES.items()}, "models": models}
    (options.outdir / "zoo.json").write_text(json.dumps({**zoo, "without": without, "failed": failed}, indent=1))
    print(f"{len(models)} files, {len(without)} excused, {len(failed)} failed")
    return 1 if failed else 0


def plan(only: list[str] | None) -> list[tuple[Entry, str, str]]:
    """Every entry, exporter and file name that is wanted."""
    entries = [entry for module in MODULES for entry in module.ENTRIES]
    rows = []
    for entry in entries:
        exporters = (DYNAMO, TORCHSCRIPT) if isinstance(entry, Torch) else (entry.exporter,)
        for exporter in exporters:
            rows.append((entry, exporter, f"{entry.name}-{exporter}" if isinstance(entry, Torch) else entry.name))
    names = [file for _, _, file in rows]
    if len(set(names)) < len(names):
        raise ValueError(f"two files of one name: {sorted(name for name in names if names.count(name) > 1)}")
    unknown = set(only or []) - set(names) - {entry.name for entry in entries}
    if unknown:
        raise SystemExit(f"no such entry or file: {', '.join(sorted(unknown))}")
    return [row for row in rows if not only or row[0].name in only or row[2] in only]


def make(entry: Entry, exporter: str, file: str, outdir: Path) -> dict:
    """Writes the file, checks it, and returns its part of zoo.json."""
    path = outdir / f"{file}.onnx"
    state: dict[str, np.ndarray] = {}
    if isinstance(entry, Torch):
        model = prepare(entry)
        export(entry, model, exporter, path)
        state = {name: value.numpy() for name, value in model.state_dict().items()}
        agree(path, entry, model)
    else:
        with quiet():
            onnx.save(entry.make(), path)
        if entry.runs:
            agree(path, entry, None)
    onnx.checker.check_model(path, full_check=True)
    made = onnx.load(path)
    tensors = constants(made)

    def translated(expected) -> dict:
        name, axis = locate(tensors, state, expected.parameter, expected.axis)
        size, units = tensors[name].shape[axis], getattr(expected, "units", 1)
        if size % units:
            raise ValueError(f"{expected.what}: axis {axis} of {name} is {size}, no multiple of {units}")
        return {**asdict(expected), "parameter": name, "axis": axis}

    used = {size for spec in entry.inputs for size in spec.shape if isinstance(size, str)}
    return {
        **{"name": file, "entry": entry.name, "file": path.name, "exporter": exporter, "bytes": path.stat().st_size},
        "opset": {imported.domain or "ai.onnx": imported.version for imported in made.opset_import},
        "runs": not isinstance(entry, File) or entry.runs,
        "inputs": [asdict(spec) for spec in entry.inputs],
        "sizes": {symbol: list(SIZES[symbol]) for symbol in sorted(used)},
        "widths": [translated(width) for width in entry.widths],
        "refusals": [translated(refusal) for refusal in entry.refusals],
    }


def agree(path: Path, entry: Entry, model: torch.nn.Module | None) -> None:
    """Throws where ONNX Runtime does not run the file on every size, differs from PyTorch, or has an output that is not
    finite or hardly depends on the input."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(at: int, seed: int) -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
        sizes = {symbol: values[at] for symbol, values in SIZES.items()}
        feeds = draw([asdict(spec) for spec in entry.inputs], sizes, seed)
        with quiet():
            outputs = session.run(None, feeds)
        if any(output.dtype.kind == "f" and not np.isfinite(output).all() for output in outputs):
            raise ValueError(f"outputs that are not finite, at {sizes}")
        return feeds, outputs

    for at in range(len(SIZES["batch"])):
        feeds, outputs = run(at, seed=at)
        if model is not None:
            with torch.no_grad():
                wanted = model(*[torch.from_numpy(array) for array in feeds.values()]).numpy()
            if not relative(outputs[0], wanted) <= TOLERANCE:
                raise ValueError(f"differs from PyTorch by {relative(outputs[0], wanted):.1e} of the largest output")
    changed = max(relative(one, other) for one, other in zip(run(0, seed=1)[1], run(0, seed=2)[1], strict=True))
    if changed < LIVELY:
        raise ValueError(f"other inputs change the output by {changed:.1e} of its largest entry only")


def relative(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference, over the largest entry of the other, or over 1 where that is all zeros."""
    return float(np.abs(one - other).max() / (np.abs(other).max() or 1))


if __name__ == "__main__":
    sys.exit(main())
