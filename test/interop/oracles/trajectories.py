"""Whole training runs against PyTorch: same weights at the start, same batches, 50 steps.

Two figures a run, each of which must stay below 1e-4: the largest relative difference of a step's loss, and the
largest ‖ours - theirs‖ / ‖theirs‖ of a parameter at the end. PyTorch runs in float32, as espalier does; its own
distance to the same run in float64 is printed beside, since nothing computed in float32 can be closer than that.
"""

import math
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

import models
from engine import Engine
from models import BATCH_NORM, FLATTEN, GLOBAL_AVERAGE_POOL, activation, conv, linear, mlp, small_cnn

SEED = int(os.environ.get("SEED", "20260"))
STEPS = 50
TOLERANCE = 1e-4

losses = {
    "crossEntropy": lambda output, y: F.cross_entropy(output, y.long()),
    "binaryCrossEntropy": F.binary_cross_entropy_with_logits,
    "meanSquaredError": F.mse_loss,
}

COSINE = {"kind": "cosine", "rate": 0.03, "warmup": 10, "steps": 45, "final": 0.001}
STEPWISE = {"kind": "step", "rate": 0.05, "every": 15, "factor": 0.3}

optimizers = {
    "sgd": ("sgd", {}, 0.05),
    "momentum": ("sgd", {"momentum": 0.9}, 0.02),
    "nesterov": ("sgd", {"momentum": 0.9, "nesterov": True, "weightDecay": 1e-2}, 0.02),
    "adam": ("adam", {}, 3e-3),
    "adam-l2": ("adam", {"weightDecay": 1e-2, "beta1": 0.8, "beta2": 0.99, "epsilon": 1e-6}, 3e-3),
    "adamw": ("adamw", {"weightDecay": 0.1}, 3e-3),
    "sgd-cosine": ("sgd", {"momentum": 0.9}, COSINE),
    "sgd-steps": ("sgd", {}, STEPWISE),
    "adamw-cosine": ("adamw", {}, {**COSINE, "rate": 5e-3}),
}

MLP, IMAGE = [64], [1, 8, 8]
strided = [
    *[conv(8, stride=2), activation("leakyRelu"), conv(8, groups=4), activation("elu")],
    *[conv(12, kernel=1, padding=0), GLOBAL_AVERAGE_POOL, FLATTEN, linear(10)],
]

#: Model, its input and what it is trained with; the ordinary models with every optimizer.
plans = [
    *(("relu", MLP, mlp([32, 16, 10]), "crossEntropy", name, {}) for name in optimizers),
    *(("cnn", IMAGE, small_cnn(), "crossEntropy", name, {}) for name in optimizers),
    *(
        (name, MLP, mlp([32, 16, 10], name), "crossEntropy", optimizer, {})
        for name in ("tanh", "gelu", "sigmoid", "softplus")
        for optimizer in ("nesterov", "adam", "adamw")
    ),
    *(
        ("norm", MLP, mlp([32, 16, 10], norm=True, bias=False), "crossEntropy", name, {})
        for name in ("nesterov", "adam", "adamw")
    ),
    ("norm-bias", MLP, mlp([32, 16, 10], norm=True), "crossEntropy", "adam", {}),
    *(("cnn-norm", IMAGE, small_cnn(norm=True), "crossEntropy", name, {}) for name in ("momentum", "adam")),
    ("strided", IMAGE, strided, "crossEntropy", "adam", {}),
    ("regression", [20], mlp([24, 3], "tanh"), "meanSquaredError", "adam", {}),
    ("binary", [20], mlp([24, 4]), "binaryCrossEntropy", "momentum", {}),
    *(("clipped", MLP, mlp([32, 16, 10]), "crossEntropy", name, {"clipNorm": 0.5}) for name in ("momentum", "adam")),
    ("clipped-cnn", IMAGE, small_cnn(), "crossEntropy", "nesterov", {"clipNorm": 0.5}),
    ("clipped-value", MLP, mlp([32, 16, 10]), "crossEntropy", "momentum", {"clipValue": 0.01}),
]


def rate_at(rate, step: int) -> float:
    """Linear warm-up and half a cosine, or steps; the formula, written again."""
    if not isinstance(rate, dict):
        return rate
    if rate["kind"] == "step":
        return rate["rate"] * rate["factor"] ** (step // rate["every"])
    if step < rate["warmup"]:
        return rate["rate"] * (step + 1) / rate["warmup"]
    progress = min(1, (step - rate["warmup"]) / (rate["steps"] - rate["warmup"]))
    return rate["final"] + (rate["rate"] - rate["final"]) * 0.5 * (1 + math.cos(math.pi * progress))


def torch_optimizer(name: str, options: dict, parameters) -> torch.optim.Optimizer:
    decay = {"weight_decay": options["weightDecay"]} if "weightDecay" in options else {}
    if name == "sgd":
        rest = {key: options[key] for key in ("momentum", "nesterov") if key in options}
        return torch.optim.SGD(parameters, lr=1.0, **rest, **decay)
    make = torch.optim.AdamW if name == "adamw" else torch.optim.Adam
    betas = (options.get("beta1", 0.9), options.get("beta2", 0.999))
    return make(parameters, lr=1.0, betas=betas, eps=options.get("epsilon", 1e-8), **decay)


def train(asked: dict, data: dict, weights: dict, order: np.ndarray, dtype: torch.dtype):
    """PyTorch's run. Returns losses by step and weights by name."""
    spec, run = asked["model"], asked["run"]
    model = models.load(models.build(spec["input"], spec["layers"]), weights, dtype).train()
    optimizer = torch_optimizer(run["optimizer"]["name"], run["optimizer"]["options"], model.parameters())
    rate = run["optimizer"]["learningRate"]
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_at(rate, step))
    loss_of = losses[run["loss"]]
    features = torch.from_numpy(data["features"]).to(dtype)
    targets = torch.from_numpy(data["targets"]).to(dtype) if "targets" in data else torch.from_numpy(data["labels"])
    seen, epoch, offset = [], 0, 0
    for _ in range(run["steps"]):
        batch = torch.from_numpy(order[epoch, offset : offset + run["batchSize"]])
        optimizer.zero_grad()
        loss = loss_of(model(features[batch]), targets[batch])
        loss.backward()
        if run["clipValue"] is not None:
            torch.nn.utils.clip_grad_value_(model.parameters(), run["clipValue"])
        if run["clipNorm"] is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), run["clipNorm"])
        optimizer.step()
        schedule.step()
        seen.append(loss.item())
        offset += run["batchSize"]
        if offset >= len(features):
            epoch, offset = epoch + 1, 0
    return np.array(seen), {name: value.double().numpy() for name, value in model.state_dict().items()}


#: A bias before a normalization has a gradient of 0, that is, of rounding noise, which Adam makes steps of, and the
#: running mean follows it: no two implementations agree on those, and neither the losses nor the rest depend on them.
NOISE = {"norm-bias": {"hidden1.bias", "norm1.mean", "hidden2.bias", "norm2.mean"}}


def without_noise(weights: dict, label: str) -> dict:
    return {name: value for name, value in weights.items() if name not in NOISE.get(label, ())}


def distance(ours, theirs) -> tuple[float, float]:
    """Largest relative difference of a loss, and of a parameter by its norm."""
    loss = float(np.max(np.abs(ours[0] - theirs[0]) / np.abs(theirs[0])))
    norms = [
        np.linalg.norm(ours[1][name] - value) / max(np.linalg.norm(value), 1e-30) for name, value in theirs[1].items()
    ]
    return loss, float(max(norms))


def main() -> int:
    started = time.monotonic()
    torch.manual_seed(SEED)
    requests, sets = [], {}
    for number, (label, dims, layers, loss, optimizer, clipping) in enumerate(plans):
        name, options, rate = optimizers[optimizer]
        # 150 examples in batches of 32: the last batch of an epoch is smaller.
        if loss == "crossEntropy":
            data = models.classified(SEED + number, 150, dims)
        else:
            data = models.regressed(SEED + number, 150, dims, layers[-1]["units"], loss == "binaryCrossEntropy")
        run = {
            "loss": loss,
            "optimizer": {"name": name, "options": options, "learningRate": rate},
            "batchSize": 32,
            "seed": number,
            "steps": STEPS,
            "clipNorm": clipping.get("clipNorm"),
            "clipValue": clipping.get("clipValue"),
        }
        for update in ("kernel", "graph"):
            identity = f"{label}/{optimizer}/{update}"
            model = {"input": dims, "layers": layers, "seed": SEED + number}
            requests.append({"id": identity, "model": model, "run": {**run, "update": update}})
            sets[identity] = data
    tensors = {f"{identity}.{name}": array for identity, data in sets.items() for name, array in data.items()}
    engine = Engine()
    answered, results = engine.ask("trajectories", requests, tensors)
    worst, problems = [0.0, 0.0], []
    for asked in requests:
        identity = asked["id"]
        part = lambda prefix: {
            name.removeprefix(f"{identity}.{prefix}."): array
            for name, array in results.items()
            if name.startswith(f"{identity}.{prefix}.")
        }
        weights, order = part("before"), results[f"{identity}.order"]
        theirs = train(asked, sets[identity], weights, order, torch.float32)
        exact = train(asked, sets[identity], weights, order, torch.float64)
        ours = (np.array(answered[identity]), part("after"))
        label = identity.split("/")[0]
        ours, theirs, exact = [(losses, without_noise(named, label)) for losses, named in (ours, theirs, exact)]
        weights = without_noise(weights, label)
        off, floor = distance(ours, theirs), distance(theirs, exact)
        moved = distance((theirs[0], {name: weights[name] for name in theirs[1]}), theirs)[1]
        first, last = ours[0][0], ours[0][-5:].mean()
        agrees = max(off) <= TOLERANCE
        print(
            f"  {identity:32} loss {first:.3f} -> {last:.3f}; off by {off[0]:.1e} (loss), {off[1]:.1e} (weights); "
            f"float32 against float64 {floor[0]:.1e}, {floor[1]:.1e}{'' if agrees else '  MISMATCH'}"
        )
        if not agrees:
            problems.append(identity)
        if not moved > 100 * TOLERANCE:
            problems.append(f"{identity}: its weights did not move, so it shows nothing")
        worst = [max(pair) for pair in zip(worst, off)]
    seconds = time.monotonic() - started
    print(f"trajectories: seed {SEED}, {len(requests)} runs of {STEPS} steps, {seconds:.0f} s")
    print(f"trajectories: worst {worst[0]:.1e} (loss), {worst[1]:.1e} (weights), allowed {TOLERANCE:.0e}")
    for problem in problems:
        print(f"  MISMATCH {problem}", file=sys.stderr)
    return 1 if problems else 0


sys.exit(main())
