"""Doubts about the surroundings of the level: slices that are not there."""

from __future__ import annotations

from collections.abc import Collection

from glutseg.errors import Flag
from glutseg.image import Geometry


def check_profile(
    geometry: Geometry, missing: Collection[int], slice_index: int, reach_mm: float
) -> tuple[Flag, ...]:
    """``profile-incomplete`` where images are missing, or the series ends, within ``reach_mm`` of a slice.

    Parameters
    ----------
    geometry : of an axial series
    missing : its slices without an image
    slice_index : the measured one
    reach_mm : up and down, in steps of whole slices
    """
    if geometry.shape[0] == 1:
        return ()  # a single slice has no surroundings: ``single-slice`` says so
    step_mm = geometry.slice_step_mm
    reach = int((reach_mm + 0.01) / step_mm)
    places = range(slice_index - reach, slice_index + reach + 1)
    n_beyond = sum(not 0 <= k < geometry.shape[0] for k in places)
    n_missing = sum(k in missing for k in places)
    if not n_beyond + n_missing:
        return ()
    words = [f"{n_missing} {'has' if n_missing == 1 else 'have'} no image"] if n_missing else []
    words += (
        [f"{n_beyond} {'lies' if n_beyond == 1 else 'lie'} beyond the end of the images"] if n_beyond else []
    )
    detail = f"of {len(places)} slices within {reach_mm:g} mm of the level {' and '.join(words)}"
    return (Flag("profile-incomplete", detail),)
