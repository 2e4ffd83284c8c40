"""Many studies, each with the mask that a pattern names."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from glutseg import dicom, pipeline
from glutseg.dicom.single import single_series
from glutseg.errors import GlutsegError
from glutseg.exchange.assign import LabelMap
from glutseg.exchange.measure_mask import Loaded, Measured, measure_mask
from glutseg.exchange.terms import Term
from glutseg.measurement import Participants
from glutseg.output.case_id import case_id
from glutseg.protocol import Protocol, load_protocol
from glutseg.result import CaseResult

FIELDS = ("case_id", "patient_id", "study_uid", "series_uid")
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Options:
    """What is said once for all masks; as in `glutseg.exchange.measure_mask.measure_mask`."""

    labels: Mapping[str, Term] | None = None
    label_map: LabelMap | None = None
    protocol: Protocol | None = None
    level: str | None = None
    participants: Participants | None = None

    def measure(self, loaded: Loaded, file: Path) -> Measured:
        """One mask on its series."""
        return measure_mask(
            loaded,
            file,
            self.labels,
            label_map=self.label_map,
            protocol=self.protocol,
            level=self.level,
            participants=self.participants,
        )


def mask_of(pattern: str, study: dicom.Study, series: dicom.Series) -> Path:
    """The mask file of a study.

    Parameters
    ----------
    pattern : a path with ``{patient_id}``, ``{case_id}``, ``{study_uid}`` or ``{series_uid}`` in it

    Raises
    ------
    GlutsegError
        ``input-missing`` where there is no such file. What a header says becomes a plain name, never a path.
    """
    values = {
        "case_id": case_id(study.patient_id, study.study_uid),
        "patient_id": study.patient_id,
        "study_uid": study.study_uid,
        "series_uid": series.series_uid,
    }
    text = pattern
    for name in FIELDS:
        plain = UNSAFE.sub("_", values[name]).strip(".") or "unknown"
        text = text.replace(f"{{{name}}}", plain)
    path = Path(text)
    if not path.is_file():
        raise GlutsegError("input-missing", "there is no mask of this name", text)
    return path


def check_pattern(pattern: str) -> None:
    """Refuse a pattern that names the same file for every study.

    Raises
    ------
    GlutsegError
        ``input-missing``.
    """
    if not any(f"{{{name}}}" in pattern for name in FIELDS):
        names = ", ".join(f"{{{name}}}" for name in FIELDS)
        raise GlutsegError("input-missing", f"the pattern has none of {names}", pattern)


def measure_many(
    index: dicom.Index, pattern: str, options: Options, progress: Callable[[int, int], None] | None = None
) -> tuple[list[Measured], list[CaseResult]]:
    """Every study of an index; a study without a mask, or whose mask will not do, fails alone."""
    measured: list[Measured] = []
    failed: list[CaseResult] = []
    for k, study in enumerate(index.studies, start=1):
        empty = pipeline.empty_result(study, options.participants)
        try:
            measured.append(_measure(study, pattern, options))
        except GlutsegError as error:
            failed.append(pipeline.failed(empty, error))
        if progress:
            progress(k, len(index.studies))
    return measured, failed


def _measure(study: dicom.Study, pattern: str, options: Options) -> Measured:
    """On the series that would be measured without a mask, or the only one that there is."""
    choice = dicom.choose(study, (options.protocol or load_protocol()).series)
    if choice.candidates:
        series, reason = choice.candidates[0], choice.reason
    else:
        index = dicom.Index(Path(study.study_uid), (study,))
        series, reason = (
            single_series(index),
            "the only series; too short or too coarse for a level to be found",
        )
    file = mask_of(pattern, study, series)
    return options.measure(Loaded(study, series, dicom.read(series, bridge=True), reason), file)
