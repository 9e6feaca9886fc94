"""What docs/theory.md and the cited papers say new units of a width should be, in PyTorch and NumPy, in float64.

Letters: n examples, M outputs of the weight that reads the width, h what that weight reads, x what the weight that makes
the width reads, g = n·dL/dy an example's own gradient at the reading weight's output y, A and Ω the weights of new units.
Sums over the positions of a convolution are sums, means are over the examples.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import models

#: Of the mean of the diagonal, added to it (src/growth/plan/matrix.ts states the same and why).
DAMPING = 0.1

loss_sums = {
    "crossEntropy": lambda output, y: F.cross_entropy(output, y.long(), reduction="sum"),
    "meanSquaredError": lambda output, y: F.mse_loss(output, y, reduction="sum") / output.shape[1],
}


@dataclass
class Site:
    """A width of a model: the layers on both sides of it, and how it is trained."""

    spec: dict
    weights: dict[str, np.ndarray]
    data: dict[str, np.ndarray]
    loss: str
    maker: str
    reader: str

    @property
    def units(self) -> int:
        return len(self.weights[f"{self.maker}.weight"])

    @property
    def count(self) -> int:
        return len(self.data["features"])

    def model(self, weights: dict[str, np.ndarray], opened: int | None = None) -> nn.Sequential:
        """The PyTorch model of these weights; units from `opened` on have the slope of the activation's right side at 0."""
        layers, found = [], 0
        for layer in self.spec["layers"]:
            layer = dict(layer)
            if layer["kind"] in ("linear", "conv2d"):
                name = [name for name in weights if name.endswith(".weight")][found]
                layer["units" if layer["kind"] == "linear" else "filters"] = len(weights[name])
                found += 1
            layers.append(layer)
        model = models.load(models.build(self.spec["input"], layers), weights, torch.float64)
        if opened is not None:
            names = list(model._modules)
            after = names[names.index(self.maker) + 1]
            assert after.startswith("activation")
            model._modules[after] = HalfLinear(model._modules[after], opened)
        return model

    def run(self, weights: dict[str, np.ndarray], opened: int | None = None) -> "Pass":
        model = self.model(weights, opened)
        maker, reader = model.get_submodule(self.maker), model.get_submodule(self.reader)
        seen = {}
        maker.register_forward_hook(lambda _, given, out: seen.update(x=given[0]))
        reader.register_forward_hook(lambda _, given, out: (out.retain_grad(), seen.update(h=given[0], y=out))[0])
        output = model(torch.from_numpy(self.data["features"]).double())
        targets = self.data.get("targets")
        target = torch.from_numpy(self.data["labels"]) if targets is None else torch.from_numpy(targets).double()
        return Pass(maker, reader, seen["x"], seen["h"], seen["y"], loss_sums[self.loss](output, target))

    def mean_loss(self, weights: dict[str, np.ndarray]) -> float:
        return self.run(weights).loss.item() / self.count

    def entries(self) -> tuple[int, int]:
        """Outgoing and incoming weights of one unit."""
        out, made = self.weights[f"{self.reader}.weight"], self.weights[f"{self.maker}.weight"]
        return out.size // self.units, made[0].size

    def with_units(self, incoming: np.ndarray, outgoing: np.ndarray, bias: float = 0) -> dict[str, np.ndarray]:
        """The weights with new units beside the old ones: rows of incoming and of outgoing weights, [units, entries]."""
        grown = dict(self.weights)
        made, out = grown[f"{self.maker}.weight"], grown[f"{self.reader}.weight"]
        grown[f"{self.maker}.weight"] = np.concatenate([made, incoming.reshape(-1, *made.shape[1:])])
        if f"{self.maker}.bias" in grown:
            more = np.full(len(incoming), bias, np.float32)
            grown[f"{self.maker}.bias"] = np.concatenate([grown[f"{self.maker}.bias"], more])
        grown[f"{self.reader}.weight"] = np.concatenate([out, from_rows(outgoing, out, self.units)], axis=1)
        return grown

    def outgoing(self, weights: dict[str, np.ndarray], units: int) -> np.ndarray:
        return to_rows(weights[f"{self.reader}.weight"], units)

    def incoming(self, weights: dict[str, np.ndarray]) -> np.ndarray:
        made = weights[f"{self.maker}.weight"]
        return made.reshape(len(made), -1)


@dataclass
class Pass:
    """One forward pass over all examples."""

    maker: nn.Module
    reader: nn.Module
    x: torch.Tensor
    h: torch.Tensor
    y: torch.Tensor
    loss: torch.Tensor


class HalfLinear(nn.Module):
    """An activation that is linear with slope 1 for the units from some unit on: what relu and tanh are right of zero."""

    def __init__(self, inner: nn.Module, first: int) -> None:
        super().__init__()
        self.inner, self.first = inner, first

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.inner(x[:, : self.first]), x[:, self.first :]], 1)


def to_rows(weight: np.ndarray, units: int) -> np.ndarray:
    """A reading weight [M, units·positions, taps...] as [units, entries], a unit's entries in the order M, position, tap."""
    return weight.reshape(len(weight), units, -1).transpose(1, 0, 2).reshape(units, -1)


def from_rows(rows: np.ndarray, like: np.ndarray, units: int) -> np.ndarray:
    """The other way round."""
    wide = rows.reshape(len(rows), len(like), -1).transpose(1, 0, 2)
    return wide.reshape(len(like), len(rows) * like.shape[1] // units, *like.shape[2:]).astype(np.float64)


def read_rows(layer: nn.Module, value: torch.Tensor) -> np.ndarray:
    """What a layer multiplies with its weight, as [n·positions, fan-in]."""
    if isinstance(layer, nn.Linear):
        return value.detach().numpy()
    patches = F.unfold(value.detach(), layer.kernel_size, layer.dilation, layer.padding, layer.stride)
    return patches.transpose(1, 2).reshape(-1, patches.shape[1]).numpy()


def output_rows(value: torch.Tensor) -> np.ndarray:
    """A value of the layer's output as [n·positions, M]."""
    return value.flatten(2).transpose(1, 2).reshape(-1, value.shape[1]).numpy() if value.dim() > 2 else value.numpy()


def damped(moment: np.ndarray) -> np.ndarray:
    return moment + DAMPING * np.trace(moment) / len(moment) * np.eye(len(moment))


def promises(site: Site, drawn: dict[str, np.ndarray]) -> np.ndarray:
    """½‖dL/dΩ‖² / E[h²] of each candidate, Ω = 0, through the true activation."""
    units, old = len(drawn[f"{site.maker}.weight"]), site.units
    at = site.run(drawn)
    at.loss.backward()
    gradient = to_rows(at.reader.weight.grad.numpy() / site.count, units)
    squares = at.h.detach().reshape(site.count, units, -1).square().sum(2).mean(0).numpy()
    norms = np.square(gradient).sum(1)
    return np.divide(0.5 * norms, squares, out=np.zeros(units), where=squares > 0)[old:]


def pull(site: Site, upstream: np.ndarray | None = None) -> np.ndarray:
    """
    E[g xᵀ] (or with `upstream` in the place of g) taken back to new units that are linear: [outgoing, incoming entries].
    By giving each a single outgoing weight of 1, and asking autograd for dL/dA.
    """
    outgoing, incoming = site.entries()
    grown = site.with_units(np.zeros([outgoing, incoming]), np.eye(outgoing))
    at = site.run(grown, opened=site.units)
    if upstream is None:
        at.loss.backward()
    else:
        at.y.backward(torch.from_numpy(upstream).reshape(at.y.shape))
    return at.maker.weight.grad.numpy()[site.units :].reshape(outgoing, incoming) / site.count


def own_gradients(site: Site) -> tuple[Pass, np.ndarray]:
    """Each example's own gradient at the reading layer's output."""
    at = site.run(site.weights)
    at.loss.backward()
    return at, at.y.grad.numpy()


def residual(site: Site) -> tuple[np.ndarray, np.ndarray]:
    """TINY: V = -g - dW·h with dW the damped least-squares fit of -g by h, and E[x xᵀ]."""
    at, g = own_gradients(site)
    h, wanted = read_rows(at.reader, at.h), -output_rows(torch.from_numpy(g))
    change = np.linalg.solve(damped(h.T @ h / site.count), h.T @ wanted / site.count).T
    moved = nn.functional.linear if isinstance(at.reader, nn.Linear) else at.reader._conv_forward
    weight = torch.from_numpy(change).reshape(at.reader.weight.shape)
    left = -torch.from_numpy(g) - moved(at.h.detach(), weight, None)
    x = read_rows(at.maker, at.x)
    return left.numpy(), x.T @ x / site.count


@dataclass
class Expansion:
    """Pairs of incoming and outgoing directions, best first, and the gain of each."""

    incoming: np.ndarray
    outgoing: np.ndarray
    values: np.ndarray


def gradmax(site: Site) -> Expansion:
    """Zero in; out the top left singular vectors of E[g xᵀ], as long as the old units' are on average."""
    left, values, _ = np.linalg.svd(pull(site), full_matrices=False)
    norm = np.linalg.norm(site.outgoing(site.weights, site.units), axis=1).mean()
    return Expansion(np.zeros([len(values), site.entries()[1]]), norm * left.T, values**2)


def tiny(site: Site) -> Expansion:
    """S^(-½)·E[x Vᵀ] = U Σ Wᵀ: incoming S^(-½)·u·√σ, outgoing √σ·w, S by its own eigenvectors."""
    left, moment = residual(site)
    reach = pull(site, left).T
    values, vectors = np.linalg.eigh(damped(moment))
    root = vectors / np.sqrt(values) @ vectors.T
    u, sigma, w = np.linalg.svd(root @ reach, full_matrices=False)
    return Expansion((root @ u * np.sqrt(sigma)).T, (w.T * np.sqrt(sigma)).T, sigma**2)


def natural_gains(site: Site, drawn: dict[str, np.ndarray]) -> np.ndarray:
    """
    SENN: ½(gᵀF⁻¹g with the unit - without it), F = E[h hᵀ] ⊗ E[g gᵀ] inverted as a whole. Factors of a convolution as
    Grosse & Martens (2016) have them: one is summed over positions, the other is their mean. Damped by old and new units
    apart, the new ones by what the old ones do not explain.
    """
    units, old = len(drawn[f"{site.maker}.weight"]), site.units
    at = site.run(drawn)
    at.loss.backward()
    h, g = read_rows(at.reader, at.h), output_rows(at.y.grad)
    width = h.shape[1] // units
    moment, curvature = h.T @ h / site.count, damped(g.T @ g / len(g))
    gradient = g.T @ h / site.count
    known = np.arange(old * width)
    base = moment.copy()
    base[np.ix_(known, known)] = damped(moment[np.ix_(known, known)])

    def score(columns: np.ndarray, factor: np.ndarray) -> float:
        part = gradient[:, columns]
        return float(np.sum(part * (np.linalg.solve(curvature, part) @ np.linalg.inv(factor))))

    before = score(known, base[np.ix_(known, known)])
    gains = []
    for unit in range(old, units):
        own = np.arange(unit * width, (unit + 1) * width)
        both = np.concatenate([known, own])
        factor = base[np.ix_(both, both)].copy()
        inside, across = base[np.ix_(known, known)], base[np.ix_(own, known)]
        rest = moment[np.ix_(own, own)] - across @ np.linalg.solve(inside, across.T)
        # What the old units explain altogether is no new direction.
        if np.trace(rest) <= 1e-6 * np.trace(moment[np.ix_(own, own)]):
            gains.append(0.0)
            continue
        factor[-len(own) :, -len(own) :] += damped(rest) - rest
        gains.append((score(both, factor) - before) / 2)
    return np.array(gains)
