"""About 200 small modules of PyTorch that the oracle `modules` exports, trains and compares."""

from . import grids, sequences, vectors, weights
from .building import Calls, Tried, table

__all__ = ["Calls", "Tried", "grids", "sequences", "table", "vectors", "weights"]
