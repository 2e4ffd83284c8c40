"""The plan of a run: one task per study, each whole in itself, so that anybody may carry it out."""

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
from glutseg.pacs.model import Origin
from glutseg.protocol import Protocol


@dataclass(frozen=True)
class Orders:
    """What all tasks of a run share."""

    out: Path
    protocol: Protocol
    pseudonyms: Pseudonymiser | None = None
    measurer: Measurer = AUTOMATIC


@dataclass(frozen=True)
class Task:
    """One study to measure.

    Attributes
    ----------
    case_id : name of its folder, unique in the run
    participants : the study's row of the table, or none
    input_sha256 : of all that its headers and the table say, the sizes of its files, and what the
        measurer reads besides; of a study on a server, of what the search said of it
    origin : the server that has its images; None for files
    """

    case_id: str
    study: dicom.Study
    participants: Participants
    input_sha256: str
    origin: Origin | None = None


def make_plan(
    index: dicom.Index,
    participants: Participants | None = None,
    extra_digest: Callable[[dicom.Study], str] = lambda _: "",
    origins: Mapping[str, Origin] | None = None,
) -> tuple[Task, ...]:
    """A task per study, in the order of the index.

    ``extra_digest`` is of what is read besides its images, ``origins`` tell by study UID which server has it.
    """
    taken: Counter[str] = Counter()
    tasks = []
    for study in index.studies:
        name = case_id(study.patient_id, study.study_uid)
        row = participants.of(study.patient_id, name) if participants else None
        named_by = participants.named_by if participants else "patient_id"
        own = Participants({} if row is None else {row.key: row}, named_by)
        taken[name] += 1
        if taken[name] > 1:  # studies without a UID are told apart by their folders only
            name = f"{name}-{taken[name]}"
        origin = (origins or {}).get(study.study_uid)
        tasks.append(Task(name, study, own, _digest(study, own, extra_digest(study)), origin))
    return tuple(tasks)


def _digest(study: dicom.Study, participants: Participants, extra: str) -> str:
    """The same wherever the files lie; another when a header, a size or the believed height changes."""
    sizes = [_size(path) for path in {h.source.path: None for series in study.series for h in series.slices}]
    nowhere = dicom.Source(Path())
    series = tuple(
        replace(one, slices=tuple(replace(header, source=nowhere) for header in one.slices))
        for one in study.series
    )
    row = next(iter(participants.rows.values()), None)
    height = believe_height(row, study.patient_size_m_raw)
    content = repr((replace(study, series=series), sizes, height)) + extra
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # reading it will tell why
        return -1
