"""DICOM Segmentation: frames of single segments, gathered into one grid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian

from glutseg.dicom.limits import MAX_ROWS, MAX_VOXELS
from glutseg.dicom.parse import NATIVE, ParsedFile
from glutseg.dicom.text import clean_text, integer, items, numbers, text
from glutseg.errors import GlutsegError
from glutseg.exchange.foreign import BoolArray, GridMask, Region
from glutseg.exchange.terms import Term, term_of_codes
from glutseg.image import Geometry

MAX_FRAMES = 100_000
SAME_PLANE_MM = 0.01
OFF_GRID_SHARE = 0.1
"""Of the distance between slices: frames further from a regular grid than this are refused."""
PARALLEL = 1e-4
DEFAULT_SPACING_MM = 1.0
"""Of a mask with a single plane that does not say how thick it is."""


@dataclass(frozen=True)
class _Frame:
    segment: int
    position_mm: npt.NDArray[np.float64]
    orientation: tuple[float, ...]
    spacing_mm: tuple[float, float]
    thickness_mm: float | None


def read(parsed: ParsedFile, path: Path) -> GridMask:
    """Every segment on the smallest regular grid that holds all frames.

    Raises
    ------
    GlutsegError
        ``mask-unreadable``; ``mask-unplaceable`` where frames say no place, or lie on no regular grid.
    """
    dataset = parsed.dataset
    frames = _frames(dataset, path)
    pixels = _pixels(parsed, len(frames), path)
    geometry, places = _grid(frames, pixels.shape[1:], path)
    is_map = text(dataset, "SegmentationType") == "LABELMAP"
    regions = tuple(_regions(dataset))
    if not regions:
        raise GlutsegError("mask-unreadable", "the object has no segments", str(path))

    def pick(number: int) -> BoolArray:
        inside = np.zeros(geometry.shape, dtype=np.bool_)
        for frame, k, image in zip(frames, places, pixels, strict=True):
            if is_map:
                inside[k] |= image == number
            elif frame.segment == number:
                inside[k] |= image.astype(np.bool_)
        return inside

    return GridMask(regions, geometry, pick, text(dataset, "FrameOfReferenceUID"))


def _regions(dataset: Dataset) -> Iterator[Region]:
    for item in items(dataset, "SegmentSequence"):
        number = integer(item, "SegmentNumber")
        if number is not None and number > 0:
            yield Region(number, clean_text(text(item, "SegmentLabel")), _term(item))


def _term(segment: Dataset) -> Term | None:
    for kind in items(segment, "SegmentedPropertyTypeCodeSequence"):
        modifiers = items(kind, "SegmentedPropertyTypeModifierCodeSequence")
        codes = tuple(text(m, "CodeValue") for m in modifiers)
        return term_of_codes(text(kind, "CodeValue"), codes, text(segment, "SegmentLabel"))
    return None


def _frames(dataset: Dataset, path: Path) -> list[_Frame]:
    shared = next(iter(items(dataset, "SharedFunctionalGroupsSequence")), Dataset())
    per_frame = items(dataset, "PerFrameFunctionalGroupsSequence")
    n = integer(dataset, "NumberOfFrames") or 1
    if not 0 < n <= MAX_FRAMES or len(per_frame) != n:
        raise GlutsegError("mask-unreadable", f"{n} frames and {len(per_frame)} descriptions", str(path))
    return [_frame(group, shared, path) for group in per_frame]


def _frame(group: Dataset, shared: Dataset, path: Path) -> _Frame:
    def find(sequence: str, keyword: str, count: int) -> tuple[float, ...] | None:
        for holder in (group, shared):
            for item in items(holder, sequence):
                found = numbers(item, keyword, count)
                if found is not None:
                    return found
        return None

    position = find("PlanePositionSequence", "ImagePositionPatient", 3)
    orientation = find("PlaneOrientationSequence", "ImageOrientationPatient", 6)
    spacing = find("PixelMeasuresSequence", "PixelSpacing", 2)
    between = find("PixelMeasuresSequence", "SpacingBetweenSlices", 1)
    thickness = between or find("PixelMeasuresSequence", "SliceThickness", 1)
    if position is None or orientation is None or spacing is None or min(spacing) <= 0:
        raise GlutsegError("mask-unplaceable", "a frame does not say where it lies", str(path))
    segment = find("SegmentIdentificationSequence", "ReferencedSegmentNumber", 1)
    return _Frame(
        segment=int(segment[0]) if segment else 0,
        position_mm=np.array(position),
        orientation=orientation,
        spacing_mm=(spacing[0], spacing[1]),
        thickness_mm=thickness[0] if thickness and thickness[0] > 0 else None,
    )


def _grid(frames: list[_Frame], shape: tuple[int, ...], path: Path) -> tuple[Geometry, list[int]]:
    """The grid, and the slice of it that each frame is."""
    first = frames[0]
    row, column = np.array(first.orientation[:3]), np.array(first.orientation[3:])
    if any(np.abs(np.subtract(f.orientation, first.orientation)).max() > PARALLEL for f in frames) or any(
        f.spacing_mm != first.spacing_mm for f in frames
    ):
        raise GlutsegError("mask-unplaceable", "its frames do not lie parallel", str(path))
    normal = np.cross(row, column)
    if abs(np.linalg.norm(normal) - 1) > 0.01:
        raise GlutsegError("mask-unplaceable", "rows and columns are not at right angles", str(path))
    heights = np.array([frame.position_mm @ normal for frame in frames])
    levels = np.unique(np.round(heights / SAME_PLANE_MM)) * SAME_PLANE_MM
    gaps = np.diff(levels)
    step = _step(gaps, first.thickness_mm) if len(levels) > 1 else first.thickness_mm or DEFAULT_SPACING_MM
    places = np.rint((heights - heights.min()) / step).astype(int)
    n = int(places.max()) + 1
    low, high = int(heights.argmin()), int(heights.argmax())
    along = (frames[high].position_mm - frames[low].position_mm) / (n - 1) if n > 1 else normal * step
    expected = frames[low].position_mm + places[:, None] * along
    worst = float(np.linalg.norm([f.position_mm for f in frames] - expected, axis=1).max())
    if worst > OFF_GRID_SHARE * step or n * shape[0] * shape[1] > MAX_VOXELS:
        raise GlutsegError("mask-unplaceable", f"a frame lies {worst:.2f} mm off a regular grid", str(path))
    length = float(np.linalg.norm(along))
    axes = np.stack([row, column, along / length], axis=1)
    y_mm, x_mm = first.spacing_mm
    origin = frames[low].position_mm
    geometry = Geometry(
        shape=(n, shape[0], shape[1]),
        spacing_mm=(length, y_mm, x_mm),
        origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
        direction=tuple(float(v) for v in axes.ravel()),
    )
    return geometry, [int(k) for k in places]


def _step(gaps: npt.NDArray[np.float64], stated_mm: float | None) -> float:
    """Distance between slices: frames of empty slices are often left out, so a gap may hold several.

    The stated one where every gap is a whole number of it, else the smallest gap.
    """
    smallest = float(gaps.min())
    if stated_mm is not None and stated_mm <= smallest * (1 + OFF_GRID_SHARE):
        counts = gaps / stated_mm
        if np.abs(counts - np.rint(counts)).max() <= OFF_GRID_SHARE:
            return float(gaps.sum() / np.rint(counts).sum())
    return float(gaps.sum() / np.rint(gaps / smallest).sum())


def _pixels(parsed: ParsedFile, n_frames: int, path: Path) -> npt.NDArray[Any]:
    """(frames, rows, columns); fractional segments count from one half."""
    dataset = parsed.dataset
    rows, columns = integer(dataset, "Rows") or 0, integer(dataset, "Columns") or 0
    bits = integer(dataset, "BitsAllocated")
    n = n_frames * rows * columns
    if not (0 < rows <= MAX_ROWS and 0 < columns <= MAX_ROWS and n <= MAX_VOXELS):
        raise GlutsegError("mask-unreadable", f"absurd sizes: {n_frames} x {rows} x {columns}", str(path))
    if parsed.syntax in NATIVE and parsed.syntax != ExplicitVRBigEndian and bits in (1, 8, 16):
        content = dataset.get("PixelData") or b""
        if len(content) < -(-n * bits // 8):
            raise GlutsegError("mask-unreadable", "the pixels are cut short", str(path))
        if (
            bits == 1
        ):  # the first pixel is the lowest bit, frames follow each other without filling (PS3.5, 8.1.1)
            flat = np.unpackbits(np.frombuffer(content, np.uint8), count=n, bitorder="little")
        else:
            flat = np.frombuffer(content, np.uint8 if bits == 8 else "<u2", n)
        values: npt.NDArray[Any] = flat.reshape(n_frames, rows, columns)
    else:
        values = _decompressed(parsed, n_frames, path).reshape(n_frames, rows, columns)
    if text(dataset, "SegmentationType") == "FRACTIONAL":
        half = (integer(dataset, "MaximumFractionalValue") or 255) / 2
        return np.asarray(values >= half)
    return values


def _decompressed(parsed: ParsedFile, n_frames: int, path: Path) -> npt.NDArray[Any]:
    from pydicom.dataset import FileMetaDataset

    dataset = Dataset(parsed.dataset)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = parsed.syntax
    dataset.NumberOfFrames = n_frames
    try:
        return np.asarray(dataset.pixel_array)
    except (ValueError, TypeError, AttributeError, NotImplementedError, RuntimeError) as error:
        raise GlutsegError("mask-unreadable", f"pixels in {parsed.syntax.name}", str(path)) from error
