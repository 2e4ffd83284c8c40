"""Who outlines the muscles once hips and level are known: glutseg itself, or another program."""

from __future__ import annotations

import typing
from collections.abc import Callable
from dataclasses import dataclass

from glutseg import segmentation
from glutseg.anatomy import Anatomy
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Muscle
from glutseg.segmentation import Segmentation, Settings
from glutseg.segmentation.totalsegmentator import TotalSegmentator


class Outliner(typing.Protocol):
    """One way to outline; travels to workers, so it holds its options and nothing else.

    Attributes
    ----------
    name : as in `OUTLINERS`
    hips_context_mm, slices_context_mm : how far above and below the tops of the femoral heads, and the slices
        to be segmented, images have to be read for it
    has_processes : whether it starts processes of its own
    """

    @property
    def name(self) -> str: ...
    @property
    def hips_context_mm(self) -> float: ...
    @property
    def slices_context_mm(self) -> float: ...
    @property
    def has_processes(self) -> bool: ...

    def record(self) -> dict[str, str]:
        """What stands in run.json; a run goes on only with the same."""

    def check(self) -> None:
        """Raise a `GlutsegError` where it cannot work, before any study is begun."""

    def segment(
        self,
        volume: CtImage,
        anatomy: Anatomy,
        slices: range,
        *,
        measured: int,
        whole: bool,
        muscles: tuple[Muscle, ...],
    ) -> Segmentation:
        """As `glutseg.segmentation.segment`."""


@dataclass(frozen=True)
class Glutseg:
    """glutseg's own growing regions (`glutseg.segmentation`)."""

    name = "glutseg"
    hips_context_mm = Settings().context_mm
    slices_context_mm = 0.0
    has_processes = False

    def record(self) -> dict[str, str]:
        return {"name": self.name}

    def check(self) -> None:
        """It can always work."""

    def segment(
        self,
        volume: CtImage,
        anatomy: Anatomy,
        slices: range,
        *,
        measured: int,
        whole: bool,
        muscles: tuple[Muscle, ...],
    ) -> Segmentation:
        return segmentation.segment(volume, anatomy, slices, measured=measured, whole=whole, muscles=muscles)


GLUTSEG = Glutseg()


def _own(device: str) -> Outliner:
    if device:
        raise GlutsegError("outliner-unknown", "a device can be chosen for networks only, not for glutseg")
    return GLUTSEG


def _totalsegmentator(device: str) -> Outliner:
    return TotalSegmentator(device) if device else TotalSegmentator()


OUTLINERS: dict[str, Callable[[str], Outliner]] = {
    Glutseg.name: _own,
    TotalSegmentator.name: _totalsegmentator,
}
"""By name; each is made from the device asked for, or "" for its own choice."""


def named_outliner(name: str, device: str = "") -> Outliner:
    """An outliner by its name.

    Raises
    ------
    GlutsegError
        ``outliner-unknown``.
    """
    if name not in OUTLINERS:
        raise GlutsegError("outliner-unknown", f"no outliner {name!r}; there are {', '.join(OUTLINERS)}")
    return OUTLINERS[name](device)
