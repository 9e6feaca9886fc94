"""The zoo's files, built once: in node_modules/.cache/espalier/zoo, in a folder named after what they are made by."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
SOURCES = HERE / "zoo"
CACHE = HERE.parent.parent / "node_modules" / ".cache" / "espalier" / "zoo"
DIGITS = 16


def built() -> tuple[Path, dict]:
    """The folder of the files and its zoo.json; builds them on both cores where they are not there yet."""
    folder = CACHE / digest()
    if not folder.exists():
        for outdated in CACHE.glob("[0-9a-f]" * DIGITS):
            shutil.rmtree(outdated)
        build(folder)
    return folder, json.loads((folder / "zoo.json").read_text())


def digest() -> str:
    """Of the Python sources and of the packages that they use."""
    total = hashlib.sha256()
    for path in [HERE / "requirements.txt", *sorted(SOURCES.glob("*.py"))]:
        total.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()[:DIGITS]


def build(folder: Path) -> None:
    """Throws if a file cannot be made; the folder appears when it is complete."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="making-", dir=CACHE) as place:
        shares = [Path(place) / f"{at}" for at in range(min(2, os.cpu_count() or 1))]
        run(shares)
        merge(shares)
        if not folder.exists():
            shares[0].rename(folder)


def run(shares: list[Path]) -> None:
    """Builds a share of the files into each folder, all at the same time."""
    running = []
    for at, share in enumerate(shares):
        share.mkdir()
        command = [sys.executable, SOURCES / "build.py", share, "--share", f"{at}/{len(shares)}"]
        with open(share / "log", "w") as log:
            running.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
    failed = [share for share, process in zip(shares, running, strict=True) if process.wait() != 0]
    if failed:
        logs = "\n".join((share / "log").read_text()[-3000:] for share in failed)
        raise SystemExit(f"the zoo cannot be built:\n{logs}")


def merge(shares: list[Path]) -> None:
    """Moves all files into the first folder, with one zoo.json in the order of the sources."""
    parts = [json.loads((share / "zoo.json").read_text()) for share in shares]
    lists = ("models", "without", "failed")
    whole = {**parts[0], **{key: [row for part in parts for row in part[key]] for key in lists}}
    whole["models"].sort(key=lambda model: model["number"])
    for share in shares[1:]:
        for path in share.glob("*.onnx"):
            path.rename(shares[0] / path.name)
    (shares[0] / "zoo.json").write_text(json.dumps(whole, indent=1))
