"""The studies of an index on disk, loaded one at a time."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload

from glutseg.dicom.model import Study
from glutseg.dicom.store import STUDY_ORDER, read_headers, reading
from glutseg.dicom.study_of import study_of
from glutseg.dicom.summary import StudySummary


class StoredStudies(Sequence[Study]):
    """Behaves like a tuple of studies, but each is made from the index when it is asked for.

    Parameters
    ----------
    index_file : an index that a scan has finished
    start : the folder that was scanned

    Raises
    ------
    GlutsegError
        ``index-damaged``, here and whenever a study is asked for.
    """

    def __init__(self, index_file: Path, start: Path) -> None:
        self._index_file, self._start = index_file.absolute(), start
        with reading(self._index_file) as db:
            rows = db.execute(f"SELECT study_id FROM studies ORDER BY {STUDY_ORDER}")  # noqa: S608 - a constant
            self._study_ids = array("q", (row[0] for row in rows))

    def __len__(self) -> int:
        return len(self._study_ids)

    @overload
    def __getitem__(self, place: int) -> Study: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Study, ...]: ...
    def __getitem__(self, place: int | slice) -> Study | tuple[Study, ...]:
        if isinstance(place, slice):
            return tuple(self._study(study_id) for study_id in self._study_ids[place])
        return self._study(self._study_ids[place])

    def _study(self, study_id: int) -> Study:
        with reading(self._index_file) as db:
            return study_of(read_headers(db, self._start, study_id))

    def summaries(self) -> Iterator[StudySummary]:
        """Yield the summaries of all studies, in their order."""
        columns = "patient_id, study_uid, patient_size, series_uids, sha256"
        query = f"SELECT {columns} FROM studies ORDER BY {STUDY_ORDER}"  # noqa: S608 - constants
        with reading(self._index_file) as db:
            for patient_id, study_uid, size, series_uids, sha256 in db.execute(query):
                yield StudySummary(patient_id, study_uid, size, tuple(json.loads(series_uids)), sha256)
