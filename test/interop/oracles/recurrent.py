"""LSTM, GRU and RNN compared with PyTorch's layers, which order their gates differently."""

import torch

from case import Case, of_int, of_text, operator

#: Where PyTorch keeps each of ONNX's gates: i, o, f, c of LSTM, z, r, n of GRU.
ORDER = {"LSTM": [0, 3, 1, 2], "GRU": [1, 0, 2], "RNN": [0]}
LAYERS = {"LSTM": torch.nn.LSTM, "GRU": torch.nn.GRU, "RNN": torch.nn.RNN}


def reordered(op: str, rows: torch.Tensor) -> torch.Tensor:
    """Gates in PyTorch's order, from ONNX's."""
    blocks = rows.chunk(len(ORDER[op]))
    return torch.cat([blocks[ORDER[op].index(at)] for at in range(len(blocks))])


@operator("LSTM", "GRU", "RNN", cases=40)
def recurrent(draw, name):
    gates = len(ORDER[name])
    steps, batch, size, hidden = draw.whole(1, 5), draw.whole(1, 3), draw.whole(1, 4), draw.whole(1, 4)
    direction = draw.one_of("forward", "reverse", "bidirectional")
    count = 2 if direction == "bidirectional" else 1
    states = 2 if name == "LSTM" else 1
    biased, started = draw.flag(), draw.flag()
    shapes = [[steps, batch, size], [count, gates * hidden, size], [count, gates * hidden, hidden]]
    inputs = [draw.tensor(shape) for shape in shapes]
    inputs.append(draw.tensor([count, 2 * gates * hidden]) if biased else None)
    inputs.append(None)
    inputs += [draw.tensor([count, batch, hidden]) if started else None for _ in range(states)]

    def reference(x, w, r, *rest):
        rest = list(rest)
        bias = rest.pop(0) if biased else None
        layer = LAYERS[name](size, hidden, bias=biased, bidirectional=count == 2)
        weights = {}
        for at, suffix in enumerate(["", "_reverse"][:count]):
            weights[f"weight_ih_l0{suffix}"] = reordered(name, w[at])
            weights[f"weight_hh_l0{suffix}"] = reordered(name, r[at])
            if bias is not None:
                ours, own = bias[at].chunk(2)
                weights[f"bias_ih_l0{suffix}"] = reordered(name, ours)
                weights[f"bias_hh_l0{suffix}"] = reordered(name, own)
        state = (rest[0] if states == 1 else tuple(rest)) if started else None
        turned = x.flip(0) if direction == "reverse" else x
        y, last = torch.func.functional_call(layer, weights, (turned,) if state is None else (turned, state))
        y = y.flip(0) if direction == "reverse" else y
        all_steps = y.reshape(steps, batch, count, hidden).transpose(1, 2)
        return [all_steps, *(last if states == 2 else [last])]

    attributes = {"hidden_size": of_int(hidden), "direction": of_text(direction)}
    if name == "GRU":
        attributes["linear_before_reset"] = of_int(1)
    return Case(inputs, reference, attributes, outputs=1 + states, relative=1e-5, absolute=1e-5)
