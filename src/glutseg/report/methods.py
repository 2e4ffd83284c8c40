"""The methods section: what was done in this run, in words that can stand in a paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from glutseg.exchange.measure_mask import GIVEN
from glutseg.output.folder import PROGRAM
from glutseg.output.run_record import OWN
from glutseg.output.schema import CaseRow
from glutseg.output.text import plain
from glutseg.protocol import Protocol
from glutseg.report import citations, methods_cases
from glutseg.report.counted import joined
from glutseg.report.methods_statistics import agreement_sentences, methods_used, study_sentences
from glutseg.report.records import AgreementRecord, StudyRecord
from glutseg.segmentation.totalsegmentator import TotalSegmentator

NEAREST = "nearest to "
LEVELS = {
    "femoral-head-top": f"{NEAREST}the mean height of the tops of the two femoral heads",
    "femoral-head-centre": f"{NEAREST}the mean height of the centres of the two femoral heads",
    "si-joint-end": f"{NEAREST}the mean height of the lower ends of the two sacroiliac joints",
    "acetabular-roof": f"{NEAREST}the mean height of the two acetabular roofs",
    "greater-trochanter-tip": f"{NEAREST}the mean height of the tips of the two greater trochanters",
    "pubic-symphysis-top": f"{NEAREST}the upper edge of the pubic symphysis",
    "ischial-tuberosity-tip": f"{NEAREST}the mean height of the lower tips of the ischial tuberosities",
    "lesser-trochanter": f"{NEAREST}the mean height of the tips of the two lesser trochanters",
    "peak-area": "with the largest mean area of both sides between the sacrum and the lesser trochanters",
    "z": "at a height specified by hand",
    "slice": "specified by its number",
    "given": "that was available, a single one whose level was not checked",
}
AUTOMATIC = (
    "The software outlined the muscle automatically: a 3D U-Net (Çiçek et al., 2016) estimated the "
    "probability of each muscle, a minimum cut placed the borders between muscles on the fat planes visible "
    "between them, and on the measured slice each pixel was assigned from the network’s probabilities and "
    "its density (Bayes’ rule), relative to the densities of fat and muscle in the same image."
)
GIVEN_MASKS = (
    "The outlines had been made beforehand [state by whom and how], and the software measured them unchanged."
)
BY_TOTALSEGMENTATOR = (
    "The muscle was outlined by TotalSegmentator{version} (task “total”, 1.5 mm; Wasserthal et al., 2023), "
    "a trained network."
)
BY_ANOTHER = "The muscle was outlined by “{name}” [describe this method]."
RECORDED = (
    "All settings and software versions are recorded in the file run.json "
    "[provide as supplementary material]."
)
STANDARD_WINDOWS = ((-29, 150), (-190, -30))


@dataclass(frozen=True)
class Methods:
    """Examinations, measurement, review, agreement and statistics, a paragraph each; and what they cite."""

    paragraphs: tuple[str, ...]
    citations: tuple[str, ...]


@dataclass(frozen=True)
class Beside:
    """What was made of a run beside its table.

    Attributes
    ----------
    study, agreement : the records of `glutseg study` and `glutseg agree`; None where they were not run
    has_pseudonyms : patient ids were replaced
    """

    study: StudyRecord | None = None
    agreement: AgreementRecord | None = None
    has_pseudonyms: bool = False


def methods(
    protocol: Protocol,
    version: str,
    rows: Sequence[CaseRow],
    reviewers: Mapping[str, Counter[str]],
    *,
    beside: Beside | None = None,
    outliner: Mapping[str, str] = OWN,
) -> Methods:
    """What was measured, how, in how many examinations, what reviewers decided, and what was computed.

    Parameters
    ----------
    rows : as reviewers decided
    reviewers : decisions by reviewer
    outliner : who outlined, as run.json has it
    """
    beside = beside or Beside()
    name = outliner.get("name", "")
    pseudonyms = ["Patient identifiers were replaced by pseudonyms (keyed hash) in all results."]
    paragraphs = [
        [
            methods_cases.numbers(rows),
            *methods_cases.images(rows),
            *(pseudonyms if beside.has_pseudonyms else []),
        ],
        [
            *_measured(protocol, version),
            _outlined(outliner),
            *_areas(protocol, name),
            *_volumes(protocol, rows),
            *methods_cases.heights(rows),
            RECORDED,
        ],
        [*methods_cases.reviewed(rows, reviewers, outliner), *methods_cases.expected_errors(rows)],
        agreement_sentences(beside.agreement),
        study_sentences(beside.study),
    ]
    return Methods(
        tuple(" ".join(sentences) for sentences in paragraphs if sentences),
        _cited(protocol, version, name, beside),
    )


def level_words(protocol: Protocol) -> str:
    """Which slice, after "the axial slice"."""
    words = LEVELS[protocol.level.landmark]
    offset_mm = protocol.level.offset_mm
    if not offset_mm:
        return words
    off = f"{abs(offset_mm):g} mm {'above' if offset_mm > 0 else 'below'}"
    if words.startswith(NEAREST):
        return f"{NEAREST}a level {off} {words.removeprefix(NEAREST)}"
    return f"{off} the one {words}"


def _measured(protocol: Protocol, version: str) -> list[str]:
    muscles = f"gluteus {joined(protocol.extent.muscles)}"
    cited = citations.LEVELS.get(protocol.level.landmark)
    level = f"{level_words(protocol)}{f' ({cited[0]})' if cited else ''}"
    return [
        f"The cross-sectional area of the {muscles} was measured with glutseg (version {version}; protocol "
        f"“{plain(protocol.name)}”).",
        f"The left and the right side were measured on the axial slice {level}.",
    ]


def _outlined(outliner: Mapping[str, str]) -> str:
    """How the outlines came about."""
    name = outliner.get("name", "")
    if name == PROGRAM:
        return AUTOMATIC
    if name == GIVEN:
        return GIVEN_MASKS
    if name == TotalSegmentator.name:
        number = plain(outliner.get("version", ""), 20)
        return BY_TOTALSEGMENTATOR.format(version=f" {number}" if number else "")
    return BY_ANOTHER.format(name=plain(name, 60))


def _areas(protocol: Protocol, outliner: str) -> list[str]:
    """What counts as area, lean and fat."""
    bound = "the fascia" if outliner == PROGRAM else "the outline"
    lean, fat = protocol.tissue.muscle_hu, protocol.tissue.imat_hu
    cited = " (Aubrey et al., 2014)" if (lean, fat) == STANDARD_WINDOWS else ""
    return [
        f"The area is that within {bound}, including fat within the muscle; in it, pixels of "
        f"{hu_words(lean)} were counted as lean muscle and pixels of {hu_words(fat)} as fat{cited}."
    ]


def hu_words(window: tuple[int, int]) -> str:
    """ "−29 to 150 HU"."""
    return f"{window[0]} to {window[1]} HU".replace("-", "−")


def _volumes(protocol: Protocol, rows: Sequence[CaseRow]) -> list[str]:
    if not protocol.extent.whole_muscle:
        return []
    measured = [row.result for row in rows if row.result.is_measured]
    n = sum(all(result.volume_cm3(side) is not None for side in ("left", "right")) for result in measured)
    where = "all examinations" if n == len(measured) else f"the {n} of {len(measured)} examinations"
    if n == 0:
        return ["Muscle volume was not determined, because no series showed the whole muscle."]
    return [
        f"Muscle volume was determined in {where}, in which the series showed the whole muscle on both sides."
    ]


def _cited(protocol: Protocol, version: str, outliner: str, beside: Beside) -> tuple[str, ...]:
    cited = [citations.software(version)]
    if protocol.level.landmark in citations.LEVELS:
        cited.append(citations.LEVELS[protocol.level.landmark][1])
    if (protocol.tissue.muscle_hu, protocol.tissue.imat_hu) == STANDARD_WINDOWS:
        cited.append(citations.AUBREY)
    cited += citations.OUTLINERS.get(outliner, ())
    cited += citations.LIBRARIES
    cited += citations.STUDY if beside.study else ()
    cited += [citations.STUDY_METHODS[name][1] for name in methods_used(beside.study)]
    cited += citations.AGREEMENT if beside.agreement else ()
    return tuple(cited)
