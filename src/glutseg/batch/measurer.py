"""Measure one study, with outlines that an outliner makes or with given masks."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from glutseg import dicom
from glutseg.measurement import Participants
from glutseg.protocol import Protocol
from glutseg.segmentation import AUTOMATIC as AUTOMATIC_OUTLINER
from glutseg.segmentation import Outliner

if typing.TYPE_CHECKING:
    from glutseg.case import Case

LoadStudy = Callable[[], dicom.Study]


class Measurer(typing.Protocol):
    """Measures the studies of a run; pickled and sent to the workers."""

    @property
    def name(self) -> str:
        """Suffix of the protocol's name, so that every row says who outlined; "" for glutseg's own."""

    @property
    def has_processes(self) -> bool:
        """Whether it starts child processes."""

    def record(self) -> Mapping[str, str]:
        """What run.json records of it; a run is resumed only with the same record."""

    def check(self) -> None:
        """Raise a `GlutsegError` if it cannot work, before the first study."""

    def file_of(self, load_study: LoadStudy, protocol: Protocol) -> Path | None:
        """The file that it reads for a study besides the images, there or not yet; None for nothing."""

    def measure(
        self,
        study: dicom.Study,
        protocol: Protocol,
        participants: Participants | None,
        fetch: dicom.Fetch = dicom.already_local,
    ) -> Case:
        """As `glutseg.case.measure_study`: errors become a failed case."""


@dataclass(frozen=True)
class Automatic:
    """Measures on the outlines of an outliner."""

    outliner: Outliner = AUTOMATIC_OUTLINER

    @property
    def name(self) -> str:
        return "" if self.outliner == AUTOMATIC_OUTLINER else self.outliner.name

    @property
    def has_processes(self) -> bool:
        return self.outliner.has_processes

    def record(self) -> Mapping[str, str]:
        return self.outliner.record()

    def check(self) -> None:
        self.outliner.check()

    def file_of(self, load_study: LoadStudy, protocol: Protocol) -> Path | None:
        return None

    def measure(
        self,
        study: dicom.Study,
        protocol: Protocol,
        participants: Participants | None,
        fetch: dicom.Fetch = dicom.already_local,
    ) -> Case:
        from glutseg.case import measure_study

        return measure_study(study, protocol, participants, self.outliner, fetch)


AUTOMATIC = Automatic()
