"""Asks espalier: runs the bundled worker in Node and exchanges files with it in a folder of its own."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file


class Engine:
    """espalier, reached through a folder that both sides read and write."""

    def __init__(self) -> None:
        self.worker = sys.argv[1]
        self._folder = tempfile.TemporaryDirectory(prefix="espalier-interop-")
        self.folder = Path(self._folder.name)

    def ask(self, command: str, asked: object, tensors: dict[str, np.ndarray]):
        """Runs a command of worker/main.ts. Returns its JSON answer and its tensors by name."""
        (self.folder / "asked.json").write_text(json.dumps(asked))
        # The writer writes memory as it is: a transposed array would come out in the wrong order.
        save_file(
            {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in tensors.items()},
            self.folder / "asked.safetensors",
        )
        subprocess.run(["node", self.worker, command, str(self.folder)], check=True, stdin=subprocess.DEVNULL)
        answered = json.loads((self.folder / "answered.json").read_text())
        return answered, load_file(self.folder / "answered.safetensors")
