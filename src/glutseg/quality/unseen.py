"""Where the picture ends before its array does.

A round field of reconstruction, a crop or an anonymiser leave pixels behind that show nothing, filled with
anything. They are told from air by one of three marks: one constant value over a whole corner; nothing but
noise beyond a straight line or a circle, and at that line tissue that begins with full pixels; or, where part
of a picture was blacked out, one constant value that begins at a line of full pixels along a row or column.
Skin lies anywhere within its pixels, so that part of them is half air.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.settings import QualitySettings

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
Int16Array = npt.NDArray[np.int16]
_CORNERS = ((0, 0), (0, -1), (-1, 0), (-1, -1))
_TRIALS = 300
"""Circles that are tried: of points of which a third lie on one, three of it are then found almost surely."""
_MOST_POINTS = 500
"""That circles are tried on."""
_MIN_EQUAL_PIXELS = 8
"""Measured pixels are never so many times the same in a row."""


def unseen(
    hu: Int16Array, pixel_mm: tuple[float, float], outlined: BoolArray, settings: QualitySettings
) -> BoolArray:
    """Pixels of a slice that show nothing.

    Parameters
    ----------
    pixel_mm : (y, x)
    outlined : muscle; an even area that holds most of it is part of a drawn picture, not padding
    """
    out = _constant_corners(hu, outlined, settings)
    for outward_mm in _fields(hu, pixel_mm, settings):
        out |= _beyond_a_cut(hu, outward_mm, pixel_mm, settings)
    return out | _blacked_out(hu, pixel_mm, outlined, settings)


def _constant_corners(hu: Int16Array, outlined: BoolArray, settings: QualitySettings) -> BoolArray:
    out = np.zeros(hu.shape, bool)
    for corner in _CORNERS:
        if out[corner]:
            continue
        pieces, _ = ndi.label(hu == hu[corner])
        region = pieces == pieces[corner]
        is_drawn = 2 * np.count_nonzero(region & outlined) > np.count_nonzero(outlined)
        if region.sum() > settings.min_padding_share * hu.size and not is_drawn:
            out |= region
    return out


def _fields(hu: Int16Array, pixel_mm: tuple[float, float], settings: QualitySettings) -> Iterator[FloatArray]:
    """Distances in mm that grow outwards: to each of the four edges, from the middle of the image, and from
    that of the circle on which tissue begins with full pixels."""
    y, x = ((np.arange(n) - (n - 1) / 2) * mm for n, mm in zip(hu.shape, pixel_mm, strict=True))
    rows, columns = np.meshgrid(y, x, indexing="ij")
    yield from (rows, -rows, columns, -columns, np.hypot(rows, columns))
    sharp = _sharp_ends(hu, settings)
    points_mm = np.column_stack([rows[sharp], columns[sharp]])
    if len(points_mm) * min(pixel_mm) >= settings.min_cut_mm:
        centre_mm = _centre_mm(points_mm, max(pixel_mm))
        if centre_mm is not None:
            yield np.hypot(rows - centre_mm[0], columns - centre_mm[1])


def _sharp_ends(hu: Int16Array, settings: QualitySettings) -> BoolArray:
    """Pixels of tissue right beside pixels of nothing but air, in a row or a column."""
    tissue, air = hu > settings.sharp_hu, hu < settings.only_air_hu
    out = np.zeros(hu.shape, bool)
    out[1:] |= tissue[1:] & air[:-1]
    out[:-1] |= tissue[:-1] & air[1:]
    out[:, 1:] |= tissue[:, 1:] & air[:, :-1]
    out[:, :-1] |= tissue[:, :-1] & air[:, 1:]
    return out


def _centre_mm(points_mm: FloatArray, within_mm: float) -> FloatArray | None:
    """Of the circle on which most of some points lie: the best one through three of them (RANSAC: Fischler
    and Bolles 1981, Commun ACM 24: 381), fitted to all near it (Kåsa 1976, IEEE T Instrum Meas 25: 8).
    None where they lie on a line.
    """
    rng = np.random.default_rng(0)
    some = points_mm[rng.permutation(len(points_mm))[:_MOST_POINTS]]
    a, b, c = np.moveaxis(some[rng.integers(len(some), size=(_TRIALS, 3))], 1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):  # three on a line have no circle
        centres = a + _around(b - a, c - a)
        radii = np.linalg.norm(a - centres, axis=1)
        away = np.linalg.norm(some[:, None] - centres, axis=2)
        is_near = np.abs(away - radii) <= within_mm
    near = some[is_near[:, np.argmax(is_near.sum(axis=0))]]
    if not len(near):
        return None
    middle = near.mean(axis=0)
    terms = np.column_stack([2 * (near - middle), np.ones(len(near))])
    solution, _, rank, _ = np.linalg.lstsq(terms, ((near - middle) ** 2).sum(axis=1), rcond=None)
    return np.asarray(middle + solution[:2], float) if rank == terms.shape[1] else None


def _around(b: FloatArray, c: FloatArray) -> FloatArray:
    """Centres of the circles through the origin and two points, row by row."""
    bb, cc = (b**2).sum(axis=1), (c**2).sum(axis=1)
    twice = 2 * (b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0])
    return np.column_stack([c[:, 1] * bb - b[:, 1] * cc, b[:, 0] * cc - c[:, 0] * bb]) / twice[:, None]


def _beyond_a_cut(
    hu: Int16Array, outward_mm: FloatArray, pixel_mm: tuple[float, float], settings: QualitySettings
) -> BoolArray:
    """What lies beyond the outermost thing on the slice, if that is tissue with a sharp and long end."""
    nothing = np.zeros(hu.shape, bool)
    outermost = hu[outward_mm >= np.quantile(outward_mm, 1 - settings.min_padding_share)].astype(float)
    fill_hu = float(np.median(outermost))
    if fill_hu > settings.body_hu:
        return nothing
    noise_hu = 2 * float(np.percentile(np.abs(outermost - fill_hu), 99))
    something = hu > min(fill_hu + noise_hu + settings.fill_hu, settings.surface_hu)
    if not something.any():
        return nothing
    end_mm = float(outward_mm[something].max())
    line = something & (outward_mm > end_mm - max(pixel_mm))
    is_long = np.count_nonzero(line) * min(pixel_mm) >= settings.min_cut_mm
    is_sharp = np.mean(hu[line] > settings.sharp_hu) >= settings.min_sharp_share
    return outward_mm > end_mm if is_long and is_sharp else nothing


def _blacked_out(
    hu: Int16Array, pixel_mm: tuple[float, float], outlined: BoolArray, settings: QualitySettings
) -> BoolArray:
    """Areas of one value that begin beside tissue at a line along a row or column."""
    out = np.zeros(hu.shape, bool)
    is_tissue = hu[:, 1:] > settings.sharp_hu
    if 2 * np.count_nonzero(is_tissue & (hu[:, 1:] == hu[:, :-1])) > np.count_nonzero(is_tissue):
        return out  # drawn, not measured: most of it is even
    for seed in _straight_ends(hu, pixel_mm, settings):
        if out[seed]:
            continue
        pieces, _ = ndi.label(hu == hu[seed])
        region = pieces == pieces[seed]
        is_large = np.count_nonzero(region) * pixel_mm[0] * pixel_mm[1] >= settings.min_box_mm**2
        is_drawn = 2 * np.count_nonzero(region & outlined) > np.count_nonzero(outlined)
        if is_large and not is_drawn:
            out |= region
    return out


def _straight_ends(
    hu: Int16Array, pixel_mm: tuple[float, float], settings: QualitySettings
) -> list[tuple[int, int]]:
    """A pixel of each line of equal pixels, two deep, beside tissue."""
    places = np.arange(hu.size).reshape(hu.shape)
    found: list[tuple[int, int]] = []
    for values, where, along_mm in ((hu, places, pixel_mm[1]), (hu.T, places.T, pixel_mm[0])):
        n = max(_MIN_EQUAL_PIXELS, round(settings.min_box_mm / along_mm))
        for direction in (1, -1):
            v = values[::direction]
            tissue, edge, behind = v[:-2], v[1:-1], v[2:]
            is_edge = (tissue > settings.sharp_hu) & (tissue != edge) & (edge < settings.metal_hu)
            is_edge &= edge == behind
            is_edge[:, 1:] &= edge[:, 1:] == edge[:, :-1]
            counted = np.cumsum(is_edge, axis=1)
            jumps_hu = np.cumsum(np.abs(tissue.astype(np.int32) - edge), axis=1)
            is_line = counted[:, n:] - counted[:, :-n] == n
            is_line &= jumps_hu[:, n:] - jumps_hu[:, :-n] > n * settings.min_box_hu
            rows, columns = np.nonzero(is_line)
            seeds = np.unique(where[::direction][1:-1][rows, columns + n])
            found += [(int(seed) // hu.shape[1], int(seed) % hu.shape[1]) for seed in seeds]
    return found
