"""Outlines from other programs or persons, measured by the same route as glutseg's own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glutseg import dicom
from glutseg.case import empty_result, measure_case, series_record
from glutseg.dicom.single import single_series
from glutseg.dicom.text import text
from glutseg.errors import Flag, GlutsegError
from glutseg.exchange.assign import LabelMap, assign
from glutseg.exchange.foreign import ForeignMask, read_foreign
from glutseg.exchange.images import image_header
from glutseg.exchange.owner import check_owner, owner_of_images
from glutseg.exchange.place import Placed, check_frame, place
from glutseg.exchange.terms import Term
from glutseg.image import LABELS, CtImage, Mask, Muscle
from glutseg.measurement import Participants
from glutseg.output.text import plain
from glutseg.protocol import ExtentRule, LevelRule, Protocol, load_protocol, with_level, with_origin
from glutseg.result import CaseResult
from glutseg.segmentation import GivenMaskOutliner

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

GIVEN = GivenMaskOutliner.name
"""Ends the protocol's name, so that no table mixes such areas with glutseg's own unnoticed."""
OUTSIDE_REVIEW = 0.02
"""Share of a region outside the series from which a person should look; less comes from rounding."""
BODY_HU, STRIDE = -300, 4
"""Pixels above are body (or table, which is centred as well); every fourth pixel shows its middle."""


@dataclass(frozen=True)
class Loaded:
    """A series to measure on, the study it belongs to, and why it was taken."""

    study: dicom.Study
    series: dicom.Series
    image: CtImage
    reason: str = "it was named with the mask"

    @cached_property
    def header(self) -> Dataset:
        """Of its first image, as in the file; empty where it has none."""
        return image_header(self.series.slices[0])

    @property
    def frame_uid(self) -> str:
        """Frame of reference; "" where the headers have none."""
        return text(self.header, "FrameOfReferenceUID")


@dataclass(frozen=True)
class Measured:
    """A result on a given mask, with all that is needed to write it."""

    result: CaseResult
    loaded: Loaded
    mask: Mask
    protocol: Protocol


def load_series(index: dicom.Index, series_uid: str | None = None) -> Loaded:
    """The one series of an index that can be meant.

    Raises
    ------
    GlutsegError
        Those of `glutseg.dicom.single.single_series` and `glutseg.dicom.read`.
    """
    series = single_series(index, series_uid)
    owner = next(s for s in index.studies if any(x.series_uid == series.series_uid for x in s.series))
    return Loaded(owner, series, dicom.read(series))


def measure_mask(
    loaded: Loaded,
    file: Path,
    labels: Mapping[str, Term] | None = None,
    *,
    label_map: LabelMap | None = None,
    protocol: Protocol | None = None,
    level: str | None = None,
    participants: Participants | None = None,
) -> Measured:
    """Measure a mask file on a series.

    Parameters
    ----------
    labels, label_map : as in `glutseg.exchange.assign.assign`
    level : a landmark, ``z=MM`` or ``slice=N``; by default the protocol's, or, where the mask has pixels on
        a single slice, that slice

    Raises
    ------
    GlutsegError
        ``mask-unreadable``, ``mask-unplaceable``, ``mask-other-patient``, ``mask-elsewhere``, ``mask-empty``,
        ``labels-unknown``, ``mask-sides-contradicted``, and those of measuring.
    """
    mask, flags = placed_mask(loaded, file, labels, label_map)
    rule = protocol_for(mask, protocol or load_protocol())
    return measure_labels(loaded, mask, flags, rule, level=level, participants=participants)


def placed_mask(
    loaded: Loaded, file: Path, labels: Mapping[str, Term] | None = None, label_map: LabelMap | None = None
) -> tuple[Mask, tuple[Flag, ...]]:
    """A mask file on the grid of a series, and its quality flags; parameters and errors as above."""
    foreign = read_foreign(file)
    terms = assign(foreign, labels, label_map)
    flags = (
        given_flag(file),
        *check_owner(foreign.owner, owner_of_images(loaded.header)),
        *check_frame(foreign, loaded.frame_uid),
    )
    mask, more = _placed(foreign, {term: region.number for term, region in terms.items()}, loaded)
    return mask, (*flags, *more)


def given_flag(file: Path) -> Flag:
    """Whose outline it is: the file's name and the first half of its SHA-256."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()[:32]
    return Flag("mask-given", f"{plain(file.name, 80)}, SHA-256 {digest}...")


def _placed(
    foreign: ForeignMask, numbers: Mapping[Term, int], loaded: Loaded
) -> tuple[Mask, tuple[Flag, ...]]:
    placed = {term: place(foreign, number, loaded.image.geometry) for term, number in numbers.items()}
    return merged({term: p.inside for term, p in placed.items()}, loaded.image), _place_flags(placed)


def _place_flags(placed: Mapping[Term, Placed]) -> tuple[Flag, ...]:
    flags = []
    if any(p.is_resampled for p in placed.values()):
        flags.append(Flag("mask-resampled", "the mask is on another grid than the images"))
    if any(p.on_centres for p in placed.values()):
        flags.append(Flag("contour-on-pixel-centres", "every point of the contours is the centre of a pixel"))
    worst = max(p.share_outside for p in placed.values())
    if worst > OUTSIDE_REVIEW:
        flags.append(Flag("mask-cut", f"{worst:.0%} of a muscle lies outside the images"))
    return tuple(flags)


def merged(inside: Mapping[Term, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]], image: CtImage) -> Mask:
    """One mask of several regions (z, y, x) of an image.

    Raises
    ------
    GlutsegError
        ``labels-unknown`` where two of them share a pixel; ``mask-sides-contradicted``.
    """
    labels = np.zeros(image.geometry.shape, np.uint8)
    for term, region in inside.items():
        if labels[region].any():
            raise GlutsegError("labels-unknown", f"{term.name} overlaps another label")
        labels[region] = term.label
    mask = Mask.on(image, labels)
    _check_sides(mask)
    return mask


def _check_sides(mask: Mask) -> None:
    """Left lies to the patient's left (LPS x grows that way) of right, as in every body."""
    for muscle, sides in LABELS.items():
        x_mm = {side: _x_mm(mask, label) for side, label in sides.items()}
        if x_mm["left"] < x_mm["right"]:  # False where one is NaN
            raise GlutsegError("mask-sides-contradicted", f"the gluteus {muscle} lies the other way round")


def _side_flags(mask: Mask, volume: CtImage) -> tuple[Flag, ...]:
    """A muscle outlined on one side only must lie on that side of what the slices show of the body."""
    touched = np.flatnonzero(mask.labels.any(axis=(1, 2)))
    body = np.argwhere(volume.hu[touched][:, ::STRIDE, ::STRIDE] > BODY_HU) * (1, STRIDE, STRIDE)
    if not len(body):
        return ()
    z, y, x = body.mean(axis=0)
    middle_mm = volume.geometry.point_mm(float(np.interp(z, range(len(touched)), touched)), y, x)[0]
    flags = []
    for muscle, sides in LABELS.items():
        shown = {side: _x_mm(mask, label) for side, label in sides.items() if (mask.labels == label).any()}
        for side, x_mm in shown.items() if len(shown) == 1 else ():
            if (x_mm < middle_mm) == (side == "left"):
                message = (
                    f"the gluteus {muscle} lies {abs(x_mm - middle_mm):.0f} mm beyond the middle of the body"
                )
                flags.append(Flag("mask-side-uncertain", message, side))
    return tuple(flags)


def _x_mm(mask: Mask, label: int) -> float:
    where = np.argwhere(mask.labels == label)
    return mask.geometry.point_mm(*where.mean(axis=0))[0] if len(where) else float("nan")


def measure_labels(
    loaded: Loaded,
    mask: Mask,
    flags: tuple[Flag, ...],
    rule: Protocol,
    *,
    level: str | None = None,
    participants: Participants | None = None,
) -> Measured:
    """Measure labels that lie on the series' own grid, glutseg's labels in them.

    Parameters
    ----------
    rule : the protocol, with all that is to be measured

    Raises
    ------
    GlutsegError
        ``no-usable-series``, ``mask-empty``, ``muscle-not-found``, ``level-outside`` and others of levels.
    """
    image = loaded.image
    if not image.stored.is_axial:
        raise GlutsegError("no-usable-series", "the slices are not axial", loaded.series.series_uid)
    mask = mask.cleared(image.missing_slices)
    if not mask.labels.any():
        raise GlutsegError("mask-empty", "no image shows a pixel of the mask")
    asked = _with_level(rule if level is None else with_level(rule, level), mask, asked=level)
    base = empty_result(loaded.study, participants)
    base = replace(base, flags=base.flags + dicom.series_flags(loaded.series, rule.series))
    outliner = GivenMaskOutliner(mask, flags + _side_flags(mask, image))
    result = measure_case(image, outliner, asked, base=base).result
    if result.status == "failed":
        raise GlutsegError(result.error_code, result.error_message)
    record = series_record(loaded.series, image, result.level, loaded.reason)
    return Measured(replace(result, series=record), loaded, mask, rule)


def protocol_for(mask: Mask, protocol: Protocol) -> Protocol:
    """The protocol for all muscles that a mask has, with its origin in the name."""
    present = [m for m, sides in LABELS.items() if np.isin(list(sides.values()), mask.labels).any()]
    muscles: tuple[Muscle, ...] = ("maximus", *(m for m in present if m != "maximus"))
    extent = ExtentRule(muscles=muscles, whole_muscle=protocol.extent.whole_muscle)
    return with_origin(protocol, GIVEN).model_copy(update={"extent": extent})


def _with_level(rule: Protocol, mask: Mask, *, asked: str | None) -> Protocol:
    """The protocol with the slice of a mask that has only one, unless somebody asked for a level."""
    drawn = np.flatnonzero(mask.labels.any(axis=(1, 2)))
    if asked is not None or len(drawn) != 1:
        return rule
    only = mask.stored.canonical_slice(int(drawn[0]))
    level = LevelRule(landmark="slice", slice_index=only, profile_mm=rule.level.profile_mm)
    return rule.model_copy(update={"level": level})
