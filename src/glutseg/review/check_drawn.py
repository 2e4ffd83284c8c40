"""What looks wrong about a mask drawn by hand, on the measured slice: asked about before it is kept.

Pure functions on arrays: a screen asks, a script or a test can as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.anatomy import Midplane
from glutseg.errors import Flag
from glutseg.image import LABELS, CtImage, LabelArray, Mask, Muscle, Side
from glutseg.protocol import TissueRule
from glutseg.quality import Picture
from glutseg.review.remeasure import Remeasured
from glutseg.settings import CORRECTION, CorrectionSettings

BoolArray = npt.NDArray[np.bool_]
Kind = Literal["across-midline", "islands", "holes", "fat", "outside-body", "size", "not-measured"]
KEPT_ANYWAY = "correction-questioned"
"""Code of the flag that a finding leaves where the correction was kept anyway."""


@dataclass(frozen=True)
class Finding:
    """Something to ask about.

    Attributes
    ----------
    slice_index : from 0 at the feet
    side : None where it concerns no side
    area_mm2 : of the pixels concerned
    percent : the same of the area drawn for this muscle and side
    words : what was found, without slice and side
    """

    kind: Kind
    slice_index: int
    words: str
    side: Side | None = None
    muscle: Muscle = "maximus"
    area_mm2: float = 0.0
    percent: float = 0.0

    @property
    def sentence(self) -> str:
        """Slice, side and what was found there."""
        where = f"slice {self.slice_index}"
        if self.side is not None:
            where += f", {self.side}" + ("" if self.muscle == "maximus" else f" gluteus {self.muscle}")
        return f"{where}: {self.words}"

    @property
    def flag(self) -> Flag:
        """The quality flag of a correction that is kept although this was found."""
        return Flag(KEPT_ANYWAY, self.sentence, self.side or "")


def kept(measured: Remeasured, findings: tuple[Finding, ...]) -> Remeasured:
    """A correction that is kept although something was asked about: a flag for each finding."""
    result = measured.result
    flags = tuple(finding.flag for finding in findings)
    return replace(measured, result=replace(result, measurement_flags=result.measurement_flags + flags))


def kept_note(note: str, findings: tuple[Finding, ...]) -> str:
    """A reviewer's note, and what was kept although it was asked about."""
    if not findings:
        return note
    asked = "kept although asked about: " + "; ".join(finding.sentence for finding in findings)
    return f"{note} [{asked}]" if note else f"[{asked}]"


@dataclass(frozen=True)
class Drawn:
    """One muscle of one side on one slice: what was drawn, and what the automatic outline was there."""

    muscle: Muscle
    side: Side
    now: BoolArray
    automatic: BoolArray


def check_drawn(
    image: CtImage,
    labels: LabelArray,
    slice_index: int,
    midplane: Midplane,
    tissue: TissueRule,
    automatic: LabelArray | None = None,
    automatic_slice: int | None = None,
    settings: CorrectionSettings = CORRECTION,
) -> tuple[Finding, ...]:
    """What to ask about before a correction is kept.

    Outlines that are as the automatic ones are not asked about.

    Parameters
    ----------
    labels, automatic : (z, y, x), as drawn and as found; no ``automatic`` where nothing was found
    slice_index : of the level, in canonical order
    automatic_slice : of the automatic level, whose share of fat is compared with; None where there is none
    midplane : between the patient's sides
    """
    findings = list(_off_level(labels, automatic, slice_index, automatic_slice))
    before = np.zeros_like(labels[slice_index]) if automatic is None else automatic[slice_index]
    usual = None if automatic is None or automatic_slice is None else automatic[automatic_slice]
    picture = Picture.of(image, Mask.on(image, labels), slice_index)
    left_of_mm = midplane.left_of_mm(image.geometry, slice_index)
    for muscle, sides in LABELS.items():
        for side, label in sides.items():
            drawn = Drawn(muscle, side, labels[slice_index] == label, before == label)
            if not drawn.now.any() or np.array_equal(drawn.now, drawn.automatic):
                continue
            usual_share = None
            if usual is not None and automatic_slice is not None and (usual == label).any():
                usual_share = _fat_share(image.hu[automatic_slice], usual == label, tissue)
            beyond_mm = -left_of_mm if side == "left" else left_of_mm
            found = (
                _across(drawn, beyond_mm, picture, settings),
                _islands(drawn, picture, settings),
                _holes(drawn, settings),
                _outside(drawn, picture, settings),
                _fat(drawn, picture, tissue, usual_share, settings),
                _size(drawn, picture),
            )
            findings += [_placed(*one, slice_index, drawn, picture) for one in found if one is not None]
    return tuple(findings)


_Found = tuple[Kind, int, str]
"""Kind, pixels concerned, words with a place for the area in mm² and the percentage."""


def _placed(kind: Kind, n: int, words: str, slice_index: int, drawn: Drawn, picture: Picture) -> Finding:
    area_mm2 = float(n * picture.pixel_area_mm2)
    percent = 100 * n / np.count_nonzero(drawn.now)
    amount = f"{area_mm2:.0f} mm² ({percent:.1f} %)"
    return Finding(
        kind, slice_index, words.format(amount=amount), drawn.side, drawn.muscle, area_mm2, float(percent)
    )


def _off_level(
    labels: LabelArray, automatic: LabelArray | None, slice_index: int, automatic_slice: int | None
) -> Iterator[Finding]:
    """Changes on other slices only, while the measured one is the automatic one: the figures are the same."""
    if automatic is None or slice_index != automatic_slice:
        return
    changed = changed_slices(labels, automatic)
    if changed and slice_index not in changed:
        words = f"is as it was, and it is measured; drawn on: {in_words(changed)}"
        yield Finding("not-measured", slice_index, words)


def changed_slices(labels: LabelArray, before: LabelArray) -> list[int]:
    """Slices on which anything differs."""
    return [int(k) for k in np.nonzero((labels != before).any(axis=(1, 2)))[0]]


def in_words(slices: list[int], most: int = 4) -> str:
    """Numbers of slices in words: slice 3; slices 3 and 5; slices 3, 4, 5, 6 and 12 more."""
    if len(slices) == 1:
        return f"slice {slices[0]}"
    named = [str(k) for k in slices[:most]]
    last = f"{len(slices) - most} more" if len(slices) > most else named.pop()
    return f"slices {', '.join(named)} and {last}"


def _across(
    drawn: Drawn, beyond_mm: npt.NDArray[np.float64], picture: Picture, settings: CorrectionSettings
) -> _Found | None:
    n = _count(drawn.now & (beyond_mm > settings.midline_slack_mm))
    if n * picture.pixel_area_mm2 < settings.min_across_mm2:
        return None
    other = "right" if drawn.side == "left" else "left"
    return "across-midline", n, f"{{amount}} on the patient's {other}, across the midline"


def _islands(drawn: Drawn, picture: Picture, settings: CorrectionSettings) -> _Found | None:
    """Pieces apart from the largest that the automatic outline does not have."""
    pieces, _ = ndi.label(drawn.now, np.ones((3, 3)))
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    sizes[np.argmax(sizes)] = 0
    is_island = sizes * picture.pixel_area_mm2 >= settings.min_island_mm2
    islands = is_island[pieces]
    n = _count(islands)
    if not n or not (islands & ~drawn.automatic).any():
        return None
    count = np.count_nonzero(is_island)
    few = n <= settings.max_islands_share * np.count_nonzero(drawn.now)
    words = f"{count} piece{'s' if count > 1 else ''} of {{amount}} apart from the muscle"
    return None if few else ("islands", n, words)


def _holes(drawn: Drawn, settings: CorrectionSettings) -> _Found | None:
    """Holes that the automatic outline does not have: the area is that of what fascia encloses."""
    holes = np.asarray(ndi.binary_fill_holes(drawn.now)) & ~drawn.now
    automatic = np.asarray(ndi.binary_fill_holes(drawn.automatic)) & ~drawn.automatic
    n = _count(holes & ~automatic)
    if n <= settings.max_holes_share * np.count_nonzero(drawn.now):
        return None
    return "holes", n, "holes of {amount}, which count as no muscle"


def _outside(drawn: Drawn, picture: Picture, settings: CorrectionSettings) -> _Found | None:
    n = _count(drawn.now & (~picture.body | (picture.hu < settings.air_hu)))
    if n * picture.pixel_area_mm2 < settings.min_outside_mm2:
        return None
    return "outside-body", n, "{amount} is air or lies outside of the body"


def _fat(
    drawn: Drawn,
    picture: Picture,
    tissue: TissueRule,
    usual_share: float | None,
    settings: CorrectionSettings,
) -> _Found | None:
    share = _fat_share(picture.hu, drawn.now, tissue)
    n = round(share * np.count_nonzero(drawn.now))
    limit_hu = f"below {tissue.muscle_hu[0]} HU"
    if usual_share is None:
        words = f"{{amount}} is fat ({limit_hu})"
        return ("fat", n, words) if share > settings.max_fat_share else None
    if share - usual_share <= settings.max_fat_rise:
        return None
    return "fat", n, f"{{amount}} is fat ({limit_hu}); in the automatic outline {100 * usual_share:.1f} %"


def _size(drawn: Drawn, picture: Picture) -> _Found | None:
    """As what is flagged in automatic outlines."""
    n = _count(drawn.now)
    least_mm2, most_mm2 = picture.settings.area_mm2
    if drawn.muscle != "maximus" or least_mm2 <= n * picture.pixel_area_mm2 <= most_mm2:
        return None
    return "size", n, f"{{amount}} in all; {least_mm2:.0f} to {most_mm2:.0f} mm² are usual"


def _count(where: BoolArray) -> int:
    return int(np.count_nonzero(where))


def _fat_share(hu: npt.NDArray[np.int16], where: BoolArray, tissue: TissueRule) -> float:
    return float(np.mean(hu[where] < tissue.muscle_hu[0]))
