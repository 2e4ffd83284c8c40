"""One series on its way through anatomy, segmentation, measurement and doubts."""

from __future__ import annotations

from dataclasses import replace

from glutseg import anatomy, dicom, quality
from glutseg.anatomy import Hips
from glutseg.case.case import Case, Stopwatch, failed
from glutseg.case.levels import canonical_rule, find_level, named_levels, own_level
from glutseg.case.localise import is_read
from glutseg.case.outliners import GLUTSEG, Outliner
from glutseg.errors import Flag, GlutsegError
from glutseg.image import LABELS, CtImage, Mask, Muscle, Side
from glutseg.measurement import measure_slice, measure_whole, profile, slices_around, slices_of
from glutseg.protocol import Protocol
from glutseg.result import CaseResult, Level, SideMeasurement, Status, WholeMuscle

Measured = tuple[dict[Side, SideMeasurement], tuple[Flag, ...]]


def measure_series(
    loaded: dicom.LoadedSeries,
    protocol: Protocol,
    result: CaseResult,
    clock: Stopwatch,
    near: Hips | None = None,
    outliner: Outliner = GLUTSEG,
) -> Case:
    """Find the level, segment and measure; an error of the segmentation keeps the level for its picture.

    ``near`` is where the hips were seen in a few slices.

    Raises
    ------
    GlutsegError
        ``hips-not-found``, ``landmark-not-found``, ``level-outside``, ``level-in-gap``: another
        series may do better.
    """
    own = loaded.volume.geometry
    volume = loaded.volume.canonical()
    gaps = {own.canonical_slice(k) for k in loaded.missing}
    with clock.time("anatomy"):
        found, level = _find(volume, loaded, protocol, gaps, near, outliner)
    place = own_level(level, own)
    result = replace(
        result,
        flags=result.flags + loaded.flags + level.flags,
        level=place,
        slab_mm=protocol.level.profile_mm,
    )
    try:
        with clock.time("segmentation"):
            around = slices_around(volume.geometry, level.slice_index, protocol.level.profile_mm)
            segmented = outliner.segment(
                volume,
                found,
                around,
                measured=level.slice_index,
                whole=protocol.extent.whole_muscle,
                muscles=protocol.extent.muscles,
            )
        mask = segmented.mask.restored(own).cleared(loaded.missing)  # nothing stands where no image is
        result = replace(
            result,
            flags=result.flags + segmented.flags,
            confidence=dict(segmented.confidence),
            other_confidence={m: dict(sides) for m, sides in segmented.other_confidence.items()},
        )
        with clock.time("measurement"):
            result = with_figures(result, place.slice_index, loaded, mask, protocol)
        if protocol.extent.whole_muscle:
            with clock.time("levels"):
                levels, missing = named_levels(volume, found, segmented.mask, own, gaps)
                result = replace(result, levels=levels, levels_missing=missing)
        found_doubts = doubts(result, place.slice_index, loaded, mask, segmented.visible, segmented.repaired)
    except GlutsegError as error:
        return Case(failed(result, error), loaded.volume)
    result = replace(result, flags=result.flags + found_doubts)
    return Case(replace(result, status=status_of(result.flags)), loaded.volume, mask)


def _find(
    volume: CtImage,
    loaded: dicom.LoadedSeries,
    protocol: Protocol,
    gaps: set[int],
    near: Hips | None,
    outliner: Outliner,
) -> tuple[anatomy.Anatomy, Level]:
    """Hips and level in the canonical ``volume`` of a series; ``gaps`` are its slices without an image."""
    found = anatomy.find_anatomy(volume, near)
    level = find_level(volume, found, canonical_rule(protocol.level, loaded.volume.geometry))
    level = anatomy.on_an_image(level, volume.geometry, gaps)
    if near and not is_read(loaded, found.hips, level, protocol.level.profile_mm, outliner):
        raise GlutsegError("level-outside", "the level lies outside the slices that were read")
    return found, level


def with_figures(
    result: CaseResult, k: int, loaded: dicom.LoadedSeries, mask: Mask, protocol: Protocol
) -> CaseResult:
    """Areas at the level (slice ``k``), the profile, and whole muscles where asked for.

    Raises
    ------
    GlutsegError
        ``muscle-not-found`` when neither side has a pixel on the measured slice.
    """
    volume = loaded.volume
    tissue, muscles = protocol.tissue, protocol.extent.muscles
    measurements, flags = measure_level(volume, mask, k, protocol)
    others: dict[Muscle, dict[Side, SideMeasurement]] = {}
    for muscle in muscles[1:]:
        others[muscle], missing = _present(measure_slice(volume, mask, k, tissue, muscle), muscle)
        flags += missing
    slices = slices_around(volume.geometry, k, protocol.level.profile_mm)
    whole: dict[Muscle, dict[Side, WholeMuscle]] = {}
    if protocol.extent.whole_muscle:
        all_slices = slices_of(mask)
        slices = range(min(slices.start, all_slices.start), max(slices.stop, all_slices.stop))
        is_gapless = not set(all_slices) & set(loaded.missing)
        for muscle in muscles:
            both = measure_whole(volume, mask, tissue, muscle)
            whole[muscle] = {s: replace(w, is_complete=w.is_complete and is_gapless) for s, w in both.items()}
        flags += tuple(flag for muscle in muscles for flag in quality.check_ends(whole[muscle], muscle))
    points = profile(volume, mask, k, slices, tissue, muscles)
    return replace(
        result,
        flags=result.flags + flags,
        measurements=measurements,
        others=others,
        profile=tuple(p for p in points if p.slice_index not in loaded.missing),
        whole=whole,
    )


def measure_level(volume: CtImage, mask: Mask, slice_index: int, protocol: Protocol) -> Measured:
    """Both gluteus maximus muscles on the measured slice; a side without a pixel is left out and flagged.

    Raises
    ------
    GlutsegError
        ``muscle-not-found`` when neither side has a pixel.
    """
    measured, flags = _present(measure_slice(volume, mask, slice_index, protocol.tissue), "maximus")
    if not measured:
        raise GlutsegError(
            "muscle-not-found", "neither side was found on the measured slice", f"slice {slice_index}"
        )
    return measured, flags


def _present(both: dict[Side, SideMeasurement], muscle: Muscle) -> Measured:
    measured = {side: m for side, m in both.items() if m.area_mm2 > 0}
    missing = [side for side in LABELS[muscle] if side not in measured]
    message = f"the gluteus {muscle} was not found on the measured slice"
    return measured, tuple(Flag("muscle-not-found", message, side) for side in missing)


def doubts(
    result: CaseResult,
    k: int,
    loaded: dicom.LoadedSeries,
    mask: Mask,
    visible: dict[Side, float],
    repaired: dict[Side, float],
) -> tuple[Flag, ...]:
    """What a careful reader would doubt of the images and outlines at the level (slice ``k``)."""
    volume = loaded.volume
    slab = (*result.slab("left"), *result.slab("right"))
    return (
        *quality.check_profile(volume.geometry, loaded.missing, k, result.slab_mm),
        *quality.check_metal(volume, mask, k),
        *quality.check_field_of_view(volume, mask, k),
        *quality.check_sides(result.measurements, result.confidence, visible, slab, repaired),
        *(() if is_of_others(result) else quality.check_others(result.others, result.other_confidence)),
    )


def is_of_others(result: CaseResult) -> bool:
    """Whether the outlines are not glutseg's: doubts about its own say nothing of them."""
    return any(flag.code in ("mask-given", "other-outliner") for flag in result.flags)


def status_of(flags: tuple[Flag, ...]) -> Status:
    """``ok`` when no flag asks for a person to look."""
    return "ok" if all(flag.severity == "note" for flag in flags) else "review"
