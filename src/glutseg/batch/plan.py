"""The plan of a run: one self-contained task per study, which any worker can run."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from glutseg import dicom
from glutseg.batch.measurer import AUTOMATIC, Measurer
from glutseg.measurement import Participants, believe_height
from glutseg.output.case_id import case_id
from glutseg.output.pseudonym import Pseudonymiser
from glutseg.pacs.model import RemoteStudy
from glutseg.protocol import Protocol


@dataclass(frozen=True)
class RunContext:
    """Settings that all tasks of a run share."""

    out: Path
    protocol: Protocol
    pseudonyms: Pseudonymiser | None = None
    measurer: Measurer = AUTOMATIC


@dataclass(frozen=True)
class Task:
    """One study to measure.

    Attributes
    ----------
    case_id : name of the case's folder, unique in the run
    participants : the participants table reduced to the row of this study, or empty
    input_sha256 : digest of its headers, its row of the table, the sizes of its files and what the measurer
        reads besides; for a study on a server, of what the search returned
    remote_study : the study on a server, from which images are fetched; None for files
    """

    case_id: str
    study: dicom.Study
    participants: Participants
    input_sha256: str
    remote_study: RemoteStudy | None = None


def make_plan(
    index: dicom.Index,
    participants: Participants | None = None,
    extra_digest: Callable[[dicom.Study], str] = lambda _: "",
    remote_studies: Mapping[str, RemoteStudy] | None = None,
) -> tuple[Task, ...]:
    """Return one task per study, in the order of the index.

    Parameters
    ----------
    index : the studies
    participants : the participants table, if there is one
    extra_digest : digest of what is read for a study besides its images
    remote_studies : by study UID, the studies that are on a server
    """
    taken: Counter[str] = Counter()
    tasks = []
    for study in index.studies:
        name = case_id(study.patient_id, study.study_uid)
        row = participants.of(study.patient_id, name) if participants else None
        named_by = participants.named_by if participants else "patient_id"
        own_row = Participants({} if row is None else {row.key: row}, named_by)
        taken[name] += 1
        if taken[name] > 1:  # studies without a UID may get the same id
            name = f"{name}-{taken[name]}"
        remote_study = (remote_studies or {}).get(study.study_uid)
        digest = _digest(study, own_row, extra_digest(study))
        tasks.append(Task(name, study, own_row, digest, remote_study))
    return tuple(tasks)


def _digest(study: dicom.Study, participants: Participants, extra: str) -> str:
    """Digest that changes with a header, a file size or the height, and not with the path of the files."""
    sizes = [_size(path) for path in {h.source.path: None for series in study.series for h in series.slices}]
    no_source = dicom.Source(Path())
    series = tuple(
        replace(one, slices=tuple(replace(header, source=no_source) for header in one.slices))
        for one in study.series
    )
    row = next(iter(participants.rows.values()), None)
    height = believe_height(row, study.patient_size_m_raw)
    content = repr((replace(study, series=series), sizes, height)) + extra
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # the error is reported when the file is read
        return -1
