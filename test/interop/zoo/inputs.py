"""Seeded inputs of a model, from the inputs that its entry states."""

import numpy as np


def draw(inputs: list[dict], sizes: dict[str, int], seed: int) -> dict[str, np.ndarray]:
    """One array per input: normal numbers for floats, uniform ones from low to high for integers."""
    random = np.random.default_rng(seed)
    return {spec["name"]: draw_one(spec, sizes, random) for spec in inputs}


def draw_one(spec: dict, sizes: dict[str, int], random: np.random.Generator) -> np.ndarray:
    shape = [sizes[size] if isinstance(size, str) else size for size in spec["shape"]]
    if spec["dtype"].startswith("float"):
        return random.standard_normal(shape).astype(spec["dtype"])
    values = random.integers(spec["low"], spec["high"], shape, endpoint=True).astype(spec["dtype"])
    if spec["first"] is not None:
        values[..., 0] = spec["first"]
    return values
