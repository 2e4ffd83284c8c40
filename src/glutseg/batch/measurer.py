"""How one study becomes a case: on outlines that an outliner makes, or on outlines that were given."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import dataclass

from glutseg import dicom
from glutseg.case import Case, measure_study
from glutseg.measurement import Participants
from glutseg.protocol import Protocol
from glutseg.segmentation import AUTOMATIC as AUTOMATIC_OUTLINER
from glutseg.segmentation import Outliner


class Measurer(typing.Protocol):
    """One for all studies of a run; it travels to workers."""

    @property
    def name(self) -> str:
        """Ends the protocol's name, so that no table mixes origins unnoticed; "" for glutseg's own."""

    @property
    def has_processes(self) -> bool:
        """Whether it starts processes of its own."""

    def record(self) -> Mapping[str, str]:
        """What stands in run.json; a run goes on only with the same."""

    def check(self) -> None:
        """Raise a `GlutsegError` where it cannot work, before any study is begun."""

    def digest(self, study: dicom.Study, protocol: Protocol) -> str:
        """Of what it reads besides the images; "" where that is nothing."""

    def measure(
        self,
        study: dicom.Study,
        protocol: Protocol,
        participants: Participants | None,
        fetch: dicom.Fetch = dicom.already_local,
    ) -> Case:
        """As `glutseg.case.measure_study`: whatever happens, there is a case."""


@dataclass(frozen=True)
class Automatic:
    """On the outlines of an outliner."""

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

    def digest(self, study: dicom.Study, protocol: Protocol) -> str:
        return ""

    def measure(
        self,
        study: dicom.Study,
        protocol: Protocol,
        participants: Participants | None,
        fetch: dicom.Fetch = dicom.already_local,
    ) -> Case:
        return measure_study(study, protocol, participants, self.outliner, fetch)


AUTOMATIC = Automatic()
