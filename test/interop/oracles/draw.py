"""Seeded random shapes, values and choices for the cases of the oracles."""

import numpy as np


class Draw:
    """One case's source of randomness. Tensors are float32 arrays of normal values of about unit size."""

    def __init__(self, seed: int, stream: int, case: int) -> None:
        self._random = np.random.default_rng([seed, stream, case])

    def whole(self, low: int, high: int) -> int:
        """A whole number in [low, high]."""
        return int(self._random.integers(low, high + 1))

    def flag(self) -> bool:
        return bool(self._random.integers(2))

    def one_of(self, *choices):
        return choices[int(self._random.integers(len(choices)))]

    def real(self, low: float, high: float) -> float:
        """A number that float32 represents, like ONNX attributes."""
        return float(np.float32(self._random.uniform(low, high)))

    def shape(self, least: int = 0, most: int = 4, low: int = 1, high: int = 5) -> list[int]:
        return [self.whole(low, high) for _ in range(self.whole(least, most))]

    def some(self, items: list, least: int = 1) -> list:
        """A subset in order."""
        count = self.whole(least, len(items))
        return [items[at] for at in sorted(self._random.permutation(len(items))[:count])]

    def shuffled(self, items: list) -> list:
        return [items[at] for at in self._random.permutation(len(items))]

    def tensor(self, shape, scale: float = 1.0) -> np.ndarray:
        return np.asarray(scale * self._random.standard_normal(shape), dtype=np.float32)

    def positive(self, shape, low: float = 0.1, high: float = 3.0) -> np.ndarray:
        return np.asarray(self._random.uniform(low, high, shape), dtype=np.float32)

    def away_from_zero(self, shape) -> np.ndarray:
        values = self.tensor(shape)
        return np.asarray(values + np.copysign(np.float32(0.3), values), dtype=np.float32)

    def integers(self, shape, low: int, high: int, dtype=np.int64) -> np.ndarray:
        """Whole numbers in [low, high]."""
        return np.asarray(self._random.integers(low, high + 1, shape), dtype=dtype)

    def flags(self, shape) -> np.ndarray:
        return np.asarray(self._random.integers(0, 2, shape), dtype=bool)

    def broadcasting(self, count: int, most: int = 4) -> list[list[int]]:
        """Shapes that broadcast together."""
        whole = self.shape(0, most)
        return [
            [1 if self._random.random() < 0.25 else size for size in whole][self.whole(0, len(whole)) :]
            if self.flag()
            else list(whole)
            for _ in range(count)
        ]

    def axis(self, rank: int) -> int:
        return self.whole(-rank, rank - 1)
