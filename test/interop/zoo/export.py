"""A PyTorch model as an ONNX file, by either exporter, its weights settled first."""

import contextlib
import io
import logging
import os
import warnings
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

from entry import DYNAMO, SIZES, Input, Torch
from inputs import draw


def prepare(entry: Torch) -> nn.Module:
    """The model in evaluation mode, seeded by its name so that an entry does not depend on those before it."""
    torch.manual_seed(sum(entry.name.encode()))
    torch.backends.mha.set_fastpath_enabled(False)
    model = entry.make().eval()
    if not entry.fresh:
        settle(model)
    return model


def settle(model: nn.Module) -> None:
    """Moves every tensor off its initial value: as in a trained model, no two are alike.

    Both exporters store tensors of equal values once, so that an untrained model's zero biases are all one initializer,
    and so are the layers of nn.TransformerEncoder, which begin as copies. Convolutions get Kaiming's variance, without
    which a deep network's output hardly depends on its input.
    """
    with torch.no_grad():
        for parameter in model.parameters():
            flat = parameter.dim() < 2 or parameter.std() == 0
            parameter += (0.2 if flat else 0.1 * parameter.std()) * torch.randn_like(parameter)
            if parameter.dim() == 4:
                parameter *= (2 / parameter[0].numel()) ** 0.5 / parameter.std()
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer += 0.2 * torch.randn_like(buffer)
            if name.endswith("running_var"):
                buffer *= 0.5 + torch.rand_like(buffer)


def example(inputs: tuple[Input, ...]) -> tuple[torch.Tensor, ...]:
    sizes = {symbol: values[0] for symbol, values in SIZES.items()}
    arrays = draw([asdict(spec) for spec in inputs], sizes, seed=0)
    return tuple(torch.from_numpy(array) for array in arrays.values())


def symbols(spec: Input) -> dict[int, str]:
    return {axis: size for axis, size in enumerate(spec.shape) if isinstance(size, str)}


def export(entry: Torch, model: nn.Module, exporter: str, path: Path) -> None:
    """Writes the model to `path`; discards the exporters' output and passes on their exceptions."""
    names = {"input_names": [spec.name for spec in entry.inputs], "output_names": ["y"]}
    with quiet():
        if exporter == DYNAMO:
            forget()
            shapes = [{axis: torch.export.Dim(size) for axis, size in symbols(spec).items()} for spec in entry.inputs]
            shapes = [tuple(shapes)] if entry.variadic else shapes
            options = {"dynamo": True, "dynamic_shapes": tuple(shapes), "verbose": False}
            torch.onnx.export(model, example(entry.inputs), **options, **names).save(path)
        else:
            axes = {spec.name: symbols(spec) for spec in entry.inputs} | {"y": dict(enumerate(entry.output))}
            torch.onnx.export(model, example(entry.inputs), path, dynamo=False, dynamic_axes=axes, **names)


def forget() -> None:
    """Clears what the new exporter (PyTorch 2.13) keeps of an LSTM or GRU: it would unroll the next for one length."""
    for operator in (torch.ops.aten.lstm.input, torch.ops.aten.gru.input):
        operator._dispatch_cache.clear()


@contextlib.contextmanager
def quiet():
    """Silences Python's streams and loggers, and what C++ writes to file descriptors 1 and 2."""
    sink = os.open(os.devnull, os.O_WRONLY)
    kept = [os.dup(1), os.dup(2)]
    logging.disable(logging.CRITICAL)
    try:
        for stream in (1, 2):
            os.dup2(sink, stream)
        chatter = io.StringIO()
        with warnings.catch_warnings(), contextlib.redirect_stdout(chatter), contextlib.redirect_stderr(chatter):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
        for stream, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, stream)
            os.close(copy)
        os.close(sink)
