"""Small modules by both exporters of PyTorch train five steps as PyTorch trains them, or are refused with the reason.

Each module of ../modules is exported by TorchScript and by dynamo, and trained on sixteen examples by gradient descent:
by espalier from the file, by PyTorch from the module. Losses, predictions before and after, and every weight that can
be found again agree to 1e-4, and as many numbers are trained as PyTorch trains. KNOWN lists what no file shows.

By default it takes 155 modules, evenly from all families. MODULES=PATTERN takes those that fit (fnmatch, e.g. '*' for all,
'c_*' or '*.dynamo'); EXPORTED=FOLDER keeps the files there and takes those that are there already.
"""

import contextlib
import io
import logging
import os
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1]))
import modules  # noqa: E402
from engine import Engine  # noqa: E402

SEED, EXAMPLES, STEPS, RATE, LIMIT = 7, 16, 5, 0.03, 1e-4
EXPORTERS = ("script", "dynamo")
PATTERN = os.environ.get("MODULES")
#: As many modules are tried unless MODULES says which: with all of them the exports alone take minutes.
SAMPLED = 155


#: Trainings that differ, since the file does not show what PyTorch trains.
KNOWN = {
    "s_padding_idx.script": "PyTorch leaves the row of padding_idx as it is",
    "s_padding_idx.dynamo": "PyTorch leaves the row of padding_idx as it is",
    "v_bn.dynamo": "the normalization is folded into the product before it",
    "x_weight_mask.script": "the weight is stored masked",
    "x_scaled_weight.script": "the weight is stored scaled",
    "x_softmax_weight.script": "the weight is stored behind its softmax",
    "x_temperature.dynamo": "the number is stored behind its exponential",
}


def chosen() -> list[str]:
    """Files to make: those that fit the pattern, or those of every so many modules, which are listed by family."""
    names = list(modules.table)
    if PATTERN is None:
        names = [name for at, name in enumerate(names) if (at + 1) * SAMPLED // len(names) > at * SAMPLED // len(names)]
    identities = [f"{name}.{exporter}" for name in names for exporter in EXPORTERS]
    wanted = PATTERN or "*"
    return [identity for identity in identities if fnmatchcase(identity, wanted) or fnmatchcase(identity.rsplit(".", 1)[0], wanted)]


def draw(tried: modules.Tried, count: int, seed: int) -> list[torch.Tensor]:
    source = torch.Generator().manual_seed(seed)
    return [
        torch.randint(0, wanted[1], (count, *wanted[0]), generator=source)
        if isinstance(wanted, tuple)
        else torch.randn(count, *wanted, generator=source)
        for wanted in tried.inputs
    ]


def make(name: str) -> nn.Module:
    torch.manual_seed(SEED)
    return modules.table[name].make().eval()


def export(identity: str, folder: str) -> str:
    """Writes the file; returns what went wrong, or nothing."""
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    path = Path(folder) / f"{identity}.onnx"
    if path.exists():
        return ""
    name, exporter = identity.rsplit(".", 1)
    model, inputs = make(name), tuple(draw(modules.table[name], 2, 1))
    names = [f"in{index}" for index in range(len(inputs))]
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            if exporter == "dynamo":
                batch = torch.export.Dim("batch")
                shapes = tuple({0: batch} for _ in inputs)
                shapes = (shapes,) if isinstance(model, modules.Calls) else shapes
                program = torch.onnx.export(model, inputs, dynamo=True, input_names=names, dynamic_shapes=shapes, verbose=False)
                program.save(str(path))
            else:
                axes = {value: {0: "batch"} for value in [*names, *([] if modules.table[name].loss else ["out"])]}
                torch.onnx.export(
                    model, inputs, str(path), dynamo=False, input_names=names, output_names=["out"], dynamic_axes=axes
                )
    except Exception as thrown:
        lines = str(thrown).strip().splitlines() or [""]
        return f"{type(thrown).__name__}: {lines[0][:120]}"
    return ""


class Reference:
    """PyTorch's training of one module, normalized in batches where the file is."""

    def __init__(self, name: str, file: onnx.ModelProto) -> None:
        self.model, self.tried = make(name), modules.table[name]
        self.before = {key: value.detach().clone() for key, value in self.model.named_parameters()}
        self.counts: dict[nn.Module, int] = {}
        if any(node.op_type == "BatchNormalization" for node in file.graph.node):
            for layer in self.model.modules():
                if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                    layer.train()
                    layer.register_forward_hook(lambda layer, given, _: self.counts.update({layer: given[0].numel() // given[0].shape[1]}))

    def loss(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return output if self.tried.loss else F.mse_loss(output, target)

    def train(self, inputs: list[torch.Tensor], target: torch.Tensor) -> list[float]:
        optimizer = torch.optim.SGD(self.model.parameters(), lr=RATE)
        losses = []
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss = self.loss(self.model(*inputs), target)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        self.population()
        self.model.eval()
        return losses

    def population(self) -> None:
        """Running variances as ONNX has them, of the population; PyTorch's are of a sample."""
        for layer, count in self.counts.items():
            kept = (1 - layer.momentum) ** STEPS
            layer.running_var.copy_(kept + (layer.running_var - kept) * (count - 1) / count)


def apart(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The largest difference, relative to the largest entry."""
    if ours.shape != theirs.shape:
        return float("inf")
    return float(np.abs(ours - theirs).max(initial=0) / max(np.abs(theirs).max(initial=0), 1e-3))


def judge(identity: str, answer: dict, tensors: dict[str, np.ndarray], folder: Path) -> list[str]:
    """What is wrong with one training."""
    name = identity.rsplit(".", 1)[0]
    tried, file = modules.table[name], onnx.load(folder / f"{identity}.onnx", load_external_data=False)
    reference = Reference(name, file)
    inputs, probe = draw(tried, EXAMPLES, 2), draw(tried, 5, 3)
    target = torch.from_numpy(tensors[f"{identity}.target"])
    problems = []
    if not tried.loss:
        reference.model.eval()
        with torch.no_grad():
            off = apart(tensors[f"{identity}.fresh"], reference.model(*probe).numpy())
        if not off <= LIMIT:
            problems.append(f"predicts what PyTorch does not before training, by {off:.1e}")
        reference = Reference(name, file)
    losses = reference.train(inputs, target)
    off = apart(np.array(answer["losses"]), np.array(losses))
    if not off <= LIMIT:
        problems.append(f"losses {answer['losses']} where PyTorch's are {losses}")
    if not tried.loss:
        with torch.no_grad():
            off = apart(tensors[f"{identity}.trained"], reference.model(*probe).numpy())
        if not off <= LIMIT:
            problems.append(f"predicts what PyTorch does not after training, by {off:.1e}")
    return problems + judge_weights(identity, answer, tensors, reference)


def judge_weights(identity: str, answer: dict, tensors: dict[str, np.ndarray], reference: Reference) -> list[str]:
    """Weights are found again by their values before training, in whatever order the exporter laid them."""
    problems = []
    theirs = {key: value.detach().numpy() for key, value in reference.model.named_parameters()}
    moved = {key: value for key, value in theirs.items() if reference.model.get_parameter(key).grad is not None}
    wanted, found = sum(value.size for value in moved.values()), answer["parameters"]
    if wanted != found:
        problems.append(f"trains {found} numbers where PyTorch trains {wanted}: {answer['names']}")
    for ours in answer["names"]:
        before, after = tensors[f"{identity}.before.{ours}"], tensors[f"{identity}.after.{ours}"]
        for key, old in reference.before.items():
            if key in moved and old.numel() == before.size > 1 and np.array_equal(np.sort(old.numpy(), None), np.sort(before, None)):
                if np.unique(before).size > 1 or len(ours.split(".")) > 1 and ours == key:
                    off = apart(np.sort(after, None), np.sort(theirs[key], None))
                    if not off <= LIMIT:
                        problems.append(f"{ours} differs from {key} by {off:.1e}")
    return problems


def main() -> int:
    started = time.monotonic()
    torch.set_num_threads(1)
    engine = Engine()
    folder = Path(os.environ.get("EXPORTED", engine.folder)).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    identities = chosen()
    # The slow exports first, so that neither process is left alone with one.
    ordered = sorted(identities, key=lambda identity: identity.endswith(".script"))
    with ProcessPoolExecutor(2) as pool:
        failures = dict(zip(ordered, pool.map(export, ordered, [str(folder)] * len(ordered), chunksize=1)))
    exported = time.monotonic() - started
    asked, tensors = [], {}
    for identity in identities:
        if failures[identity]:
            continue
        name = identity.rsplit(".", 1)[0]
        tried = modules.table[name]
        inputs = draw(tried, EXAMPLES, 2)
        with torch.no_grad():
            output = make(name)(*inputs)
        target = inputs.pop() if tried.loss else torch.randn(output.shape, generator=torch.Generator().manual_seed(4))
        tensors[f"{identity}.target"] = target.numpy()
        for index, value in enumerate(inputs):
            tensors[f"{identity}.in{index}"] = value.numpy()
        if not tried.loss:
            for index, value in enumerate(draw(tried, 5, 3)):
                tensors[f"{identity}.probe{index}"] = value.numpy()
        asked.append({"id": identity, "file": str(folder / f"{identity}.onnx"), "inputs": len(inputs), "loss": tried.loss})
    answers, results = engine.ask("modules", {"models": asked, "steps": STEPS, "rate": RATE}, tensors)
    results |= {name: value for name, value in tensors.items() if name.endswith(".target")}
    counts = {exporter: {"trained": 0, "refused": 0, "wrong": 0, "known": 0, "not exported": 0} for exporter in EXPORTERS}
    wrong = []
    for identity in identities:
        exporter = identity.rsplit(".", 1)[1]
        if failures[identity]:
            counts[exporter]["not exported"] += 1
            print(f"  {identity}: PyTorch does not export it: {failures[identity]}")
        elif answers[identity]["error"]:
            counts[exporter]["refused"] += 1
            print(f"  {identity}: refused: {answers[identity]['error']}")
        else:
            problems = judge(identity, answers[identity], results, folder)
            if identity in KNOWN:
                counts[exporter]["known"] += 1
                print(f"  {identity}: known to differ: {KNOWN[identity]}")
                if not problems:
                    wrong.append(f"{identity}: agrees; take it out of KNOWN")
                continue
            counts[exporter]["wrong" if problems else "trained"] += 1
            wrong += [f"{identity}: {problem}" for problem in problems]
    for exporter, count in counts.items():
        print(f"modules, {exporter}: " + ", ".join(f"{number} {what}" for what, number in count.items()))
    print(f"modules: {len(identities)} files, exported in {exported:.0f} s, {time.monotonic() - started:.0f} s in all")
    for problem in wrong:
        problem = problem[:200]
        print(f"  MISMATCH {problem}", file=sys.stderr)
    return 1 if wrong or not identities else 0


if __name__ == "__main__":
    sys.exit(main())
