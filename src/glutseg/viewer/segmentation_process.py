"""Segmentation in a process of its own, so that the screen never waits and it can be stopped.

It takes the same route as a run (`glutseg.case.outline_level`), and so gives the same pixels.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

import numpy as np

from glutseg.anatomy import Anatomy, find_anatomy
from glutseg.batch.process import start_worker
from glutseg.case import outline_level
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Geometry, LabelArray
from glutseg.protocol import Protocol
from glutseg.segmentation import Outliner
from glutseg.segmentation.network import Network, chosen_weights
from glutseg.segmentation.side_grid import SHAPE
from glutseg.settings import Method

POLL_S = 0.02
GRACE_S = 2.0
"""A segmentation that nobody waits for any more may end by itself within this time, in seconds: glutseg's own
does, and to start anew would take as long."""


@dataclass(frozen=True)
class OutlinesNearLevel:
    """Labels around a level, and the slice of the level.

    Attributes
    ----------
    start : slice of ``labels[0]``
    slice_index : of the level
    """

    labels: LabelArray
    start: int
    slice_index: int

    @property
    def stop(self) -> int:
        return self.start + len(self.labels)


@dataclass(frozen=True)
class _KeptImage:
    """An image in a file, and its grids: a pipe would hold up every thread, shared memory is small in
    containers, and what is mapped is in memory once only."""

    file: Path
    geometry: Geometry
    stored: Geometry
    missing_slices: frozenset[int]


@dataclass(frozen=True)
class _Job:
    """What to outline; without an outliner only the hips are found and the network is loaded, for the jobs
    to come."""

    image: _KeptImage
    protocol: Protocol
    outliner: Outliner | None = None


_Answer = OutlinesNearLevel | GlutsegError | None


class SegmentationProcess:
    """A process that outlines muscles. It starts with its first job and lives on, so that the next finds its
    libraries, its network, the image and the hips in memory. Where it has died the next job starts another.

    `find_hips` and `segment` block the thread that calls them; one job is done after the other.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="glutseg-", ignore_cleanup_errors=True)
        self._n_images = 0
        self._kept: tuple[CtImage, _KeptImage] | None = None
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None
        self._turn = threading.Lock()
        self._is_closing = threading.Event()

    def find_hips(self, image: CtImage, protocol: Protocol, cancelled: threading.Event) -> None:
        """Hand an image over and find its hips, so that `segment` need not. Errors are left to `segment`."""
        with suppress(GlutsegError):
            self._answer(image, protocol, None, cancelled)

    def segment(
        self, image: CtImage, protocol: Protocol, outliner: Outliner, cancelled: threading.Event
    ) -> OutlinesNearLevel | None:
        """Outline the muscles around a level; None when it was cancelled.

        Parameters
        ----------
        protocol : with the level; a slice in it counts in the order of the files
        cancelled : once it is set nobody waits for the answer any more

        Raises
        ------
        GlutsegError
            Those of `glutseg.case.outline_level`; ``worker-died``.
        """
        # whole muscles would take minutes, and change nothing near the level
        extent = protocol.extent.model_copy(update={"whole_muscle": False})
        answer = self._answer(image, protocol.model_copy(update={"extent": extent}), outliner, cancelled)
        if isinstance(answer, GlutsegError):
            raise answer
        return answer

    def close(self) -> None:
        """End the process, whatever it does, and remove the image that it was given."""
        self._is_closing.set()
        with self._turn:
            self._stop()
            self._folder.cleanup()

    def _answer(
        self, image: CtImage, protocol: Protocol, outliner: Outliner | None, cancelled: threading.Event
    ) -> _Answer:
        """The answer to a job; None where it was cancelled, even if there is one."""
        with self._turn:
            try:
                if cancelled.is_set() or self._is_closing.is_set():
                    return None
                connection = self._started()
                connection.send(_Job(self._keep(image), protocol, outliner))
                if not self._waited(connection, cancelled):
                    self._stop()
                    return None
                answer: _Answer = connection.recv()
            except (EOFError, OSError) as error:
                self._stop()
                raise GlutsegError(
                    "worker-died", "the process of the segmentation ended without an answer"
                ) from error
        return None if cancelled.is_set() else answer

    def _waited(self, connection: Connection, cancelled: threading.Event) -> bool:
        """Wait for an answer; False where that is not worth the while any more."""
        patience_s = GRACE_S
        while not connection.poll(POLL_S):
            patience_s -= POLL_S if cancelled.is_set() else 0.0
            if patience_s < 0 or self._is_closing.is_set():
                return False
        return True

    def _keep(self, image: CtImage) -> _KeptImage:
        """The file of an image; only that of the last one is kept."""
        if self._kept is not None:
            known, kept = self._kept
            if known is image:
                return kept
            with suppress(OSError):  # where a mapped file cannot be removed it goes with the folder
                kept.file.unlink()
        self._n_images += 1
        file = Path(self._folder.name) / f"hu-{self._n_images}.npy"
        np.save(file, image.hu)
        kept = _KeptImage(file, image.geometry, image.stored, image.missing_slices)
        self._kept = image, kept
        return kept

    def _started(self) -> Connection:
        """The connection to the process, which is started where none is alive."""
        if self._connection is None or self._process is None or not self._process.is_alive():
            self._stop()
            context = multiprocessing.get_context("spawn")
            self._connection, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
            start_worker(self._process)
            theirs.close()
        return self._connection

    def _stop(self) -> None:
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if process is not None and process.pid is not None:
            process.kill()
            process.join()
        if connection is not None:
            connection.close()


def _serve(connection: Connection) -> None:
    """Do jobs until the connection closes; an error that is not glutseg's ends the process."""
    with suppress(EOFError, OSError):
        while True:
            job: _Job = connection.recv()
            try:
                connection.send(_done(job))
            except GlutsegError as error:
                connection.send(error)


def _done(job: _Job) -> OutlinesNearLevel | None:
    protocol, outliner, image = job.protocol, job.outliner, _image(job.image)
    if outliner is None:
        _anatomy(job.image, protocol.method)
        _load_network()
        return None
    known = _anatomy(job.image, protocol.method) if outliner.needs_hips else None
    level, mask = outline_level(image, outliner, protocol, known)
    around = image.geometry.slices_around(level.slice_index, protocol.level.profile_mm)
    labels = np.ascontiguousarray(mask.labels[around.start : around.stop])
    return OutlinesNearLevel(labels, around.start, level.slice_index)


@lru_cache(maxsize=1)
def _load_network() -> None:
    """Run the network once, on eight empty planes: its library and its weights stay in memory."""
    Network(chosen_weights()).probabilities(np.zeros((8, *SHAPE[1:]), np.float32))


@lru_cache(maxsize=1)
def _image(kept: _KeptImage) -> CtImage:
    hu = np.asarray(np.load(kept.file, mmap_mode="r"))
    return CtImage(hu, kept.geometry, kept.stored, kept.missing_slices)


@lru_cache(maxsize=1)
def _anatomy(kept: _KeptImage, method: Method) -> Anatomy:
    return find_anatomy(_image(kept), method=method)
