"""Classifiers of sequences: LSTM and GRU, in one and both directions, one and two layers."""

from collections.abc import Callable

import torch
from torch import nn

from entry import Input, Torch, Width, ids


class Tagged(nn.Module):
    """Embedding, recurrent layers, and a classifier of the last step or of the mean."""

    def __init__(self, cell: type[nn.RNNBase], hidden: int, reader: str, **options) -> None:
        super().__init__()
        self.embedding = nn.Embedding(37, 10)
        self.cell = cell(10, hidden, batch_first=True, **options)
        self.head = nn.Linear(hidden * (2 if options.get("bidirectional") else 1), 5)
        self.reader = reader

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        steps, _ = self.cell(self.embedding(tokens))
        return self.head(steps[:, -1] if self.reader == "last" else steps.mean(dim=1))


class Regressor(nn.Module):
    """An LSTM over features, time first, that hands its final hidden state to an MLP."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTM(6, 13)
        self.inner = nn.Linear(13, 21)
        self.head = nn.Linear(21, 2)

    def forward(self, series: torch.Tensor) -> torch.Tensor:
        _, (state, _) = self.cell(series)
        return self.head(torch.relu(self.inner(state[-1])))


def tagged(name: str, hidden: int, make: Callable[[], nn.Module], layers: tuple[Width, ...] = ()) -> Torch:
    """A classifier of sequences; its head reads the last layer's hidden state on axis 1."""
    embedding = Width("embedding", "neuron", 10, "embedding.weight", 1)
    state = Width("hidden state that the head reads", "state", hidden, "head.weight", 1)
    return Torch(name, make, (ids("tokens", 36),), (embedding, state, *layers))


ENTRIES = [
    tagged("lstm", 14, lambda: Tagged(nn.LSTM, 14, "last")),
    tagged("gru", 13, lambda: Tagged(nn.GRU, 13, "last")),
    tagged("lstm-both", 11, lambda: Tagged(nn.LSTM, 11, "mean", bidirectional=True)),
    tagged("gru-both", 9, lambda: Tagged(nn.GRU, 9, "mean", bidirectional=True)),
    tagged(
        "lstm-stacked",
        12,
        lambda: Tagged(nn.LSTM, 12, "last", num_layers=2),
        (Width("hidden state of the first layer", "state", 12, "cell.weight_ih_l0"),),
    ),
    tagged(
        "gru-stacked-both",
        8,
        lambda: Tagged(nn.GRU, 8, "mean", bidirectional=True, num_layers=2),
        (Width("hidden state of the first layer, both directions", "state", 8, "cell.weight_ih_l0"),),
    ),
    Torch(
        "lstm-regressor",
        Regressor,
        (Input("series", ("sequence", "batch", 6)),),
        (
            Width("final hidden state", "state", 13, "inner.weight", 1),
            Width("inner width", "neuron", 21, "inner.weight", 0),
        ),
    ),
]
