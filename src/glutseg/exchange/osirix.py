"""Readings made in OsiriX or Horos, placed on their images and measured again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.interpolate import CubicSpline

from glutseg.errors import Flag, GlutsegError
from glutseg.exchange.contours import drawn, filled, signed_area
from glutseg.exchange.measure_mask import Loaded, Measured, given_flag, measure_labels, merged, protocol_for
from glutseg.exchange.osirix_files import OsirixRoi
from glutseg.exchange.place import line_index, slice_of_line
from glutseg.exchange.terms import SIDE_WORDS, Term, term_of_name
from glutseg.image import Mask
from glutseg.measurement import Participants, polygon_area_px
from glutseg.protocol import Protocol, load_protocol

MIN_POINTS = 3
SAME_PIXEL = 0.1
"""Pixels between where a point's mm and its own pixel coordinates put it: more is another image."""
HALF_PIXEL = 0.5
"""Of OsiriX's pixel coordinates of the first pixel's centre."""
DRAWN_AS_IT_IS = 0.001
"""Share of the area within which straight lines between the points explain OsiriX's figure."""
SPLINE_STEPS = 20
"""Per point, of a curve through the points."""
AREA_DIFFERS = 0.02
MEAN_DIFFERS_HU = 5.0
OTHER_IMAGES_HU = 25.0
"""A mean that differs by this much is one of other images, however well the grids agree: the pixels on an
outline, which the two programs may count differently, do not change it so much. Where OsiriX's lowest and
highest value are not found either, `MEAN_DIFFERS_HU` is enough."""
SAME_HU = 0.51
"""OsiriX works in floating point, DICOM in whole numbers."""


@dataclass(frozen=True)
class Reading:
    """One ROI on its slice, OsiriX's figures beside those of its points.

    Attributes
    ----------
    slice_index : from 0, in the order of mask files
    outline : "polygon" or, where only a curve through the points explains OsiriX's area, "spline"
    osirix_area_mm2, osirix_mean_hu : as the file has them; NaN where it has none
    line_area_mm2 : within the outline (shoelace), as OsiriX reads out polygons
    area_mm2 : pixels whose centre is inside, times the pixel area, as OsiriX reads out brush ROIs
    polygon_area_mm2 : as glutseg's column of that name, of those pixels
    extremes_found : whether the lowest and highest value that OsiriX read are values of these pixels
    """

    roi: OsirixRoi
    slice_index: int
    z_mm: float
    outline: str
    osirix_area_mm2: float
    line_area_mm2: float
    area_mm2: float
    polygon_area_mm2: float
    osirix_mean_hu: float
    mean_hu: float
    extremes_found: bool
    inside: npt.NDArray[np.bool_]

    @property
    def discrepancies(self) -> tuple[str, ...]:
        """Differences between OsiriX's figures and those of these points on these images."""
        found = []
        nearest = min(abs(a - self.osirix_area_mm2) for a in (self.line_area_mm2, self.area_mm2))
        if nearest > AREA_DIFFERS * self.osirix_area_mm2:  # False where OsiriX's is unknown
            both = f"{self.osirix_area_mm2:.1f} mm², the points enclose {self.line_area_mm2:.1f}"
            found.append(f"{self.roi.name!r}: OsiriX read {both}")
        if abs(self.mean_hu - self.osirix_mean_hu) > MEAN_DIFFERS_HU:
            both = f"{self.osirix_mean_hu:.1f} HU, here it is {self.mean_hu:.1f}"
            found.append(f"{self.roi.name!r}: OsiriX read a mean of {both}")
        if not self.extremes_found:
            found.append(f"{self.roi.name!r}: the lowest and highest value that OsiriX read are not here")
        return tuple(found)


def readings(rois: Sequence[OsirixRoi], loaded: Loaded) -> tuple[tuple[Reading, ...], int]:
    """Every ROI with an area on its slice, and how many had none.

    Raises
    ------
    GlutsegError
        ``roi-elsewhere`` for ROIs of other images; ``roi-invalid`` where none has an area.
    """
    areas = [roi for roi in rois if roi.kind_name and len(roi.points_mm) >= MIN_POINTS]
    if not areas:
        raise GlutsegError("roi-invalid", "none of the ROIs encloses an area")
    return tuple(_reading(roi, loaded) for roi in areas), len(rois) - len(areas)


def _reading(roi: OsirixRoi, loaded: Loaded) -> Reading:
    geometry, hu = loaded.image.stored, loaded.image.stored_hu()
    index = line_index(roi.points_mm, geometry)
    stored_slice = _slice(roi, index, loaded)
    _check_pixels(roi, index, geometry.shape)
    outline, line = _outline(index[:, 1:], roi, geometry.pixel_area_mm2)
    inside = filled([line], geometry.shape[1:])
    if roi.kind_name == "brush":
        inside = _brushed(inside, line, roi.area_mm2 / geometry.pixel_area_mm2)
    if not inside.any():
        raise GlutsegError("roi-elsewhere", f"{roi.name!r} encloses no pixel of the images")
    mean_hu = float(hu[stored_slice][inside].mean())
    extremes_found = _holds_extremes(roi, inside, hu[stored_slice])
    differs_by_hu = abs(mean_hu - roi.mean_hu)  # NaN, and never larger, where OsiriX's is unknown
    if differs_by_hu > (OTHER_IMAGES_HU if extremes_found else MEAN_DIFFERS_HU):
        message = (
            f"OsiriX read a mean of {roi.mean_hu:.0f} HU in {roi.name!r}, on these images it is {mean_hu:.0f}"
        )
        raise GlutsegError("roi-elsewhere", message)
    return Reading(
        roi=roi,
        slice_index=stored_slice,
        z_mm=geometry.slice_z_mm(stored_slice),
        outline=outline,
        osirix_area_mm2=roi.area_mm2,
        line_area_mm2=abs(signed_area(line)) * geometry.pixel_area_mm2,
        area_mm2=int(inside.sum()) * geometry.pixel_area_mm2,
        polygon_area_mm2=polygon_area_px(inside) * geometry.pixel_area_mm2,
        osirix_mean_hu=roi.mean_hu,
        mean_hu=mean_hu,
        extremes_found=extremes_found,
        inside=inside,
    )


def _slice(roi: OsirixRoi, index: npt.NDArray[np.float64], loaded: Loaded) -> int:
    """By the image's UID, checked against the points' place in space, or by that alone."""
    if roi.series_uid and roi.series_uid != loaded.series.series_uid:
        raise GlutsegError("roi-elsewhere", f"{roi.name!r} was drawn on another series", roi.series_uid)
    image = loaded.image
    n = image.stored.shape[0]
    stored_slice = slice_of_line(index)
    if stored_slice is None or not 0 <= stored_slice < n:
        raise GlutsegError("roi-elsewhere", f"the points of {roi.name!r} lie in no slice of the series")
    if image.stored_slice(stored_slice) in image.missing_slices:
        raise GlutsegError(
            "roi-elsewhere", f"no image shows the slice of {roi.name!r}", f"slice {stored_slice}"
        )
    if roi.sop_uid and roi.sop_uid != image.sop_uids[image.stored_slice(stored_slice)]:
        raise GlutsegError("roi-elsewhere", f"{roi.name!r} was drawn on another image", roi.sop_uid)
    if roi.n_images == n == len(image.sop_uids) and roi.image_number not in (
        stored_slice,
        n - 1 - stored_slice,
    ):
        raise GlutsegError(
            "roi-elsewhere", f"image {roi.image_number} of {n} is not where the points of {roi.name!r} lie"
        )
    return stored_slice


def _check_pixels(roi: OsirixRoi, index: npt.NDArray[np.float64], shape: tuple[int, int, int]) -> None:
    """A point's mm and pixels must agree on these images: that checks spacing, origin and directions."""
    if roi.image_shape is not None and roi.image_shape != shape[1:]:
        raise GlutsegError("roi-elsewhere", f"{roi.name!r} was drawn on images of {roi.image_shape} pixels")
    if len(roi.points_px):
        away = np.abs(roi.points_px[:, ::-1] - HALF_PIXEL - index[:, 1:]).max()
        if away > SAME_PIXEL:
            message = (
                f"the pixels of {roi.name!r} lie {away:.1f} pixels from where its mm are on these images"
            )
            raise GlutsegError("roi-elsewhere", message)


def _holds_extremes(roi: OsirixRoi, inside: npt.NDArray[np.bool_], hu: npt.NDArray[np.int16]) -> bool:
    """Whether OsiriX's minimum and maximum are values of these very pixels: chance rarely hits both.

    The two programs may count the pixels on the outline differently: those well inside must lie between the
    two values, and each of the two must be that of some pixel, at the border or within.
    """
    if not roi.min_hu < roi.max_hu:  # unknown, or written as zeros
        return True
    core, wide = ndimage.binary_erosion(inside, iterations=2), ndimage.binary_dilation(inside, iterations=2)
    is_between = ((hu[core] >= roi.min_hu - SAME_HU) & (hu[core] <= roi.max_hu + SAME_HU)).all()
    return bool(is_between) and all((np.abs(hu[wide] - v) <= SAME_HU).any() for v in (roi.min_hu, roi.max_hu))


def _outline(
    points: npt.NDArray[np.float64], roi: OsirixRoi, pixel_mm2: float
) -> tuple[str, npt.NDArray[np.float64]]:
    """The points (y, x) joined as OsiriX did: its own area shows whether by straight lines or a curve."""
    straight_mm2 = abs(signed_area(points)) * pixel_mm2
    miss = abs(straight_mm2 - roi.area_mm2)
    if math.isnan(miss) or miss <= DRAWN_AS_IT_IS * roi.area_mm2 or roi.kind_name == "brush":
        return "polygon", points
    curve = _spline(points)
    is_better = abs(abs(signed_area(curve)) * pixel_mm2 - roi.area_mm2) < miss
    return ("spline", curve) if is_better else ("polygon", points)


def _brushed(
    inside: npt.NDArray[np.bool_], line: npt.NDArray[np.float64], n_pixels: float
) -> npt.NDArray[np.bool_]:
    """A brush ROI with or without the pixels on its outline, whichever OsiriX's own count is nearer to."""
    wider = inside | drawn([line], (inside.shape[0], inside.shape[1]))
    return wider if abs(int(wider.sum()) - n_pixels) < abs(int(inside.sum()) - n_pixels) else inside


def _spline(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A closed cubic curve through the points, the same stretch of its parameter between each two."""
    distinct = points[np.any(points != np.roll(points, 1, axis=0), axis=1)]
    if len(distinct) < MIN_POINTS:
        return points
    n = len(distinct)
    curve = CubicSpline(np.arange(n + 1), np.vstack([distinct, distinct[:1]]), bc_type="periodic")
    return np.asarray(curve(np.arange(n * SPLINE_STEPS) / SPLINE_STEPS))


def assign_readings(
    found: Sequence[Reading], asked: Mapping[str, Term] | None = None
) -> dict[Term, list[Reading]]:
    """Which ROI is which muscle of which side, by what was said or by their names.

    Raises
    ------
    GlutsegError
        ``labels-unknown``.
    """
    terms: dict[Term, list[Reading]] = {}
    for reading in found:
        name = reading.roi.name
        term = (asked or {}).get(name) if asked else _term(name)
        if term is not None:
            terms.setdefault(term, []).append(reading)
    names = sorted({reading.roi.name for reading in found})
    if asked and not set(asked) <= set(names):
        unknown = ", ".join(repr(n) for n in asked if n not in names)
        raise GlutsegError("labels-unknown", f"no ROI is called {unknown}; there are {names}")
    if not any(term.muscle == "maximus" for term in terms):
        raise GlutsegError(
            "labels-unknown", f"no name is that of a gluteus maximus and its side; there are {names}"
        )
    return terms


def _term(name: str) -> Term | None:
    """A name with muscle and side, or the bare word of a side."""
    side = SIDE_WORDS.get(name.strip().lower())
    return term_of_name(name) or (Term("maximus", side) if side else None)


def readings_mask(terms: Mapping[Term, Sequence[Reading]], loaded: Loaded) -> Mask:
    """The ROIs as a mask on the grid of the series; several of one name on a slice are one muscle.

    Raises
    ------
    GlutsegError
        ``labels-unknown`` where two muscles share a pixel; ``mask-sides-contradicted``.
    """
    stored = loaded.image.stored
    inside = {}
    for term, found in terms.items():
        labels = np.zeros(stored.shape, np.uint8)
        for reading in found:
            labels[reading.slice_index][reading.inside] = 1
        inside[term] = Mask.from_array(labels, stored).labels > 0
    return merged(inside, loaded.image)


def measure_readings(
    loaded: Loaded,
    file: Path,
    terms: Mapping[Term, Sequence[Reading]],
    *,
    protocol: Protocol | None = None,
    level: str | None = None,
    participants: Participants | None = None,
) -> Measured:
    """Measure ROIs as any other outline.

    Raises
    ------
    GlutsegError
        Those of `readings_mask` and `glutseg.exchange.measure_mask.measure_labels`.
    """
    messages = [message for found in terms.values() for r in found for message in r.discrepancies]
    flags = (given_flag(file), *((Flag("roi-values-differ", "; ".join(messages)),) if messages else ()))
    mask = readings_mask(terms, loaded)
    rule = protocol_for(mask, protocol or load_protocol())
    return measure_labels(loaded, mask, flags, rule, level=level, participants=participants)
