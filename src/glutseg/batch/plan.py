"""The plan of a run: one self-contained task per study, which any worker can run."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import overload

from glutseg import dicom
from glutseg.batch.measurer import AUTOMATIC, LoadStudy, Measurer
from glutseg.errors import GlutsegError
from glutseg.measurement import Participants, StudyId, believe_height
from glutseg.output.case_id import case_id
from glutseg.output.pseudonym import Pseudonymiser
from glutseg.pacs.model import RemoteStudy
from glutseg.protocol import Protocol

FileOf = Callable[[LoadStudy], Path | None]
MAX_NAMED = 4


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


@dataclass(frozen=True, slots=True)
class PlannedCase:
    """What a plan keeps of a study: some hundred bytes, without its headers.

    Attributes
    ----------
    place : of the study in the index
    patient_id : as in what is written, with ``pseudonyms`` the patient's pseudonym
    input_sha256 : as in `Task`
    """

    case_id: str
    place: int
    patient_id: str
    input_sha256: str


@dataclass(frozen=True)
class Plan(Sequence[Task]):
    """The tasks of a run, each made when it is asked for: only then is its study loaded from the index."""

    cases: tuple[PlannedCase, ...]
    scanned: dicom.Index
    participants: Participants | None = None
    remote_studies: Mapping[str, RemoteStudy] = field(default_factory=dict)
    pseudonyms: Pseudonymiser | None = None

    def __len__(self) -> int:
        return len(self.cases)

    @overload
    def __getitem__(self, place: int) -> Task: ...
    @overload
    def __getitem__(self, place: slice) -> Plan: ...
    def __getitem__(self, place: int | slice) -> Task | Plan:
        return replace(self, cases=self.cases[place]) if isinstance(place, slice) else self._task(place)

    def without(self, case_ids: Container[str]) -> Plan:
        """The plan of the other cases."""
        return replace(self, cases=tuple(case for case in self.cases if case.case_id not in case_ids))

    def study(self, place: int) -> dicom.Study:
        """The study of a case, with pseudonyms if the run has them."""
        study = self.scanned.studies[self.cases[place].place]
        return self.pseudonyms.study(study) if self.pseudonyms else study

    def _task(self, place: int) -> Task:
        case, study = self.cases[place], self.study(place)
        own_row = _own_row(self.participants, study.patient_id, case.case_id)
        remote_study = self.remote_studies.get(study.study_uid)
        return Task(case.case_id, study, own_row, case.input_sha256, remote_study)


class TaskQueue:
    """Tasks in their order, each loaded when it is looked at; one that is put back is taken last."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks, self._n_taken = tasks, 0
        self._loaded: Task | None = None
        self._returned: deque[Task] = deque()

    def __len__(self) -> int:
        return len(self._tasks) - self._n_taken + len(self._returned)

    def next(self) -> Task:
        """Look at the next task."""
        if self._n_taken == len(self._tasks):
            return self._returned[0]
        if self._loaded is None:
            self._loaded = self._tasks[self._n_taken]
        return self._loaded

    def popleft(self) -> Task:
        """Take the next task."""
        task = self.next()
        if self._n_taken == len(self._tasks):
            return self._returned.popleft()
        self._loaded = None
        self._n_taken += 1
        return task

    def append(self, task: Task) -> None:
        """Put a task back."""
        self._returned.append(task)


def make_plan(
    index: dicom.Index,
    participants: Participants | None = None,
    file_of: FileOf = lambda _: None,
    remote_studies: Mapping[str, RemoteStudy] | None = None,
    pseudonyms: Pseudonymiser | None = None,
) -> Plan:
    """Return one task per study, in the order of the index, or of the pseudonyms.

    Parameters
    ----------
    index : the studies
    participants : the participants table, if there is one; with pseudonyms, if the run has them
    file_of : the file that is read for a study besides its images
    remote_studies : by study UID as it is written, the studies that are on a server
    pseudonyms : of a run in which nobody is named

    Raises
    ------
    GlutsegError
        ``mask-shared`` where one file would be read for two studies.
    """
    summaries = enumerate(dicom.summaries(index))
    named: Iterable[Named] = (_named(summary, place, pseudonyms) for place, summary in summaries)
    if pseudonyms:
        named = sorted(named, key=lambda one: one[:2])
    taken: Counter[str] = Counter()
    plan = Plan((), index, participants, remote_studies or {}, pseudonyms)
    cases = []
    readers: dict[object, list[str]] = {}
    for patient_id, study_uid, place, size_raw, sha256 in named:
        name = case_id(patient_id, study_uid)
        own_row = _own_row(participants, patient_id, name)
        taken[name] += 1
        if taken[name] > 1:  # studies without a UID may get the same id
            name = f"{name}-{taken[name]}"
        case = PlannedCase(name, place, patient_id, "")
        file = file_of(partial(replace(plan, cases=(case,)).study, 0))
        if file is not None:
            readers.setdefault(_identity(file), []).append(name)
        extra = _digest(file)
        height = believe_height(next(iter(own_row.rows.values()), None), size_raw)
        content = f"{sha256} {height!r}{extra}"
        cases.append(replace(case, input_sha256=hashlib.sha256(content.encode()).hexdigest()))
    _check_shared(readers)
    return replace(plan, cases=tuple(cases))


def study_ids(plan: Plan) -> tuple[StudyId, ...]:
    """By what a participants table may name each study of a plan; ids as in the images and as written."""
    if plan.pseudonyms is None:
        return tuple(StudyId(case.patient_id, case.case_id) for case in plan.cases)
    in_images = [summary.patient_id for summary in dicom.summaries(plan.scanned)]
    return tuple(StudyId(in_images[case.place], case.case_id, case.patient_id) for case in plan.cases)


def _identity(file: Path) -> object:
    """The same for all names of a file: links to it, and other cases of letters where the system has one."""
    try:
        known = file.stat()
    except OSError:  # not there yet
        return file
    return known.st_dev, known.st_ino


def _digest(file: Path | None) -> str:
    """SHA-256 of a file's content; "" where it cannot be read: measuring gives the reason."""
    if file is None:
        return ""
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:
        return ""


def _check_shared(readers: Mapping[object, Sequence[str]]) -> None:
    """An outline belongs to the images of one study; on those of another it gives wrong areas unnoticed."""
    shared = [names for names in readers.values() if len(names) > 1]
    if shared:
        names = shared[0]
        rest = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
        more = f"; so for {len(shared) - 1} more masks" if len(shared) > 1 else ""
        listed = ", ".join(names[:MAX_NAMED]) + rest + more
        message = f"{len(names)} studies would be measured with the same mask: {listed}"
        raise GlutsegError("mask-shared", message)


Named = tuple[str, str, int, str, str]
"""(patient id, study UID, place in the index, patient's size, digest of the headers) as written."""


def _named(summary: dicom.StudySummary, place: int, pseudonyms: Pseudonymiser | None) -> Named:
    rest = (place, summary.patient_size_m_raw)
    if pseudonyms is None:
        return summary.patient_id, summary.study_uid, *rest, summary.sha256
    patient_id, study_uid = pseudonyms.patient(summary.patient_id), pseudonyms.uid(summary.study_uid)
    return patient_id, study_uid, *rest, pseudonyms.digest(summary.sha256)


def _own_row(participants: Participants | None, patient_id: str, name: str) -> Participants:
    """The table reduced to the row of a study."""
    if participants is None:
        return Participants({})
    row = participants.of(patient_id, name)
    return Participants({} if row is None else {row.key: row}, participants.named_by)
