"""Loads cases: the one asked for, and the next one in advance."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

from glutseg import dicom
from glutseg.batch.images import Images
from glutseg.viewer.series_cache import SeriesCache
from glutseg.viewer.session import OpenCase, Session


class CaseLoader:
    """Opens cases; those to be shown next are read in advance in a thread.

    Parameters
    ----------
    session : the run and the reviewer
    images : where the series of the cases are
    """

    def __init__(self, session: Session, images: Images, cache: SeriesCache | None = None) -> None:
        self._session, self._images = session, images
        self.cache = cache or SeriesCache()
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._ready: dict[str, Future[OpenCase]] = {}
        self._lock = threading.Lock()

    def load(self, case_id: str) -> OpenCase:
        """A case, loaded in advance or now; the next call loads it again.

        Raises
        ------
        GlutsegError
            ``images-not-found`` and those of `Session.open`.
        """
        with self._lock:
            future = self._ready.pop(case_id, None)
        if future is not None and not future.cancel():
            return future.result()
        return self._open(case_id)

    def glance(self, case_id: str) -> OpenCase | None:
        """A case to look at only, with the slices around its level read, and of the others every n-th.

        None where there is no such short cut: in a short series, in one that is in memory, without a level.
        """
        item = self._session.item(case_id)
        level = item.result.level
        if level is None or self.cache.holds(case_id):
            return None
        localiser = dicom.read_localiser(self._images.series(item.result, self._session.protocol))
        if localiser is None:
            return None
        around = localiser.geometry.slices_around(level.slice_index, item.result.profile_mm)
        image = dicom.read_near(localiser, around)
        opened = None if image is None else self._session.open(case_id, image)
        return opened if opened and opened.picture.slice_index in around else None

    def is_ready(self, case_id: str) -> bool:
        """Whether a case is loaded already."""
        future = self._ready.get(case_id)
        return future is not None and future.done()

    def prepare(self, names: list[str]) -> None:
        """Load these cases in advance, and drop others that were."""
        with self._lock:
            for name in set(self._ready) - set(names):
                self._ready.pop(name).cancel()
            for name in names:
                if name not in self._ready:
                    self._ready[name] = self._pool.submit(self._open, name)

    def forget(self, case_id: str) -> None:
        """Drop a case that was changed or decided: it has to be loaded again."""
        with self._lock:
            future = self._ready.pop(case_id, None)
        if future is not None:
            future.cancel()

    def close(self) -> None:
        """Wait until nothing is being read any more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _open(self, case_id: str) -> OpenCase:
        item = self._session.item(case_id)
        series = self._images.series(item.result, self._session.protocol)
        return self._session.open(case_id, self.cache.get(case_id, series))
