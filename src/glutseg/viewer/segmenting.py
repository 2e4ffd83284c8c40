"""Segmentation in a process of its own, so that the screen never waits and a useless one can be ended."""

from __future__ import annotations

import multiprocessing
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from glutseg.case import measure_case
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Geometry, LabelArray
from glutseg.protocol import Protocol
from glutseg.segmentation import Outliner

POLL_S = 0.05


@dataclass(frozen=True)
class Found:
    """Labels around a level, and which slice that is.

    Attributes
    ----------
    start : slice of ``labels[0]``
    level : slice
    """

    labels: LabelArray
    start: int
    level: int

    @property
    def stop(self) -> int:
        return self.start + len(self.labels)


def segment_apart(
    image: CtImage, protocol: Protocol, outliner: Outliner, cancelled: threading.Event
) -> Found | None:
    """Segment around a level in another process; None when it was cancelled.

    Blocks the thread that calls it, and no other.

    Parameters
    ----------
    protocol : with the level that is looked for
    outliner : it travels to the other process

    Raises
    ------
    GlutsegError
        Those of the segmentation; ``worker-died``.
    """
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="glutseg-") as folder:
        file = Path(folder) / "hu.npy"
        np.save(file, image.hu)  # a pipe would hold up every thread, shared memory is small in containers
        mine, theirs = context.Pipe()
        grids = (image.geometry, image.stored, image.missing_slices)
        job = (theirs, file, grids, protocol, outliner)
        process = context.Process(target=_work, args=job, daemon=True)
        process.start()
        theirs.close()
        try:
            while not mine.poll(POLL_S):
                if cancelled.is_set():
                    return None
            answer: Found | GlutsegError = mine.recv()
        except EOFError as error:
            raise GlutsegError("worker-died", "the segmentation ended without a word") from error
        finally:
            process.kill()
            process.join()
            mine.close()
    if isinstance(answer, GlutsegError):
        raise answer
    return answer


def _work(
    connection: Connection,
    file: Path,
    grids: tuple[Geometry, Geometry, frozenset[int]],
    protocol: Protocol,
    outliner: Outliner,
) -> None:
    with _answered(connection):
        connection.send(_found(CtImage(np.load(file), *grids), protocol, outliner))


@contextmanager
def _answered(connection: Connection) -> Iterator[None]:
    """An error of glutseg goes to whoever asked; any other ends the process, which they notice."""
    try:
        yield
    except GlutsegError as error:
        connection.send(error)


def _found(image: CtImage, protocol: Protocol, outliner: Outliner) -> Found:
    case = measure_case(image, outliner, protocol)
    if case.mask is None or case.result.level is None:
        raise GlutsegError(case.result.error_code, case.result.error_message)
    level = case.result.level.slice_index
    around = image.geometry.slices_around(level, protocol.level.profile_mm)
    return Found(np.ascontiguousarray(case.mask.labels[around.start : around.stop]), around.start, level)
