"""The zoo: over a hundred models as people export them. In each, the widths that a person expects are found and grow.

Each width is grown alone, and all together: outputs stay within the rounding bound and within 1e-5 of the largest
entry; a twin with integers for weights, whose sums are all exact, gives the same outputs bit for bit; the grown file
passes onnx's checker, computes the same in Python's ONNX Runtime, keeps names, notes and symbolic axes, and shows the
same widths when it is read again. The negative zoo's widths are refused with the right reason.

ZOO=PATTERN restricts it to files whose names match (fnmatch); ZOO_PAGE=FILE writes the table of it all.
"""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path

import zoo_build
import zoo_known
import zoo_page
from engine import Engine
from zoo_expectations import judge, place_of
from zoo_files import Original
from zoo_page import Row



def main() -> int:
    started = time.monotonic()
    pattern = os.environ.get("ZOO", "*")
    folder, zoo = zoo_build.built()
    models = [model for model in zoo["models"] if fnmatchcase(model["name"], pattern)]
    print(f"zoo: {len(models)} files, ready after {time.monotonic() - started:.0f} s", flush=True)
    engines = [Engine() for _ in range(2)]
    answers = ask(engines, folder, models)
    print(f"zoo: grown after {time.monotonic() - started:.0f} s", flush=True)
    rows = [examine(model, answers[model["name"]], folder) for model in models]
    problems = [f"{row.name}: {problem}" for row in rows for problem in row.problems]
    if pattern == "*":
        problems += [f"the known miss {miss} matches no expectation" for miss in unused(rows)]
    for line in zoo_page.summary(rows):
        print(f"zoo: {line}")
    print(f"zoo: {time.monotonic() - started:.0f} s")
    for problem in problems:
        print(f"  MISMATCH {problem}", file=sys.stderr)
    page = os.environ.get("ZOO_PAGE")
    if page:
        Path(page).write_text(zoo_page.page(rows, zoo["without"]))
    return 1 if problems else 0


def ask(engines: list[Engine], folder: Path, models: list[dict]) -> dict[str, dict]:
    """espalier's answers for each model; every engine handles a share."""

    def share(at: int) -> dict[str, dict]:
        keys = ("name", "file", "runs", "sizes")
        asked = [{key: model[key] for key in keys} for model in models[at :: len(engines)]]
        return engines[at].ask("zoo", {"folder": str(folder), "models": asked}, {})[0]

    with ThreadPoolExecutor(len(engines)) as pool:
        return {name: answer for part in pool.map(share, range(len(engines))) for name, answer in part.items()}


def examine(model: dict, answer: dict, folder: Path) -> Row:
    """Judges one model, and prints a line about it."""
    row = Row(model)
    if answer["error"]:
        row.problems.append(answer["error"])
    else:
        row.answer, row.verdicts = answer, judge(model, answer)
        row.problems += [verdict.complaint for verdict in row.verdicts if verdict.complaint]
        original = Original(folder / model["file"], model)
        for growth in row.growths:
            found = examine_growth(growth, row, original)
            row.problems += [f"growing {growth['width']}: {problem}" for problem in found]
    print(f"  {row.line}", flush=True)
    return row


def examine_growth(growth: dict, row: Row, original: Original) -> list[str]:
    """What is wrong with one growth."""
    if growth["error"]:
        return [growth["error"]]
    in_file = original.file_problems(growth["file"]) + misread(growth, row.answer["widths"])
    in_outputs = original.output_problems(growth["file"])
    row.bad_files += bool(in_file)
    row.bad_outputs += bool(in_outputs)
    problems = in_file + in_outputs
    checked = growth["checked"]
    if checked is not None and not zoo_page.kept(checked):
        problems.append(f"outputs differ: {checked}")
    if growth["exactlySame"] is False:
        problems.append("with integers for weights, not every bit of its outputs is the same")
    return problems


def misread(growth: dict, before: list[dict]) -> list[str]:
    """Where the widths of the grown file are not those that it had, with the new sizes. One that is listed twice grows
    as the other does."""
    sizes = {width["id"]: width["size"] for width in before}
    for one in growth["grown"]:
        place = next(place_of(width) for width in before if width["id"] == one["width"])
        sizes |= {width["id"]: one["to"] for width in before if place_of(width) == place}
    again = {width["id"]: width["size"] for width in growth["reread"]}
    differing = {name: size for name, size in sizes.items() if again.get(name) != size}
    wrong = [f"{name} {again.get(name)} (should be {size})" for name, size in differing.items()]
    return [f"read again, its widths are {', '.join(wrong)}"] if wrong else []


def unused(rows: list[Row]) -> list[zoo_known.Miss]:
    used = {verdict.known for row in rows for verdict in row.verdicts}
    return [miss for miss in zoo_known.KNOWN if miss not in used]


sys.exit(main())
