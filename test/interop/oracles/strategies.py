"""Strategies and scores against their formulas: what widening.py makes of docs/theory.md and the papers, in float64.

espalier runs the network in float32: sums of some 100 examples' gradients are off by some 1e-7 of their size, squares by twice
that, and what is solved with damped moments (condition number below 10·n + 1) by a few times more. Hence 2e-5 for values
(gains, lengths); some 1e-6 is what is seen. A singular vector turns by the error over the gap to its neighbor: 1e-4 for
directions, compared as products (signs cancel), where the next value is at least 5 % smaller. Picks must be the
reference's wherever its promises are further apart than 2e-5. What is copied must be equal.
"""

import os
import sys
import time

import numpy as np

import widening
from engine import Engine
from models import FLATTEN, activation, average_pool, classified, conv, linear, max_pool, mlp, regressed
from widening import Site

SEED = int(os.environ.get("SEED", "20260"))
VALUES, DIRECTIONS, GAP = 2e-5, 1e-4, 0.05
COUNT, DRAWN, BATCH = 90, 128, 40
#: Amplitudes of TINY's line search (src/growth/strategies/tiny.ts).
AMPLITUDES = [4, 2, 1, 0.5, 0.25, 0.125, 0.0625, 0.03125, 2**-7, 2**-10]


def cnn(name: str, pool=average_pool, stride: int = 1, padding: int = 1) -> list[dict]:
    """conv → conv and conv → flatten → linear, for images of [2, 6, 6]."""
    first = conv(3, stride=stride, padding=padding)
    second = conv(4, kernel=2, padding=0)
    pooled = [pool(2)] if stride == 1 else []
    return [first, activation(name), *pooled, second, activation(name), FLATTEN, linear(3)]


def pooled_head(name: str, pool=average_pool) -> list[dict]:
    """conv → pool → flatten → linear → linear, for images of [2, 6, 6]."""
    return [conv(4), activation(name), pool(2), FLATTEN, linear(5), activation(name), linear(3)]


FLAT, IMAGE = [7], [2, 6, 6]
#: Name, input, layers, width, the layer that reads it, loss, and whether the reference has a slope at zero for all of it.
plans = [
    *(
        (f"mlp-{name}-{loss}", FLAT, mlp([6, 5, 3], name), width, reader, loss, True)
        for name in ("relu", "tanh")
        for loss in ("crossEntropy", "meanSquaredError")
        for width, reader in (("hidden1", "hidden2"), ("hidden2", "output"))
    ),
    ("mlp-no-bias", FLAT, mlp([6, 3], "tanh", bias=False), "hidden1", "output", "crossEntropy", True),
    *(
        (f"{label}-{name}", IMAGE, make(name), width, reader, "crossEntropy", True)
        for name in ("relu", "tanh")
        for label, make, width, reader in (
            ("conv-conv", cnn, "conv1", "conv2"),
            ("conv-strided", lambda name: cnn(name, stride=2, padding=0), "conv1", "conv2"),
            ("conv-flatten", cnn, "conv2", "output"),
            ("conv-pool-linear", pooled_head, "conv1", "hidden1"),
            ("linear-after-conv", pooled_head, "hidden1", "output"),
        )
    ),
    # A maximum of zeros is ambiguous, so units that are zero have no gradient to agree on.
    *(
        (f"conv-max-{name}", IMAGE, pooled_head(name, max_pool), "conv1", "hidden1", "crossEntropy", False)
        for name in ("relu", "tanh")
    ),
]


def weights_of(dims: list[int], layers: list[dict], seed: int) -> dict[str, np.ndarray]:
    """Weights of the size that training gives, biases that are not zero."""
    random = np.random.default_rng(seed)
    model = widening.models.build(dims, layers)
    return {
        name: (random.standard_normal(value.shape) * (0.2 if value.dim() == 1 else value[0].numel() ** -0.5)).astype(
            np.float32
        )
        for name, value in model.state_dict().items()
    }


class Verdicts:
    """What was compared, by kind: how often, the largest difference, and what was too far off."""

    def __init__(self) -> None:
        self.worst: dict[str, tuple[int, float]] = {}
        self.problems: list[str] = []

    def near(self, kind: str, identity: str, ours, theirs, allowed: float) -> None:
        ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
        if ours.shape != theirs.shape:
            self.problems.append(f"{kind} of {identity}: shape {ours.shape}, not {theirs.shape}")
            return
        scale = np.linalg.norm(theirs)
        off = float(np.linalg.norm(ours - theirs) / scale) if scale > 0 else float(np.linalg.norm(ours))
        count, most = self.worst.get(kind, (0, 0.0))
        self.worst[kind] = (count + 1, max(most, off))
        if not off <= allowed:
            self.problems.append(f"{kind} of {identity}: off by {off:.1e}")

    def holds(self, kind: str, identity: str, truth: bool, why: str = "") -> None:
        count, most = self.worst.get(kind, (0, 0.0))
        self.worst[kind] = (count + 1, most)
        if not truth:
            self.problems.append(f"{kind} of {identity}: does not hold {why}")


def sorted_gains(values: np.ndarray, units: int) -> np.ndarray:
    return np.sort(values)[::-1][:units]


def separated(values: np.ndarray, by: int) -> bool:
    return by >= len(values) or values[by] <= (1 - GAP) * values[by - 1]


def check_candidates(see: Verdicts, identity: str, site: Site, answered: dict, drawn, grown, by: int) -> None:
    promise = widening.promises(site, drawn)
    picks = answered["growths"]["candidates"]["picks"]
    chosen, left = promise[picks], np.delete(promise, picks)
    see.holds("candidates: picks", identity, len(set(picks)) == by)
    see.holds("candidates: the best", identity, chosen.min() >= left.max() * (1 - VALUES))
    see.holds("candidates: best first", identity, bool(np.all(np.diff(chosen) <= VALUES * chosen[:-1])))
    see.holds(
        "candidates: drawn weights",
        identity,
        np.array_equal(site.incoming(grown)[site.units :], site.incoming(drawn)[site.units :][picks]),
    )
    score = answered["scores"]["candidates"]
    see.near("score candidates", identity, score["gains"], sorted_gains(promise, len(score["gains"])), VALUES)
    see.holds("score candidates: number", identity, len(score["gains"]) == 5)


def check_directions(see: Verdicts, identity: str, site: Site, answered: dict, results: dict, by: int) -> None:
    expected = widening.gradmax(site)
    gains = answered["scores"]["gradmax"]["gains"]
    see.near("score gradmax", identity, gains, expected.values[: len(gains)], VALUES)
    refused = answered["growths"]["gradmax"].get("refused")
    if "relu" in identity:
        see.holds("gradmax: refused under relu", identity, refused is not None and "slope 0" in refused)
    elif separated(expected.values, by):
        see.holds("gradmax: grows", identity, refused is None, str(refused))
        ours = site.outgoing(results["gradmax"], site.units + by)[site.units :]
        theirs = expected.outgoing[:by]
        see.near("gradmax: directions", identity, ours.T @ ours, theirs.T @ theirs, DIRECTIONS)
        lengths = np.linalg.norm(theirs, axis=1)
        see.near("gradmax: lengths", identity, np.linalg.norm(ours, axis=1), lengths, VALUES)
        see.holds("gradmax: zero in", identity, not site.incoming(results["gradmax"])[site.units :].any())
    expected = widening.tiny(site)
    gains = answered["scores"]["tiny"]["gains"]
    see.near("score tiny", identity, gains, expected.values[: len(gains)], VALUES)
    if "refused" in answered["growths"]["tiny"]:
        see.holds("tiny: grows", identity, False, answered["growths"]["tiny"]["refused"])
    elif separated(expected.values, by):
        grown = results["tiny"]
        A, omega = site.incoming(grown)[site.units :], site.outgoing(grown, site.units + by)[site.units :]
        product = expected.outgoing[:by].T @ expected.incoming[:by]
        # A·Ω is its amplitude times that of the formula; signs cancel.
        amplitude = float(np.sum((omega.T @ A) * product) / np.sum(product**2))
        see.near("tiny: A and Ω", identity, omega.T @ A, amplitude * product, DIRECTIONS)
        sides = np.linalg.norm(A, axis=1), np.linalg.norm(omega, axis=1)
        lengths = [np.sqrt(amplitude) * np.linalg.norm(side[:by], axis=1) for side in (expected.incoming, expected.outgoing)]
        see.near("tiny: lengths", identity, sides, lengths, DIRECTIONS)
        nearest = min(AMPLITUDES, key=lambda one: abs(np.log(one / max(amplitude, 1e-30))))
        see.near("tiny: amplitude", identity, amplitude, nearest, DIRECTIONS)
        # With the chosen signs: an activation need not be odd.
        roots = {one: np.sqrt(one / nearest) for one in AMPLITUDES}
        loss_at = {one: site.mean_loss(site.with_units(root * A, root * omega)) for one, root in roots.items()}
        see.holds("tiny: best amplitude", identity, loss_at[nearest] <= min(loss_at.values()) * (1 + 1e-6), str(loss_at))


def check_fills(see: Verdicts, identity: str, site: Site, results: dict) -> None:
    """The strategies that need no data, by what they promise of their draws; means and deviations of ≥ 5 σ are wrong."""
    old = site.units
    old_in, old_out = site.incoming(site.weights), site.outgoing(site.weights, old)
    bias = f"{site.maker}.bias"
    size = float(np.sqrt(np.mean(old_out.astype(np.float64) ** 2)))

    def sides(strategy: str):
        grown = results[strategy]
        return site.incoming(grown), site.outgoing(grown, len(grown[f"{site.maker}.weight"])), grown.get(bias)

    def drawn_like(kind: str, values: np.ndarray, mean: float, deviation: float, fourth: float) -> None:
        """Mean and variance within 5 standard errors; `fourth` is the kurtosis of the distribution."""
        count = values.size
        see.holds(f"{kind}: mean", identity, abs(values.mean() - mean) < 5 * deviation / np.sqrt(count))
        error = 5 * np.sqrt((fourth - 1) / count)
        see.holds(f"{kind}: variance", identity, abs(values.var() / deviation**2 - 1) < error)

    # zeroIn is refused where the activation is flat at zero.
    for strategy in ("random", "uniform", "paired", *(["zeroIn"] if results["zeroIn"] else [])):
        made, out, shift = sides(strategy)
        new_in, new_out = made[old:].astype(np.float64), out[old:].astype(np.float64)
        see.holds(f"{strategy}: old weights", identity, np.array_equal(made[:old], old_in) and np.array_equal(out[:old], old_out))
        see.holds(f"{strategy}: zero bias", identity, shift is None or not shift[old:].any())
        if strategy == "random":
            drawn_like("random: incoming", new_in, 0, np.sqrt(2 / new_in.shape[1]), 3)
        if strategy == "uniform":
            see.holds("uniform: range", identity, new_in.min() >= 0 and new_in.max() < 1)
            drawn_like("uniform: incoming", new_in, 0.5, np.sqrt(1 / 12), 1.8)
        if strategy in ("random", "uniform"):
            see.holds(f"{strategy}: zero out", identity, not new_out.any())
        if strategy == "zeroIn":
            see.holds("zeroIn: zero in", identity, not new_in.any())
            drawn_like("zeroIn: outgoing", new_out, 0, size, 3)
        if strategy == "paired":
            see.holds("paired: equal in", identity, np.array_equal(new_in[::2], new_in[1::2]))
            see.holds("paired: opposite out", identity, np.array_equal(new_out[::2], -new_out[1::2]))
            see.holds("paired: not zero", identity, new_out.any())
            drawn_like("paired: incoming", new_in[::2], 0, np.sqrt(2 / new_in.shape[1]), 3)
            drawn_like("paired: outgoing", new_out[::2], 0, size, 3)
            see.holds("paired: pairs differ", identity, len(np.unique(new_in, axis=0)) == len(new_in) // 2)

    for strategy in ("net2wider", "net2widerNoisy", "vectorSplit"):
        made, out, shift = sides(strategy)
        made, out = made.astype(np.float64), out.astype(np.float64)
        # The old unit that each is nearest to: noise is 1 %.
        apart = np.linalg.norm(made[:, None] - old_in[None], axis=2)
        source = apart.argmin(1)
        see.holds(f"{strategy}: old incoming", identity, np.array_equal(made[:old], old_in))
        if shift is not None:
            see.holds(f"{strategy}: bias", identity, np.array_equal(shift, site.weights[bias][source]))
        many = np.bincount(source, minlength=old)
        if strategy == "net2widerNoisy":
            noise = (made - old_in[source])[old:]
            drawn_like("net2widerNoisy: noise", noise, 0, 0.01 * float(np.sqrt(np.mean(old_in.astype(np.float64) ** 2))), 3)
        else:
            see.holds(f"{strategy}: copies", identity, np.array_equal(made, old_in[source]))
        if strategy == "vectorSplit":
            see.holds("vectorSplit: in turn", identity, np.array_equal(source, np.arange(len(made)) % old))
            sums = np.stack([out[source == unit].sum(0) for unit in range(old)])
            # Only the old unit's share is rounded, once for each copy.
            see.near("vectorSplit: ΣR = old", identity, sums, old_out, 2**-23 * many.max())
            see.holds("vectorSplit: shares differ", identity, len(np.unique(out, axis=0)) == len(out))
            # Of the power of two that is next to the size of the old weights.
            drawn_like("vectorSplit: shares", out[old:] / 2 ** round(float(np.log2(size))), 0, 1, 3)
        else:
            see.near(f"{strategy}: divided", identity, out, old_out[source] / many[source, None], 2**-23)
            see.holds(f"{strategy}: any unit is copied", identity, bool(np.all(many > 1)))


def main() -> int:
    started = time.monotonic()
    requests, tensors, sites = [], {}, {}
    for number, (label, dims, layers, width, reader, loss, slope) in enumerate(plans):
        identity = f"{label}/{width}"
        weights = weights_of(dims, layers, SEED + number)
        outputs = layers[-1]["units"]
        data = (
            classified(SEED + number, COUNT, dims, outputs)
            if loss == "crossEntropy"
            else regressed(SEED + number, COUNT, dims, outputs)
        )
        site = Site({"input": dims, "layers": layers}, weights, data, loss, width, reader)
        by = {"gradmax": 2, "tiny": 2, "candidates": 4}
        drawn = dict.fromkeys(("random", "uniform", "zeroIn", "paired"), 400)
        copied = dict.fromkeys(("net2wider", "net2widerNoisy", "vectorSplit"), 60)
        wanted = {**drawn, **copied, **by} if slope else {"candidates": 4}
        scores = ["candidates", "senn", *(["gradmax", "tiny"] if slope else [])]
        requests.append(
            {
                "id": identity,
                "model": {"input": dims, "layers": layers, "seed": number},
                "loss": loss,
                "width": width,
                "seed": SEED + number,
                "batchSize": BATCH,
                "drawn": DRAWN,
                "growths": [{"strategy": strategy, "by": count} for strategy, count in wanted.items()],
                "scores": [{"method": method, "units": 5} for method in scores],
            }
        )
        tensors |= {f"{identity}.{name}": array for name, array in data.items()}
        tensors |= {f"{identity}.weights.{name}": array for name, array in weights.items()}
        sites[identity] = site
    answered, results = Engine().ask("strategies", requests, tensors)
    see = Verdicts()
    for asked in requests:
        identity, site, answer = asked["id"], sites[asked["id"]], answered[asked["id"]]
        grown = {
            kind: {
                name.removeprefix(f"{identity}.{kind}."): array
                for name, array in results.items()
                if name.startswith(f"{identity}.{kind}.")
            }
            for kind in ("drawn", *(growth["strategy"] for growth in asked["growths"]))
        }
        check_candidates(see, identity, site, answer, grown["drawn"], grown["candidates"], 4)
        natural = answer["scores"]["senn"]["gains"]
        theirs = sorted_gains(widening.natural_gains(site, grown["drawn"]), 5)
        see.near("score senn", identity, natural, theirs, VALUES)
        if "gradmax" in grown:
            check_directions(see, identity, site, answer, grown, 2)
            if "relu" in identity:
                see.holds("zeroIn: refused under relu", identity, "slope 0" in answer["growths"]["zeroIn"].get("refused", ""))
            check_fills(see, identity, site, grown)
    for kind, (count, off) in see.worst.items():
        print(f"  {kind:32} {count:3} compared, off by {off:.1e} at most")
    print(f"strategies: seed {SEED}, {len(requests)} widths, {time.monotonic() - started:.0f} s")
    for problem in see.problems:
        print(f"  MISMATCH {problem}", file=sys.stderr)
    return 1 if see.problems else 0


sys.exit(main())
