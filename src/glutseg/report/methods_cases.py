"""Sentences of the methods paragraph about the examinations: images, numbers, errors, heights, reviewers."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence

from glutseg.errors import catalogue
from glutseg.exchange.measure_mask import GIVEN
from glutseg.output.schema import CaseRow
from glutseg.output.text import plain
from glutseg.report.counted import MOST_NAMED, beginning, counted, joined, of_each, spread
from glutseg.result import CaseResult

EXAMINATION = "CT examination"
MAX_WORD = 30
"""Characters of a kernel's name, which is a header's."""
MAX_REASON = 80
ACTS = {"accepted": "accepted unchanged", "corrected": "corrected by hand", "rejected": "excluded"}


def images(rows: Sequence[CaseRow]) -> list[str]:
    """Of the measured series: slices, pixels, tube voltage, kernel, contrast agent."""
    series = [row.result.series for row in rows if row.result.series is not None and row.result.muscles]
    if not series:
        return []
    spacings = [s.slice_spacing_mm for s in series if s.slice_spacing_mm is not None]
    thicknesses = [s.slice_thickness_mm for s in series if s.slice_thickness_mm]
    n_alone = len(series) - len(spacings)
    facts = [f"slice spacing {spread(spacings, 'mm', 1)}"] if spacings else []
    if spacings and [round(t, 1) for t in thicknesses] == [round(s, 1) for s in spacings]:
        facts = [f"slice thickness and spacing {spread(spacings, 'mm', 1, 'were')}"]
    elif len(thicknesses) == len(series):
        facts.insert(0, f"slice thickness {spread(thicknesses, 'mm', 1)}")
    facts.append(f"pixel size {spread((s.pixel_spacing_mm[0] for s in series), 'mm', 2)}")
    voltages = sorted((plain(s.kvp, MAX_WORD) for s in series if s.kvp), key=_as_number)
    if len(voltages) == len(series):
        is_few = len(set(voltages)) <= MOST_NAMED
        shown = of_each(voltages, "kV") if is_few else f"{voltages[0]} to {voltages[-1]} kV"
        facts.append(f"tube voltage was {shown}")
    kernels = sorted(plain(s.kernel, MAX_WORD) for s in series if s.kernel)
    if len(kernels) == len(series) and len(set(kernels)) <= MOST_NAMED:
        were = "kernel was" if len(set(kernels)) == 1 else "kernels were"
        facts.append(f"the reconstruction {were} {of_each(kernels)}")
    text = joined(facts)
    contrast = _contrast(sum(bool(s.contrast) for s in series), len(series))
    return [*_single_slices(n_alone, len(series)), f"{text[0].upper()}{text[1:]}.", contrast]


def _single_slices(n: int, of: int) -> list[str]:
    if n == 0:
        return []
    which = "Only single slices were" if n == of else f"Of {n} of {of} examinations only a single slice was"
    return [f"{which} available."]


def _as_number(word: str) -> tuple[float, str]:
    try:
        return float(word), word
    except ValueError:
        return float("inf"), word


def _contrast(n: int, of: int) -> str:
    if n == 0:
        return "No contrast agent was recorded in the DICOM headers."
    if n == of:
        return "According to the DICOM headers, all scans were made with a contrast agent."
    return f"According to the DICOM headers, {n} of {of} scans were made with a contrast agent."


def numbers(rows: Sequence[CaseRow]) -> str:
    """How many examinations of how many patients were measured, and why the others were not."""
    n = Counter(row.result.status for row in rows)
    measured = n["ok"] + n["review"]
    if measured == len(rows) == 1:
        return f"One {EXAMINATION} was analysed."
    of = f"{EXAMINATION}{'' if len(rows) == 1 else 's'}"
    patients = {row.result.patient_id for row in rows}
    if all(patients):
        of += f" of {counted(len(patients), 'patient')}"
    if measured == len(rows):
        return f"{beginning(len(rows))} {of} were analysed."
    text = f"Of {len(rows)} {of}, {measured or 'none'} {'was' if measured == 1 else 'were'} analysed"
    if n["failed"]:
        reasons = Counter(_reason(row.result) for row in rows if row.result.status == "failed")
        text += f"; {n['failed']} could not be measured ({_with_counts(reasons)})"
    if n["excluded"]:
        excluded = [row.result for row in rows if row.result.status == "excluded"]
        reasons = Counter(plain(result.error_message, MAX_REASON) for result in excluded)
        was = "was" if len(excluded) == 1 else "were"
        text += f"; {len(excluded)} {was} excluded on review ({_with_counts(reasons)})"
    return f"{text}."


def _with_counts(reasons: Counter[str]) -> str:
    """Reasons, the most frequent first; their numbers only where there are several."""
    if len(reasons) == 1:
        return next(iter(reasons)) or "no reason given"
    return "; ".join(f"{reason or 'no reason given'}, n = {n}" for reason, n in reasons.most_common())


def _reason(result: CaseResult) -> str:
    """A failure's meaning as a part of a sentence; the code itself where this version does not know it."""
    known = catalogue().get(result.error_code)
    if known is None:
        return plain(result.error_code, MAX_REASON)
    first = known.meaning.split(". ")[0].rstrip(".")
    return first if first[:2].isupper() else first[:1].lower() + first[1:]


def expected_errors(rows: Sequence[CaseRow]) -> list[str]:
    """How far the areas may be off, where that is known of any."""
    measured = [
        record
        for row in rows
        if row.result.is_measured
        for record in row.result.muscles
        if record.muscle == "maximus" and record.measurement
    ]
    known = [bound for record in measured if (bound := record.error_bound_percent) is not None]
    if not known:
        return []
    among = f"median of {counted(len(known), 'area')}; range, {min(known):.1f}% to {max(known):.1f}%"
    if len(known) < len(measured):
        among += f"; not estimated for {counted(len(measured) - len(known), 'area')}"
    return [
        "For each area the software estimates a bound of the measurement error that is expected to hold in "
        f"90% of cases; it was {statistics.median(known):.1f}% of the area ({among})."
    ]


def heights(rows: Sequence[CaseRow]) -> list[str]:
    """What the areas were divided by, and where that is from."""
    measured = [row.result for row in rows if row.result.is_measured]
    sources = Counter(result.height.source for result in measured if result.height.height_m is not None)
    if not measured:
        return []
    if not sources:
        return ["The areas of the left and the right side were averaged."]
    names = {"participants": "from the study’s table of participants", "dicom": "from the DICOM header"}
    known = [(names[source], n) for source, n in sorted(sources.items(), reverse=True) if source in names]
    lacking = len(measured) - sum(sources.values())
    text = f"Height was taken {known[0][0]}"
    if len(known) > 1 or lacking:
        text = f"Height was taken {joined([f'{name} (n = {n})' for name, n in known])}"
    if lacking:
        text += f"; it was unknown in {counted(lacking, 'examination')}, which "
        text += f"{'has' if lacking == 1 else 'have'} no height index"
    return [
        "The areas of the left and the right side were averaged, and the mean was divided by body height "
        "(mm²/m) and by height squared (cm²/m²).",
        f"{text}.",
    ]


def reviewed(
    rows: Sequence[CaseRow], reviewers: Mapping[str, Counter[str]], outliner: Mapping[str, str]
) -> list[str]:
    """What reviewers did with the outlines, and what is left open."""
    if not any(row.result.is_measured or row.decision for row in rows):
        return []
    kind = "given" if outliner.get("name") == GIVEN else "automatic"
    text = f"The {kind} outlines were used without manual review."
    if reviewers:
        text = _decided(rows, len(reviewers), kind)
    n_flagged = sum(row.result.status == "review" for row in rows)
    if not n_flagged:
        return [text]
    has = "examination has" if n_flagged == 1 else "examinations have"
    return [text, f"{beginning(n_flagged)} {has} quality flags that no reviewer has resolved."]


def _decided(rows: Sequence[CaseRow], n_reviewers: int, kind: str) -> str:
    decided = Counter(row.decision for row in rows if row.decision)
    people = f"{beginning(n_reviewers)} reviewer{'' if n_reviewers == 1 else 's'}"
    found = [(decided[decision], act) for decision, act in ACTS.items() if decided[decision]]
    n_rows = sum(row.result.is_measured or bool(row.decision) for row in rows)
    rest = n_rows - sum(n for n, _ in found)
    if not found:
        return f"{people} inspected outlines without a decision that counts; the {kind} outlines were used."
    if n_rows == 1:
        return f"{people} inspected the outlines; the examination was {found[0][1]}."
    scope = "all examinations" if rest == 0 else f"{n_rows - rest} of {n_rows} examinations"
    acts = joined([f"{n} {'was' if n == 1 else 'were'} {act}" for n, act in found])
    if len(found) == 1 and found[0][0] > 1:
        acts = f"all were {found[0][1]}"
    text = f"{people} inspected the outlines of {scope}: {acts}"
    if rest:
        text += f"; in the other {'one' if rest == 1 else rest} the {kind} outlines were used"
    return f"{text}."
