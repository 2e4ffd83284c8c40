"""What a plan needs to know of a study, without its headers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from glutseg.dicom.model import Index, Study
from glutseg.dicom.source import Source


@dataclass(frozen=True, slots=True)
class StudySummary:
    """A study in some hundred bytes.

    Attributes
    ----------
    patient_size_m_raw : as in the header, unchecked
    series_uids : of all its series
    sha256 : digest that changes with a header or the size of a file, and not with the path of the files
    """

    patient_id: str
    study_uid: str
    patient_size_m_raw: str
    series_uids: tuple[str, ...]
    sha256: str


def summary_of(study: Study, sizes: Mapping[Path, int] | None = None) -> StudySummary:
    """Return the summary of a study.

    Parameters
    ----------
    sizes : of its files; without them the system is asked
    """
    return StudySummary(
        patient_id=study.patient_id,
        study_uid=study.study_uid,
        patient_size_m_raw=study.patient_size_m_raw,
        series_uids=tuple(sorted({series.series_uid for series in study.series})),
        sha256=_digest(study, _size if sizes is None else sizes.__getitem__),
    )


def summaries(index: Index) -> Iterator[StudySummary]:
    """Yield the summaries of the studies of an index, in their order."""
    stored = getattr(index.studies, "summaries", None)
    yield from stored() if stored else map(summary_of, index.studies)


def _digest(study: Study, size_of: Callable[[Path], int]) -> str:
    sizes = [
        size_of(path) for path in {h.source.path: None for series in study.series for h in series.slices}
    ]
    no_source = Source(Path())
    series = tuple(
        replace(
            one,
            slices=tuple(replace(header, source=no_source) for header in one.slices),
            duplicates=tuple(replace(header, source=no_source) for header in one.duplicates),
        )
        for one in study.series
    )
    content = repr((replace(study, series=series), sizes))
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # the error is reported when the file is read
        return -1
