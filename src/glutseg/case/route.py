"""The one route from pixels to a result: level, outlines, measurement, quality checks.

Run, Python, viewer, given masks and other programs' outlines all go this way and differ in the `Outliner`.
`measure_case` is the whole way, `outline_level` its first half, for outlines on the screen; `locate`, an
outliner's ``outline`` and `measure_outlines` are its parts, for those who enter later (a corrected mask).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from glutseg import quality
from glutseg.anatomy import Anatomy, Hips, hip_flags
from glutseg.case.levels import locate, named_levels
from glutseg.case.localise import all_read
from glutseg.case.model import Case, Stopwatch, failed
from glutseg.errors import Flag, GlutsegError
from glutseg.image import LABELS, SIDES, CtImage, Mask, Muscle
from glutseg.measurement import measure_slice, measure_whole, profile, slices_of
from glutseg.protocol import Protocol
from glutseg.result import CaseResult, Level, MuscleResult, ProfilePoint, SliceMeasurement, Status
from glutseg.segmentation import AUTOMATIC, GivenMaskOutliner, OutlineQuality, Outliner, Outlines
from glutseg.settings import QualitySettings

NOBODY = CaseResult(case_id="", patient_id="", study_uid="", study_date="", status="failed")
"""Of an image that belongs to no study."""


def measure_case(
    image: CtImage,
    outliner: Outliner = AUTOMATIC,
    protocol: Protocol | None = None,
    *,
    base: CaseResult = NOBODY,
    hips: Hips | None = None,
    clock: Stopwatch | None = None,
) -> Case:
    """Find the level, outline the muscles, measure and check them.

    An error after the level was found keeps the level, so that a picture can show where it lies.

    Parameters
    ----------
    base : what is known of the study already
    hips : what `glutseg.anatomy.localised_hips` gives for this image, where it is known already
    clock : takes the seconds of the stages

    Raises
    ------
    GlutsegError
        ``hips-not-found``, ``landmark-not-found``, ``level-outside``, ``level-in-gap``: another
        series may do better.
    """
    protocol = protocol or Protocol(name="femoral-head-top")
    clock = clock or Stopwatch()
    with clock.time("anatomy"):
        anatomy, level = _located(image, outliner, protocol, hips=hips)
    of_image = (*image.flags, *_image_flags(image, anatomy, level, protocol))
    result = replace(base, outliner=outliner.name, flags=base.flags + of_image, level=level)
    try:
        with clock.time("segmentation"):
            outlines = _outlined(image, outliner, protocol, anatomy, level)
        result = replace(result, flags=result.flags + outlines.flags)
        with clock.time("measurement"):
            result = measure_outlines(result, image, outlines, level, protocol)
        if anatomy and protocol.extent.whole_muscle:
            with clock.time("levels"):
                levels, missing = named_levels(image, anatomy, outlines.mask)
                result = replace(result, levels=levels, levels_missing=missing)
    except GlutsegError as error:
        if error.scope == "run":
            raise
        return Case(failed(result, error), image)
    others = {
        which: known.other_outline
        for which, known in outlines.quality.items()
        if known.other_outline is not None
    }
    return Case(result, image, outlines.mask, others)


def outline_level(
    image: CtImage, outliner: Outliner, protocol: Protocol, known: Anatomy | None = None
) -> tuple[Level, Mask]:
    """The first half of `measure_case`: the same level and mask, neither measured nor checked.

    Parameters
    ----------
    known : what `glutseg.anatomy.find_anatomy` gives for this image and method, where it is known already

    Raises
    ------
    GlutsegError
        Those of `measure_case`; ``muscle-not-found`` as of `measure_outlines`.
    """
    anatomy, level = _located(image, outliner, protocol, known=known)
    mask = _outlined(image, outliner, protocol, anatomy, level).mask
    if not np.isin(mask.labels[level.slice_index], list(SIDES.values())).any():
        raise _none_found(level)
    return level, mask


def _located(
    image: CtImage,
    outliner: Outliner,
    protocol: Protocol,
    *,
    hips: Hips | None = None,
    known: Anatomy | None = None,
) -> tuple[Anatomy | None, Level]:
    anatomy, level = locate(
        image, protocol.level, protocol.method, needs_hips=outliner.needs_hips, hips=hips, known=known
    )
    if anatomy and not all_read(image, anatomy.hips, level, protocol, outliner):
        raise GlutsegError("level-outside", "the level lies outside the slices that were read")
    return anatomy, level


def _image_flags(
    image: CtImage, anatomy: Anatomy | None, level: Level, protocol: Protocol
) -> tuple[Flag, ...]:
    """What the images say about hips, and whether the slices that are measured belong together."""
    of_hips = hip_flags(anatomy) if anatomy else ()
    heads = (anatomy.hips.left, anatomy.hips.right) if anatomy else ()
    heights_mm = (level.z_mm, *(head.centre_mm[2] for head in heads))
    return (*of_hips, *quality.check_continuity(image, heights_mm, protocol.method.quality))


def _outlined(
    image: CtImage, outliner: Outliner, protocol: Protocol, anatomy: Anatomy | None, level: Level
) -> Outlines:
    outlines = outliner.outline(image, anatomy, level, protocol)
    return replace(outlines, mask=outlines.mask.cleared(image.missing_slices))  # nothing where no image is


def _none_found(level: Level) -> GlutsegError:
    where = f"slice {level.slice_index}"
    return GlutsegError("muscle-not-found", "neither side was found on the measured slice", where)


def measure_outlines(
    base: CaseResult, image: CtImage, outlines: Outlines, level: Level, protocol: Protocol
) -> CaseResult:
    """Areas at the level, the profile, whole muscles where asked for, quality checks and status.

    Parameters
    ----------
    base : whose outlines they are; its flags stay, all figures are made anew

    Raises
    ------
    GlutsegError
        ``muscle-not-found`` when neither gluteus maximus has a pixel on the measured slice;
        ``geometry-mismatch``; ``level-outside``, ``level-in-gap``, ``slice-not-read``.
    """
    mask, muscles = outlines.mask, protocol.extent.muscles
    records = [record for muscle in muscles for record in _records(image, outlines, level, muscle, protocol)]
    if not any(r.measurement for r in records if r.muscle == "maximus"):
        raise _none_found(level)
    slices = _profile_slices(image, mask, level, protocol)
    result = replace(
        base,
        level=level,
        profile=profile(image, mask, level.slice_index, slices, protocol.tissue, muscles),
        profile_mm=protocol.level.profile_mm,
        muscles=tuple(records),
    )
    return _checked(result, image, mask, level.slice_index, protocol.method.quality)


def status_of(flags: tuple[Flag, ...]) -> Status:
    """``ok`` when no flag asks for a person to look."""
    return "ok" if all(flag.severity == "note" for flag in flags) else "review"


def _records(
    image: CtImage, outlines: Outlines, level: Level, muscle: Muscle, protocol: Protocol
) -> list[MuscleResult]:
    """Both sides of a muscle, before they are checked."""
    mask, tissue = outlines.mask, protocol.tissue
    measured = measure_slice(image, mask, level.slice_index, tissue, muscle)
    whole = measure_whole(image, mask, tissue, muscle) if protocol.extent.whole_muscle else {}
    records = []
    for side in LABELS[muscle]:
        known = outlines.quality.get((muscle, side), OutlineQuality())
        figures = measured[side] if measured[side].area_mm2 > 0 else None
        records.append(
            MuscleResult(
                muscle,
                side,
                measurement=figures,
                error_bound_percent=_error_bound_percent(figures, known),
                agreement=known.agreement,
                other_area_mm2=known.other_area_mm2,
                differs_at=known.where,
                edge_support=known.edge_support,
                uncertainty_measures={} if known.evidence is None else known.evidence.measures,
                whole=whole.get(side),
            )
        )
    return records


def _error_bound_percent(figures: SliceMeasurement | None, known: OutlineQuality) -> float | None:
    """None for an outline without area, and where nobody knows how certain it is."""
    if figures is None:
        return None
    if known.error_bound_percent is not None or known.evidence is None:
        return known.error_bound_percent
    return quality.error_bound_percent(known.evidence)


def _profile_slices(image: CtImage, mask: Mask, level: Level, protocol: Protocol) -> range:
    """Around the level; with whole muscles on to their ends."""
    around = image.geometry.slices_around(level.slice_index, protocol.level.profile_mm)
    if not protocol.extent.whole_muscle:
        return around
    drawn = slices_of(mask)
    return range(min(around.start, drawn.start), max(around.stop, drawn.stop))


def _checked(
    result: CaseResult, image: CtImage, mask: Mask, slice_index: int, settings: QualitySettings
) -> CaseResult:
    """The result with its quality flags, each with what it concerns, and the status that follows."""
    picture = quality.Picture.of(image, mask, slice_index, settings)
    of_slice = (
        *quality.check_metal(image, mask, slice_index, settings),
        *quality.check_projection(image, mask, slice_index, settings),
        *quality.check_slice(picture),
        *(quality.check_fit(picture) if result.outliner == GivenMaskOutliner.name else ()),
    )
    around = tuple(
        point
        for side in SIDES
        for point in result.profile_around_level(side)
        if point.measurement.area_mm2 > 0
    )
    muscles = tuple(
        replace(record, flags=_flags_of(record, around, of_slice, settings)) for record in result.muscles
    )
    flags = (
        *quality.check_profile(image.geometry, image.missing_slices, slice_index, result.profile_mm),
        *(flag for flag in of_slice if not flag.side),
        *quality.check_difference(around, settings),
    )
    checked = replace(result, muscles=muscles, measurement_flags=flags)
    return replace(checked, status=status_of(checked.all_flags))


def _flags_of(
    record: MuscleResult,
    around: tuple[ProfilePoint, ...],
    of_slice: tuple[Flag, ...],
    settings: QualitySettings,
) -> tuple[Flag, ...]:
    """What the checks find about one muscle and side; ``around`` is the profile of the gluteus maximus."""
    of_any = (*quality.check_found(record), *quality.check_ends(record))
    if record.muscle != "maximus":
        return (*of_any, *quality.check_error_bound(record, settings))
    return (
        *of_any,
        *(flag for flag in of_slice if flag.side == record.side),
        *quality.check_outline(record, around, settings),
    )
