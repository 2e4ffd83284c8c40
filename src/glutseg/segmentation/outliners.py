"""Who outlines the muscles once the level is known: glutseg itself, another program, or a given mask."""

from __future__ import annotations

import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from glutseg.errors import Flag, GlutsegError
from glutseg.image import CtImage, Mask
from glutseg.protocol import Protocol
from glutseg.result import Level
from glutseg.segmentation.network import Network, chosen_weights
from glutseg.segmentation.outlines import Outlines
from glutseg.segmentation.side_grid import CONTEXT_MM
from glutseg.segmentation.totalsegmentator import TotalSegmentator

if TYPE_CHECKING:
    from glutseg.anatomy import Anatomy


class Outliner(typing.Protocol):
    """One way to outline; travels to workers, so it holds its options and nothing else.

    Attributes
    ----------
    name : as in `OUTLINERS`; ends the name of the protocol in the tables unless it is glutseg's own
    needs_hips : whether it has to know where the hips are
    hips_context_mm, slices_context_mm : how far above and below the tops of the femoral heads, and the slices
        to be segmented, images have to be read for it
    has_processes : whether it starts processes of its own
    """

    @property
    def name(self) -> str: ...
    @property
    def needs_hips(self) -> bool: ...
    @property
    def hips_context_mm(self) -> float: ...
    @property
    def slices_context_mm(self) -> float: ...
    @property
    def has_processes(self) -> bool: ...

    def record(self) -> dict[str, str]:
        """What stands in run.json; a run is only resumed with the same."""

    def check(self) -> None:
        """Raise a `GlutsegError` where it cannot work, before any study is begun."""

    def outline(self, image: CtImage, anatomy: Anatomy | None, level: Level, protocol: Protocol) -> Outlines:
        """The muscles that the protocol names, around the level or from end to end.

        Parameters
        ----------
        image : axial
        anatomy : of the same image; None only where the outliner does not need the hips

        Raises
        ------
        GlutsegError
            ``muscle-not-found`` and others that end the measurement of the study.
        """


@dataclass(frozen=True)
class AutomaticOutliner:
    """glutseg's own learned prior and region growing (`glutseg.segmentation.segment`)."""

    name = "glutseg"
    needs_hips = True
    hips_context_mm = 0.0
    slices_context_mm = CONTEXT_MM
    has_processes = False

    def record(self) -> dict[str, str]:
        """Its network's weights decide the outlines as much as the version does."""
        return {"name": self.name, "network_sha256": Network(chosen_weights()).check()}

    def check(self) -> None:
        """Look whether the network's weights are whole.

        Raises
        ------
        GlutsegError
            ``network-damaged``.
        """
        Network(chosen_weights()).check()

    def outline(self, image: CtImage, anatomy: Anatomy | None, level: Level, protocol: Protocol) -> Outlines:
        if anatomy is None:
            msg = "the muscles are sought behind the hips, which are not known"
            raise ValueError(msg)
        from glutseg.segmentation.gluteus import segment
        from glutseg.segmentation.single_slice import segment_slice

        if image.geometry.shape[0] == 1:
            return segment_slice(
                image, anatomy, protocol.method.segmentation, muscles=protocol.extent.muscles
            )
        return segment(
            image,
            anatomy,
            image.geometry.slices_around(level.slice_index, protocol.level.profile_mm),
            protocol.method.segmentation,
            slice_index=level.slice_index,
            whole_muscle=protocol.extent.whole_muscle,
            muscles=protocol.extent.muscles,
        )


@dataclass(frozen=True)
class GivenMaskOutliner:
    """Outlines that somebody else made; they are measured as they are.

    Attributes
    ----------
    mask : on the grid of the image
    flags : what is to be known of the mask
    """

    mask: Mask
    flags: tuple[Flag, ...] = ()

    name = "given-mask"
    needs_hips = False
    hips_context_mm = 0.0
    slices_context_mm = 0.0
    has_processes = False

    def record(self) -> dict[str, str]:
        return {"name": self.name}

    def check(self) -> None:
        """A mask that cannot be used is its study's failure only."""

    def outline(self, image: CtImage, anatomy: Anatomy | None, level: Level, protocol: Protocol) -> Outlines:
        return Outlines(self.mask, flags=self.flags)


AUTOMATIC = AutomaticOutliner()


def _automatic(device: str) -> Outliner:
    if device:
        raise GlutsegError(
            "outliner-unknown", "a device can be chosen for other outliners only: glutseg's runs on the CPU"
        )
    return AUTOMATIC


def _totalsegmentator(device: str) -> Outliner:
    return TotalSegmentator(device) if device else TotalSegmentator()


OUTLINERS: dict[str, Callable[[str], Outliner]] = {
    AutomaticOutliner.name: _automatic,
    TotalSegmentator.name: _totalsegmentator,
}
"""By name; each is made from the device asked for, or "" for its own choice. Given masks are made by
`glutseg.exchange`, which reads their files."""


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
