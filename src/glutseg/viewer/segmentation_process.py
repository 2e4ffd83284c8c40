"""Segmentation in a process of its own, so that the screen never waits and it can be cancelled.

It takes the same route as a run (`glutseg.case.measure_case`), and so gives the same pixels.
"""

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


def segment_in_process(
    image: CtImage, protocol: Protocol, outliner: Outliner, cancelled: threading.Event
) -> OutlinesNearLevel | None:
    """Outline the muscles around a level in another process; None when it was cancelled.

    Blocks only the thread that calls it.

    Parameters
    ----------
    protocol : with the level; a slice in it counts in the order of the files
    outliner : it is sent to the other process
    cancelled : once it is set, the process is killed

    Raises
    ------
    GlutsegError
        Those of `glutseg.case.measure_case`; ``worker-died``.
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
            answer: OutlinesNearLevel | GlutsegError = mine.recv()
        except EOFError as error:
            raise GlutsegError(
                "worker-died", "the process of the segmentation ended without an answer"
            ) from error
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
        image = CtImage(np.load(file), *grids)
        # whole muscles would take minutes, and change nothing near the level
        extent = protocol.extent.model_copy(update={"whole_muscle": False})
        connection.send(_outlines(image, protocol.model_copy(update={"extent": extent}), outliner))


@contextmanager
def _answered(connection: Connection) -> Iterator[None]:
    """Send an error of glutseg to the caller; any other ends the process, which the caller notices."""
    try:
        yield
    except GlutsegError as error:
        connection.send(error)


def _outlines(image: CtImage, protocol: Protocol, outliner: Outliner) -> OutlinesNearLevel:
    case = measure_case(image, outliner, protocol)
    if case.mask is None or case.result.level is None:
        raise GlutsegError(case.result.error_code, case.result.error_message)
    slice_index = case.result.level.slice_index
    around = image.geometry.slices_around(slice_index, protocol.level.profile_mm)
    labels = np.ascontiguousarray(case.mask.labels[around.start : around.stop])
    return OutlinesNearLevel(labels, around.start, slice_index)
