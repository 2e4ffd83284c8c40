"""Cases made ready for the screen: the one asked for first, its neighbours while it is looked at."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

from glutseg.batch.images import Images
from glutseg.viewer.images import SeriesCache
from glutseg.viewer.session import OpenCase, Session


class Shelf:
    """Opens cases; what is asked for ahead is read in a thread.

    Parameters
    ----------
    session : whose cases
    images : where their series are
    """

    def __init__(self, session: Session, images: Images, cache: SeriesCache | None = None) -> None:
        self._session, self._images = session, images
        self.cache = cache or SeriesCache()
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._ready: dict[str, Future[OpenCase]] = {}
        self._lock = threading.Lock()

    def take(self, case_id: str) -> OpenCase:
        """A case, from what was made ready or opened now; the next call opens it anew.

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

    def is_ready(self, case_id: str) -> bool:
        """Whether a case can be shown without waiting."""
        future = self._ready.get(case_id)
        return future is not None and future.done()

    def localise_hips(self, names: list[str]) -> None:
        """Make these cases ready and forget others that were."""
        with self._lock:
            for name in set(self._ready) - set(names):
                self._ready.pop(name).cancel()
            for name in names:
                if name not in self._ready:
                    self._ready[name] = self._pool.submit(self._open, name)

    def forget(self, case_id: str) -> None:
        """A case was drawn on or decided: it must be opened anew."""
        with self._lock:
            future = self._ready.pop(case_id, None)
        if future is not None:
            future.cancel()

    def close(self) -> None:
        """Wait for what is being read."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _open(self, case_id: str) -> OpenCase:
        item = self._session.item(case_id)
        series = self._images.series(item.result, self._session.protocol)
        return self._session.open(case_id, self.cache.get(case_id, series))
