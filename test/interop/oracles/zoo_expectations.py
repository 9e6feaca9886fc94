"""Whether espalier finds, and refuses, the widths that a person would expect it to."""

from dataclasses import dataclass

from zoo_known import Miss, listed


@dataclass(frozen=True)
class Verdict:
    """`problem` says how an expectation is missed, or is ""; `known` is its entry in the list of known misses."""

    what: str
    #: "width", "refusal" or "list".
    kind: str
    problem: str
    #: The reason given for a refusal.
    reason: str
    known: Miss | None

    @property
    def complaint(self) -> str:
        if self.problem and self.known is None:
            return f"{self.what}: {self.problem}"
        if self.known is not None and not self.problem:
            return f"{self.what}: is listed as a known miss and is met now: take it off the list"
        return ""


def judge(model: dict, answer: dict) -> list[Verdict]:
    """One verdict for each expectation of a model of zoo.json, and one for the list of widths itself."""
    widths = answer["widths"]
    rows = [("width", expected, missed_width(expected, widths), "") for expected in model["widths"]]
    for expected in model["refusals"]:
        reason = next((width["reason"] for width in on_axis(expected, widths)), "")
        rows.append(("refusal", expected, missed_refusal(expected, widths), reason))
    rows.append(("list", {"what": "no width is listed twice"}, listed_twice(widths), ""))
    return [
        Verdict(expected["what"], kind, problem, reason, listed(model["name"], expected["what"]))
        for kind, expected, problem, reason in rows
    ]


def place_of(width: dict) -> tuple:
    """What a width is, whatever it is called."""
    return width["size"], frozenset((part["parameter"], part["axis"]) for part in width["axes"])


def listed_twice(widths: list[dict]) -> str:
    ids = [width["id"] for width in widths]
    if len(set(ids)) < len(ids):
        return f"two are called {next(name for name in ids if ids.count(name) > 1)}"
    places = {}
    for width in widths:
        places.setdefault(place_of(width), []).append(width["id"])
    return "; ".join(f"{' and '.join(names)} are the same" for names in places.values() if len(names) > 1)


def on_axis(expected: dict, widths: list[dict]) -> list[dict]:
    """The widths that the expected axis is in."""
    axis = {"parameter": expected["parameter"], "axis": expected["axis"]}
    return [width for width in widths if axis in width["axes"]]


def missed_width(expected: dict, widths: list[dict]) -> str:
    place = f"axis {expected['axis']} of {expected['parameter']}"
    there = on_axis(expected, widths)
    if not there:
        return f"no width has {place}"
    alike = [width for width in there if width["size"] == expected["units"]]
    if not alike:
        sizes = ", ".join(f"{width['size']} ({width['id']})" for width in there)
        return f"should have {expected['units']} units; the widths on {place} have {sizes}"
    growable = [width for width in alike if width["growable"]]
    if not growable:
        return f"{alike[0]['id']} is refused: {alike[0]['reason']}"
    if all(width["multiple"] > expected["step"] for width in growable):
        return f"grows only by multiples of {growable[0]['multiple']}, not of {expected['step']}"
    return ""


def missed_refusal(expected: dict, widths: list[dict]) -> str:
    there = on_axis(expected, widths)
    if not there:
        return f"no width has axis {expected['axis']} of {expected['parameter']}, so nothing says why it cannot grow"
    for width in there:
        if width["growable"]:
            return f"{width['id']} ({width['size']}) is growable, and must not be"
        if expected["reason"] not in width["reason"]:
            return f"the reason should name {expected['reason']} and is: {width['reason']}"
        if expected["reason"] not in width["planning"] or "cannot be widened exactly" not in width["planning"]:
            return f"planning to grow it throws: {width['planning']}"
    return ""
