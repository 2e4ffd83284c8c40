"""The series read last, kept in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from glutseg import dicom
from glutseg.image import CtImage

MAX_BYTES = 650_000_000
"""Of all series in the cache: four of 300 slices of 512 x 512."""


@dataclass
class SeriesCache:
    """The series read last, as many as fit; may be asked from several threads.

    Parameters
    ----------
    read : function that reads a series
    max_bytes : of all series together; the newest is kept whatever its size
    """

    read: Callable[[dicom.Series], CtImage] = dicom.read
    max_bytes: int = MAX_BYTES
    _kept: OrderedDict[str, CtImage] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _reading: dict[str, threading.Lock] = field(default_factory=dict)

    def get(self, case_id: str, series: dicom.Series) -> CtImage:
        """The series of a case, from memory or read now; two threads never read the same series twice.

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
            image = self.read(series)
            with self._lock:
                self._kept[case_id] = image
                while len(self._kept) > 1 and self.n_bytes > self.max_bytes:
                    self._kept.popitem(last=False)
            return image

    def holds(self, case_id: str) -> bool:
        """Whether the series of a case is in memory."""
        with self._lock:
            return case_id in self._kept

    @property
    def n_bytes(self) -> int:
        """Size of all series in the cache."""
        return sum(image.hu.nbytes for image in self._kept.values())
