"""Many studies, each with the mask that a pattern names: a measurer of a run (`glutseg.batch.Measurer`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from glutseg import dicom
from glutseg.case import Case, Stopwatch, catch_errors, failed
from glutseg.dicom.single import single_series
from glutseg.errors import Flag, GlutsegError
from glutseg.exchange.assign import LabelMap
from glutseg.exchange.measure_mask import GIVEN, Loaded, measure_labels, placed_mask
from glutseg.exchange.terms import Term
from glutseg.image import LABELS, Mask, Muscle
from glutseg.measurement import Participants
from glutseg.output.case_id import case_id
from glutseg.protocol import Protocol
from glutseg.result import CaseResult

FIELDS = ("case_id", "patient_id", "study_date", "study_uid", "series_uid")
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class GivenMasks:
    """The outlines of a run are in files.

    Attributes
    ----------
    pattern : a path with ``{patient_id}``, ``{case_id}``, ``{study_date}`` (as in the header: 20200131),
        ``{study_uid}`` or ``{series_uid}`` in it; for workers elsewhere a whole one
    labels, label_map : as in `glutseg.exchange.assign.assign`
    level : as somebody asked for it; without it a mask on a single slice is measured there

    Raises
    ------
    GlutsegError
        ``input-missing`` for a pattern that names the same file for every study.
    """

    pattern: str
    labels: Mapping[str, Term] = field(default_factory=dict)
    label_map: LabelMap | None = None
    level: str | None = None

    name = GIVEN
    has_processes = False

    def __post_init__(self) -> None:
        if not any(f"{{{name}}}" in self.pattern for name in FIELDS):
            names = ", ".join(f"{{{name}}}" for name in FIELDS)
            raise GlutsegError("input-missing", f"the pattern has none of {names}", self.pattern)

    def record(self) -> dict[str, str]:
        """Which label is what; not where the masks are, whose contents the studies' digests know."""
        labels = ", ".join(f"{name}={term.muscle}-{term.side}" for name, term in sorted(self.labels.items()))
        return {"name": self.name, "labels": labels or self.label_map or "as in the files"}

    def check(self) -> None:
        """Nothing to check: a missing mask fails its own study only."""

    def file_of(self, load_study: Callable[[], dicom.Study], protocol: Protocol) -> Path | None:
        """The study's mask, there or not yet; None where there is no series to measure."""
        study = load_study()
        try:
            return named_mask(self.pattern, study, _series(study, protocol)[0])
        except GlutsegError:  # measuring gives the reason
            return None

    def measure(
        self,
        study: dicom.Study,
        protocol: Protocol,
        participants: Participants | None,
        fetch: dicom.Fetch = dicom.already_local,
    ) -> Case:
        """Measured on the series that would be taken without a mask, or the only one that there is."""

        def on_mask(result: CaseResult, clock: Stopwatch) -> Case:
            series, reason, rejected_series = _series(study, protocol)
            file = named_mask(self.pattern, study, series)
            if not file.is_file():
                raise GlutsegError("input-missing", "there is no mask of this name", file.name)
            with clock.time("read"):
                loaded = Loaded(study, series, dicom.read(series, fetch=fetch), reason)
            try:
                with clock.time("read"):
                    mask, flags = self._placed(loaded, file)
                with clock.time("measurement"):
                    measured = measure_labels(
                        loaded,
                        _only(mask, protocol.extent.muscles),
                        flags,
                        protocol,
                        level=self.level,
                        participants=participants,
                    )
            except GlutsegError as error:
                if error.scope == "run":
                    raise
                return Case(failed(replace(result, flags=result.flags + loaded.image.flags), error))
            result = replace(measured.result, rejected_series=rejected_series)
            return Case(result, loaded.image, measured.mask)

        return catch_errors(study, participants, on_mask)

    def _placed(self, loaded: Loaded, file: Path) -> tuple[Mask, tuple[Flag, ...]]:
        """The mask; errors name the file without its folder, which a run with pseudonyms keeps to itself."""
        try:
            return placed_mask(loaded, file, self.labels, self.label_map)
        except GlutsegError as error:
            raise error.at(error.where and file.name) from error


def named_mask(pattern: str, study: dicom.Study, series: dicom.Series) -> Path:
    """The mask file of a study, there or not. What a header says becomes a plain name, never a path."""
    values = {
        "case_id": case_id(study.patient_id, study.study_uid),
        "patient_id": study.patient_id,
        "study_date": study.study_date,
        "study_uid": study.study_uid,
        "series_uid": series.series_uid,
    }
    text = pattern
    for name in FIELDS:
        plain = UNSAFE.sub("_", values[name]).strip(".") or "unknown"
        text = text.replace(f"{{{name}}}", plain)
    return Path(text)


def _series(study: dicom.Study, protocol: Protocol) -> tuple[dicom.Series, str, tuple[tuple[str, str], ...]]:
    """The series to measure on, why it, and why not each of the others."""
    choice = dicom.choose(study, protocol.series)
    if choice.candidates:
        rest = tuple((uid, f"ranked lower: {why}") for uid, why in choice.lower_ranked_series)
        return choice.candidates[0], choice.reason, (*choice.rejected_series, *rest)
    series = single_series(dicom.Index(Path(study.study_uid), (study,)))
    return series, "the only series; too short or too coarse for a level to be found", ()


def _only(mask: Mask, muscles: tuple[Muscle, ...]) -> Mask:
    """The mask without muscles that are not asked for."""
    wanted = [label for muscle in muscles for label in LABELS[muscle].values()]
    return replace(mask, labels=np.where(np.isin(mask.labels, wanted), mask.labels, 0).astype(np.uint8))
