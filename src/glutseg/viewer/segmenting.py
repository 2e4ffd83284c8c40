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

from glutseg import anatomy, segmentation
from glutseg.case import locate
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Geometry, LabelArray
from glutseg.measurement import slices_around
from glutseg.protocol import LevelRule, Protocol

POLL_S = 0.05


@dataclass(frozen=True)
class Found:
    """Labels (canonical) around a level, and which slice that is.

    Attributes
    ----------
    start : canonical slice of ``labels[0]``
    level : canonical slice
    """

    labels: LabelArray
    start: int
    level: int

    @property
    def stop(self) -> int:
        return self.start + len(self.labels)


def segment_apart(
    volume: CtImage, level: int | LevelRule, protocol: Protocol, cancelled: threading.Event
) -> Found | None:
    """Segment around a level in another process; None when it was cancelled.

    Blocks the thread that calls it, and no other.

    Parameters
    ----------
    volume : canonical
    level : a canonical slice, or a rule to find it by

    Raises
    ------
    GlutsegError
        Those of the segmentation; ``worker-died``.
    """
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="glutseg-") as folder:
        file = Path(folder) / "hu.npy"
        np.save(file, volume.hu)  # a pipe would hold up every thread, shared memory is small in containers
        mine, theirs = context.Pipe()
        job = (theirs, file, volume.geometry, level, protocol)
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
    connection: Connection, file: Path, geometry: Geometry, level: int | LevelRule, protocol: Protocol
) -> None:
    with _answered(connection):
        connection.send(_found(CtImage(np.load(file), geometry), level, protocol))


@contextmanager
def _answered(connection: Connection) -> Iterator[None]:
    """An error of glutseg goes to whoever asked; any other ends the process, which they notice."""
    try:
        yield
    except GlutsegError as error:
        connection.send(error)


def _found(volume: CtImage, level: int | LevelRule, protocol: Protocol) -> Found:
    if isinstance(level, LevelRule):
        level = locate(volume, level).slice_index
    around = slices_around(volume.geometry, level, protocol.level.profile_mm)
    seen = anatomy.find_anatomy(volume)
    mask = segmentation.segment(volume, seen, around, muscles=protocol.extent.muscles).mask
    return Found(np.ascontiguousarray(mask.labels[around.start : around.stop]), around.start, level)
