"""The zoo's files, built once: in node_modules/.cache/espalier/zoo, in a folder named after what they are made by."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
SOURCES = HERE / "zoo"
CACHE = HERE.parent.parent / "node_modules" / ".cache" / "espalier" / "zoo"


def built() -> tuple[Path, dict]:
    """The folder of the files and its zoo.json; builds them on both cores where they are not there yet."""
    folder = CACHE / digest()
    if not (folder / "zoo.json").exists():
        shutil.rmtree(CACHE, ignore_errors=True)
        build(folder)
    return folder, json.loads((folder / "zoo.json").read_text())


def digest() -> str:
    """Of the Python sources and of the packages that they use."""
    total = hashlib.sha256()
    for path in [HERE / "requirements.txt", *sorted(SOURCES.glob("*.py"))]:
        total.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()[:16]


def build(folder: Path) -> None:
    """Throws where a file cannot be made; the folder appears when it is complete."""
    count = min(2, os.cpu_count() or 1)
    shares = [folder.with_name(f"{folder.name}.{at}") for at in range(count)]
    running = []
    for at, share in enumerate(shares):
        share.mkdir(parents=True)
        command = [sys.executable, SOURCES / "build.py", share, "--share", f"{at}/{count}"]
        with open(share / "log", "w") as log:
            running.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
    failed = [share for share, process in zip(shares, running, strict=True) if process.wait() != 0]
    if failed:
        raise SystemExit("the zoo cannot be built:\n" + "\n".join((share / "log").read_text()[-3000:] for share in failed))
    parts = [json.loads((share / "zoo.json").read_text()) for share in shares]
    whole = {**parts[0], **{key: [row for part in parts for row in part[key]] for key in ("models", "without", "failed")}}
    whole["models"].sort(key=lambda model: model["number"])
    for share in shares[1:]:
        for path in share.glob("*.onnx"):
            path.rename(shares[0] / path.name)
        shutil.rmtree(share)
    (shares[0] / "zoo.json").write_text(json.dumps(whole, indent=1))
    shares[0].rename(folder)
