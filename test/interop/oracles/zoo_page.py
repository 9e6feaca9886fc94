"""The results of the zoo: a row of the table for each model, and the page that `npm run zoo` writes."""

import datetime
import importlib.metadata
import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from zoo_expectations import Verdict
from zoo_files import LIMIT
from zoo_known import KNOWN

ROOT = Path(__file__).resolve().parents[3]

TITLE = """# The zoo

Models as people export them, small and with random weights: from PyTorch by both its exporters, `transformers`
configurations, scikit-learn, and ONNX files drawn by hand in the style of other tools. For each, `test/interop/zoo`
states the widths that a person would expect to grow. `npm run zoo` builds the models, grows every width that espalier
says can grow, checks the results with espalier, onnx and ONNX Runtime for Python, and writes this page."""

LEGEND = """### How to read it

- **model**, **exporter**: `dynamo` is PyTorch's new exporter (`torch.onnx.export(dynamo=True)`), `torchscript` its old
  one.
- **nodes**, **opset**: of the model as read, its constants taken for parameters.
- **widths**: growable / found. What is not growable mostly reaches the output (the classes), and says so.
- **expected**: widths that a person expects, found with the right number of units and growable / stated.
- **alone**, **together**: growths that kept every output, on three sets of sizes (batch, sequence), within the bound on
  its rounding errors and within 1e-5 of its largest entry / growths made. Each width grows by 3 units, or by as many as
  it has where only copies of all units are exact; together, all of them grow in one model.
- **identical**: of these growths, those after which every output was the same to the last bit.
- **worst**: the largest difference of all growths, relative to the largest entry of the output. It depends on the
  processor.
- **exact**: the same growths with small integers for weights and inputs, and Relu for activations that round, so that
  float32 rounds nothing: ✓ if every output was the same to the last bit after each of them. A dash: the model has no
  such twin, mostly because Softmax, LayerNormalization or another operator that rounds comes before a sum.
- **checker**: `onnx.checker` with shape inference accepts every grown file; its metadata, names, operator sets, notes
  and symbolic axes are as they were; and read again, it has the same widths.
- **Python**: ONNX Runtime for Python, without graph optimization, gives the same outputs for the old file and each
  grown one, within 1e-5 of the largest entry."""


REFUSED = """Growing these would change what the network computes, or espalier cannot know that it would not. Most files
of this negative zoo (`no-…`) also have a width before the trouble, which grows."""


@dataclass
class Row:
    """All results for one model after its growths."""

    model: dict
    answer: dict | None = None
    verdicts: list[Verdict] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    #: Growths whose file is wrong; growths whose outputs are wrong in Python's ONNX Runtime.
    bad_files: int = 0
    bad_outputs: int = 0

    @property
    def name(self) -> str:
        return self.model["name"]

    @property
    def growths(self) -> list[dict]:
        if self.answer is None:
            return []
        together = self.answer["together"]
        return [*self.answer["alone"], *([together] if together else [])]

    @property
    def kept(self) -> list[dict]:
        return [growth for growth in self.growths if not growth["error"] and kept(growth["checked"])]

    @property
    def identical(self) -> int:
        return sum(growth["checked"]["identical"] for growth in self.kept)

    @property
    def worst(self) -> float:
        return max((growth["checked"]["relative"] for growth in self.kept), default=0.0)

    @property
    def exact(self) -> str:
        """Whether its exact twin kept every bit, in all growths; "–" if there is none."""
        if self.answer is None or self.answer["inexact"] or not self.growths:
            return "–"
        return mark(sum(growth.get("exactlySame") is not True for growth in self.growths), len(self.growths))

    def cells(self) -> list[str]:
        """In the order of HEAD."""
        entry, exporter, opset = self.model["entry"], self.model["exporter"], self.model["opset"].get("ai.onnx", "")
        if self.answer is None:
            return [entry, exporter, "", f"{opset}", "not read", *[""] * 8]
        widths, alone, together = self.answer["widths"], self.answer["alone"], self.answer["together"]
        wanted = [verdict for verdict in self.verdicts if verdict.kind == "width"]
        count = len(self.growths)
        ran = self.model["runs"] and count > 0
        return [
            *[entry, exporter, f"{self.answer['nodes']}", f"{opset}"],
            f"{sum(width['growable'] for width in widths)} / {len(widths)}",
            f"{sum(not verdict.problem for verdict in wanted)} / {len(wanted)}",
            f"{sum(growth in self.kept for growth in alone)} / {len(alone)}" if ran else "–",
            mark(int(together not in self.kept), 1) if ran and together else "–",
            f"{self.identical} / {count}" if ran else "–",
            short(self.worst) if ran else "–",
            self.exact,
            mark(self.bad_files, count) if count else "–",
            mark(self.bad_outputs, count) if ran else "–",
        ]

    @property
    def line(self) -> str:
        _, _, nodes, _, widths, expected, alone, together, identical, worst, exact, *_ = self.cells()
        return (
            f"{self.name:38} {nodes:>4} nodes; widths {widths}, expected {expected}; alone {alone}, "
            f"together {together}, identical {identical}, worst {worst}, exact {exact}"
        )


HEAD = ["model", "exporter", "nodes", "opset", "widths", "expected", "alone", "together"]
HEAD += ["identical", "worst", "exact", "checker", "Python"]


def kept(checked: dict | None) -> bool:
    """Whether a growth preserved the outputs; false if they could not be compared."""
    return checked is not None and checked["preserved"] and checked["relative"] <= LIMIT


def short(number: float) -> str:
    return f"{number:.0e}".replace("e-0", "e-") if number else "0"


def mark(bad: int, count: int) -> str:
    return "✓" if bad == 0 else f"✗ {bad} of {count}"


def summary(rows: list[Row]) -> list[str]:
    """Sums over all models, as sentences."""
    growths = [growth for row in rows for growth in row.growths]
    ran = [growth for growth in growths if not growth["error"] and growth["checked"] is not None]
    wanted = [verdict for row in rows for verdict in row.verdicts if verdict.kind == "width"]
    refused = [verdict for row in rows for verdict in row.verdicts if verdict.kind == "refusal"]
    twins = [growth["exactlySame"] for growth in growths if growth.get("exactlySame") is not None]
    exact = sum(row.exact != "–" for row in rows)
    identical, worst = sum(row.identical for row in rows), max((row.worst for row in rows), default=0)
    bounded = sum(growth["checked"]["bounded"] and not growth["checked"]["identical"] for growth in ran)
    return [
        f"{len(rows)} files; {sum(not one.problem for one in wanted)} of {len(wanted)} expected widths can grow, "
        f"{sum(not one.problem for one in refused)} of {len(refused)} refusals have the right reason.",
        f"{len(ran)} growths ran: {sum(len(row.kept) for row in rows)} kept every output, {identical} to the last bit.",
        f"The other {len(ran) - identical} moved an output by at most {short(worst)} of its largest entry. The bound on "
        f"their rounding errors is below {short(LIMIT)} of it for {bounded} of them; elsewhere {short(LIMIT)} decides.",
        f"{sum(twins)} of {len(twins)} growths of the {exact} models that have a twin with exact arithmetic kept every "
        "bit of it.",
    ]


def page(rows: list[Row], without: list[dict]) -> str:
    positive = [row for row in rows if not row.name.startswith("no-")]
    sections = [
        TITLE,
        f"Generated on {datetime.date.today().isoformat()} with\n{versions()}.",
        "\n".join(f"- {line}" for line in summary(rows)),
        "## Widths that grow",
        table(HEAD, [row.cells() for row in positive]),
        LEGEND,
        "## Widths that are refused",
        REFUSED,
        table(["model", "exporter", "width", "reason given", "as expected"], refusals(rows)),
        "## Known misses",
        known(rows),
        "## Not exported",
        "\n".join(f"- {one['name']}: {one['reason']}." for one in without),
    ]
    return "\n\n".join(sections) + "\n"


def refusals(rows: list[Row]) -> list[list[str]]:
    cells = []
    for row in rows:
        for verdict in row.verdicts:
            if verdict.kind != "refusal":
                continue
            met = "✗ known" if verdict.known else mark(bool(verdict.problem), 1)
            cells.append([row.model["entry"], row.model["exporter"], verdict.what, verdict.reason or "–", met])
    return cells


def known(rows: list[Row]) -> str:
    if not KNOWN:
        return "None."
    cells = []
    for miss in KNOWN:
        met = [(row.name, verdict.what) for row in rows for verdict in row.verdicts if verdict.known == miss]
        names, widths = (", ".join(sorted(set(column))) for column in zip(*met, strict=True)) if met else ("–", "–")
        cells.append([names, widths, miss.reason])
    return table(["file", "expectation", "why it is missed"], cells)


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *[[cell.replace("|", "\\|") for cell in row] for row in rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def versions() -> str:
    package = json.loads((ROOT / "package.json").read_text())
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    names = ["torch", "transformers", "scikit-learn", "skl2onnx", "onnx", "onnxruntime"]
    found = [f"{name} {importlib.metadata.version(name).split('+')[0]}" for name in names]
    engine = package["dependencies"]["onnxruntime-node"]
    ours = f"espalier {package['version']} (Node {node[1:]}, onnxruntime-node {engine})"
    return f"{ours};\n{', '.join(found)}"
