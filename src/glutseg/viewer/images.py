"""The images that a run's cases were measured on: where they are, and a few of them in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from glutseg import batch, dicom
from glutseg.errors import GlutsegError
from glutseg.output.folder import run_record
from glutseg.output.pseudonym import pseudonymiser
from glutseg.protocol import Protocol
from glutseg.result import CaseResult

MAX_BYTES = 650_000_000
"""Of series kept in memory: four of 300 slices of 512 x 512."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Images:
    """Studies by case id."""

    studies: dict[str, dicom.Study]

    def series(self, result: CaseResult, protocol: Protocol) -> dicom.Series:
        """The series a case was measured on; for a case without one, the first that may be measured.

        Raises
        ------
        GlutsegError
            ``images-not-found``.
        """
        study = self.studies.get(result.case_id)
        if study is None:
            raise GlutsegError("images-not-found", "the study is not below the folder", result.case_id)
        record = result.series
        if record is None:
            candidates = dicom.choose(study, protocol.series).candidates
            if not candidates:
                raise GlutsegError("images-not-found", "no series of the study can be shown", result.case_id)
            return candidates[0]
        same = [s for s in study.series if s.series_uid == record.series_uid and s.geometry is not None]
        holding = [s for s in same if record.sop_uid_of_slice in {header.sop_uid for header in s.slices}]
        if not holding:
            raise GlutsegError("images-not-found", "the series is not there any more", result.case_id)
        return holding[0]


def find_images(
    out: Path, input_path: Path | None = None, key: Path | None = None, progress: Progress | None = None
) -> Images:
    """Look through the input of a run.

    Parameters
    ----------
    out : the run's folder
    input_path : where the images are, if not where run.json says
    key : the key file of a run with pseudonyms

    Raises
    ------
    GlutsegError
        ``images-not-found``; ``input-missing`` where no run is; ``key-invalid``.
    """
    record = run_record(out)
    folder = Path(str(record.get("input"))) if input_path is None else input_path
    if not folder.exists():
        raise GlutsegError("images-not-found", "the run's input is not there", str(folder))
    index = dicom.scan(folder, progress=progress)
    if key is not None:
        pseudonyms = pseudonymiser(key, out)
        if pseudonyms.check != record.get("pseudonym_key_check"):
            raise GlutsegError("key-invalid", "the run had another key, or none", str(key))
        index = pseudonyms.index(index)
    return Images({task.case_id: task.study for task in batch.make_plan(index)})


@dataclass
class SeriesCache:
    """The series read last, as many as fit; may be asked from several threads.

    Parameters
    ----------
    read : what reads a series
    max_bytes : of all together; the newest is kept however large it is
    """

    read: Callable[[dicom.Series], dicom.LoadedSeries] = lambda series: dicom.read(series, bridge=True)
    max_bytes: int = MAX_BYTES
    _kept: OrderedDict[str, dicom.LoadedSeries] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _reading: dict[str, threading.Lock] = field(default_factory=dict)

    def get(self, case_id: str, series: dicom.Series) -> dicom.LoadedSeries:
        """The series of a case, from memory or read now; two threads never read the same one twice.

        Raises
        ------
        GlutsegError
            Those of `glutseg.dicom.read`.
        """
        with self._lock:
            turn = self._reading.setdefault(case_id, threading.Lock())
        with turn:
            with self._lock:
                if case_id in self._kept:
                    self._kept.move_to_end(case_id)
                    return self._kept[case_id]
            loaded = self.read(series)
            with self._lock:
                self._kept[case_id] = loaded
                while len(self._kept) > 1 and self.n_bytes > self.max_bytes:
                    self._kept.popitem(last=False)
            return loaded

    def holds(self, case_id: str) -> bool:
        """Whether it would come from memory."""
        with self._lock:
            return case_id in self._kept

    @property
    def n_bytes(self) -> int:
        """Of all series kept."""
        return sum(loaded.volume.hu.nbytes for loaded in self._kept.values())
