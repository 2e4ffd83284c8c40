"""The methods paragraph: what was done in this run, in words that can stand in a paper."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from glutseg.exchange.measure_mask import GIVEN
from glutseg.output.folder import PROGRAM
from glutseg.output.run_record import OWN
from glutseg.output.schema import CaseRow
from glutseg.output.text import plain
from glutseg.protocol import Protocol
from glutseg.segmentation.totalsegmentator import TotalSegmentator

LEVELS = {
    "femoral-head-top": "nearest to the mean height of the tops of the two femoral heads",
    "femoral-head-centre": "nearest to the mean height of the centres of the two femoral heads",
    "si-joint-end": "nearest to the mean height of the lower ends of the two sacroiliac joints",
    "acetabular-roof": "nearest to the mean height of the two acetabular roofs",
    "greater-trochanter-tip": "nearest to the mean height of the tips of the two greater trochanters",
    "pubic-symphysis-top": "nearest to the upper edge of the pubic symphysis",
    "ischial-tuberosity-tip": "nearest to the mean height of the lower tips of the ischial tuberosities",
    "lesser-trochanter": "nearest to the mean height of the tips of the two lesser trochanters",
    "peak-area": "with the largest mean area of both sides between sacrum and lesser trochanters",
    "z": "at a height given by hand",
    "slice": "given by its number",
    "given": "that was exported, a single one whose level was not checked",
}
CITED_LEVELS = {
    "femoral-head-top": "Homma et al. Surg Radiol Anat 2019;41:109. doi:10.1007/s00276-018-2099-9 (level)",
    "greater-trochanter-tip": "Yin et al. Front Endocrinol 2020;11:503. doi:10.3389/fendo.2020.00503 (level)",
    "pubic-symphysis-top": "Koda et al. J Showa Med Assoc 1991;51:435 (level)",
}
AUBREY = "Aubrey et al. Acta Physiol 2014;210:489–497. PMID 24393306 (HU windows)"
DECISIONS = ("accepted", "corrected", "rejected")
AUTOMATICALLY = (
    ", which outlines the muscle by region growing from where a trained network (3D U-Net) expects it, up to "
    "a minimum cut along visible fat planes, and assigns each pixel by the network’s probabilities and its "
    "density (Bayes’ rule), on levels of fat and muscle that are measured in each image"
)
ON_GIVEN_MASKS = " on outlines that were made elsewhere [say by whom and how]"
BY_TOTALSEGMENTATOR = " on outlines of TotalSegmentator{version} (task “total”, 1.5 mm), a trained network"
STANDARD_WINDOWS = ((-29, 150), (-190, -30))
LIBRARIES = (
    "Harris et al. Nature 2020;585:357–362 (NumPy)",
    "Virtanen et al. Nat Methods 2020;17:261–272 (SciPy)",
    "van der Walt et al. PeerJ 2014;2:e453 (scikit-image)",
    "Lowekamp et al. Front Neuroinform 2013;7:45 (SimpleITK)",
)
CITED_OUTLINERS: dict[str, tuple[str, ...]] = {
    PROGRAM: ("Çiçek et al. MICCAI 2016; LNCS 9901:424–432. doi:10.1007/978-3-319-46723-8_49 (3D U-Net)",),
    TotalSegmentator.name: (
        "Wasserthal et al. Radiol Artif Intell 2023;5:e230024. doi:10.1148/ryai.230024 (TotalSegmentator)",
        "Isensee et al. Nat Methods 2021;18:203–211 (nnU-Net)",
    ),
}
AGREEMENT = (
    "Bland and Altman. Stat Methods Med Res 1999;8:135–160 (limits of agreement)",
    "McGraw and Wong. Psychol Methods 1996;1:30–46 (intraclass correlation)",
)


@dataclass(frozen=True)
class Paragraph:
    """Sentences, and what they cite."""

    sentences: tuple[str, ...]
    citations: tuple[str, ...]


def methods(
    protocol: Protocol,
    version: str,
    rows: Sequence[CaseRow],
    reviewers: Mapping[str, Counter[str]],
    *,
    has_agreement: bool = False,
    outliner: Mapping[str, str] = OWN,
) -> Paragraph:
    """What was measured, how, in how many studies, and what reviewers decided.

    Parameters
    ----------
    rows : as reviewers decided
    reviewers : decisions by reviewer
    outliner : who outlined, as run.json has it
    """
    sentences = [
        *_what(protocol, version, _how(outliner)),
        _images(rows),
        _numbers(rows),
        *_expected_errors(rows),
        *_heights(rows),
        _people(rows, reviewers, outliner),
    ]
    cited = [f"glutseg {version} (software). The glutseg developers."]
    if protocol.level.landmark in CITED_LEVELS:
        cited.append(CITED_LEVELS[protocol.level.landmark])
    if (protocol.tissue.muscle_hu, protocol.tissue.imat_hu) == STANDARD_WINDOWS:
        cited.append(AUBREY)
    cited += CITED_OUTLINERS.get(outliner.get("name", ""), ())
    cited += LIBRARIES
    if has_agreement:
        cited += AGREEMENT
    return Paragraph(tuple(s for s in sentences if s), tuple(cited))


def level_words(protocol: Protocol) -> str:
    """Which slice, after "the axial slice"."""
    words = LEVELS[protocol.level.landmark]
    offset_mm = protocol.level.offset_mm
    if offset_mm:
        words += f", {abs(offset_mm):g} mm {'above' if offset_mm > 0 else 'below'} that"
    return words


def _what(protocol: Protocol, version: str, how: str) -> list[str]:
    low, high = protocol.tissue.muscle_hu
    fat_low, fat_high = protocol.tissue.imat_hu
    *names, last = protocol.extent.muscles
    muscles = f"gluteus {', '.join(names)} and {last}" if names else f"gluteus {last}"
    bound = "fascia, fat streaks included" if how == AUTOMATICALLY else "outline, fat included"
    sentences = [
        f"The cross-sectional area of the {muscles} was measured on pelvic CT with glutseg {version}{how} "
        f"(protocol “{plain(protocol.name)}”).",
        f"In each study the axial slice {level_words(protocol)} was measured, on the left and on the right.",
        f"The area is everything inside the {bound} (number of pixels × pixel area); "
        f"lean area is the part of it from {_hu(low)} to {_hu(high)} HU, intermuscular fat that from "
        f"{_hu(fat_low)} to {_hu(fat_high)} HU.",
    ]
    if protocol.extent.whole_muscle:
        sentences.append("Volumes were measured over the whole muscle where the series shows all of it.")
    return sentences


def _expected_errors(rows: Sequence[CaseRow]) -> list[str]:
    """How far the areas may be off, where that is known of any; corrected ones are not counted."""
    records = [record for row in rows if row.result.is_measured for record in row.result.muscles]
    bounds = [r.error_bound_percent for r in records if r.muscle == "maximus" and r.measurement]
    known = [bound for bound in bounds if bound is not None]
    if not known:
        return []
    areas = "area" if len(known) == 1 else "areas"
    return [
        f"By the program's own estimate the true area of the gluteus maximus lies, in 90 % of cases, within "
        f"{statistics.median(known):.1f} % of the measured one (median of {len(known)} {areas} of "
        f"{len(bounds)}; largest {max(known):.1f} %)."
    ]


def _how(outliner: Mapping[str, str]) -> str:
    """How the outlines came about, after the program's name."""
    if outliner.get("name") == GIVEN:
        return ON_GIVEN_MASKS
    if outliner.get("name") == TotalSegmentator.name:
        number = plain(outliner.get("version", ""), 20)
        return BY_TOTALSEGMENTATOR.format(version=f" {number}" if number else "")
    return AUTOMATICALLY


def _hu(value: int) -> str:
    return f"{value}".replace("-", "−")


def _images(rows: Sequence[CaseRow]) -> str:
    series = [row.result.series for row in rows if row.result.series is not None and row.result.muscles]
    if not series:
        return ""
    spacing = sorted(s.slice_spacing_mm for s in series if s.slice_spacing_mm is not None)
    pixels = sorted(s.pixel_spacing_mm[0] for s in series)
    kvps = sorted({plain(s.kvp) for s in series if s.kvp})
    n_contrast = sum(bool(s.contrast) for s in series)
    apart = f"{_range(spacing)} mm apart" if spacing else "single ones"
    text = f"Slices were {apart}, pixels {_range(pixels)} mm wide"
    text += f", tube voltage {' or '.join(kvps)} kV" if 0 < len(kvps) <= 4 else ""
    return f"{text}; a contrast agent is named in the headers of {n_contrast} of {len(series)} series."


def _range(values: Sequence[float]) -> str:
    if values[0] == values[-1]:
        return f"{values[0]:.3g}"
    return f"{statistics.median(values):.3g} (median; {values[0]:.3g} to {values[-1]:.3g})"


def _numbers(rows: Sequence[CaseRow]) -> str:
    n = Counter(row.result.status for row in rows)
    failed = Counter(row.result.error_code for row in rows if row.result.status == "failed")
    text = f"Of {_n(len(rows), 'study', 'studies')}, {n['ok'] + n['review']} yielded an area"
    text += f", {n['review']} of them with quality flags that no reviewer has settled" if n["review"] else ""
    if failed:
        reasons = ", ".join(f"{plain(code)} {count}" for code, count in sorted(failed.items()))
        text += f"; {sum(failed.values())} could not be measured ({reasons})"
    text += f"; reviewers excluded {n['excluded']}" if n["excluded"] else ""
    return f"{text}."


def _heights(rows: Sequence[CaseRow]) -> list[str]:
    measured = [row.result for row in rows if row.result.muscles]
    sources = Counter(result.height.source for result in measured if result.height.height_m is not None)
    if not sources:
        return []
    words = {"participants": "the participants table", "dicom": "the DICOM header"}
    known = " and ".join(f"{words[s]} ({n})" for s, n in sorted(sources.items()) if s in words)
    lacking = len(measured) - sum(sources.values())
    more = f"; {lacking} without a height have no index" if lacking else ""
    return [
        "Left and right were averaged, and the mean divided by height (mm²/m) and by its square (cm²/m²).",
        f"Heights are from {known}{more}.",
    ]


def _people(
    rows: Sequence[CaseRow], reviewers: Mapping[str, Counter[str]], outliner: Mapping[str, str]
) -> str:
    if not reviewers:
        whose = "as they were given" if outliner.get("name") == GIVEN else "those of the program"
        return f"No person has reviewed the outlines here: they are {whose}."
    decided = Counter(row.decision for row in rows if row.decision)
    counts = ", ".join(
        f"{decided[word]} {word}" for word in ("accepted", "corrected", "rejected") if decided[word]
    )
    people = _n(len(reviewers), "reviewer", "reviewers")
    rest = len(rows) - sum(decided.values())
    studies = _n(len(rows), "study", "studies")
    text = f"{people} looked at the outlines; of {studies} {counts or 'none is decided'}"
    return f"{text}{f', {rest} without a decision that counts' if rest else ''}."


def _n(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"
