"""ROIs as OsiriX's and Horos' plug-in ExportROIs writes them, CSV or XML.

Both hold the same: the viewer's position of the image (from 0), name, type, statistics, area in cm², and
every point in DICOM mm and in pixels, where the centre of the first pixel is (0.5, 0.5).
"""

from __future__ import annotations

import csv
import math
import plistlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from glutseg.dicom.text import clean_text
from glutseg.errors import GlutsegError

AREA_TYPES = {6: "rectangle", 9: "oval", 11: "closed polygon", 15: "pencil", 20: "brush"}
"""OsiriX's numbers of ROIs that enclose an area (ROI.h); lines, angles, texts and points have none."""
MAX_BYTES = 200_000_000
MAX_ROIS = 100_000
MAX_POINTS = 100_000
FIRST_POINT = "mmx"
POINT_FIELDS = 5
"""Of a point in the CSV: mmX, mmY, mmZ, pxX, pxY."""


@dataclass(frozen=True)
class OsirixRoi:
    """One ROI.

    Attributes
    ----------
    image_number : position of the image in the viewer, from 0; it may run either way
    points_mm : (n, 3), LPS
    points_px : (n, 2), x and y, the first pixel's centre at (0.5, 0.5); empty where the file has none
    area_mm2, mean_hu, min_hu, max_hu : as OsiriX read them out; NaN where the file has none
    n_images : in the series; None where the file does not say
    image_shape : (rows, columns); None where the file does not say
    """

    image_number: int
    roi_number: int
    name: str
    kind: int
    points_mm: npt.NDArray[np.float64]
    points_px: npt.NDArray[np.float64]
    area_mm2: float
    mean_hu: float
    min_hu: float = math.nan
    max_hu: float = math.nan
    sop_uid: str = ""
    series_uid: str = ""
    n_images: int | None = None
    image_shape: tuple[int, int] | None = None

    @property
    def kind_name(self) -> str:
        """In words; "" for one without an area."""
        return AREA_TYPES.get(self.kind, "")


def read_rois(path: Path) -> tuple[OsirixRoi, ...]:
    """All ROIs of a file, in its order.

    Raises
    ------
    GlutsegError
        ``input-missing``, ``roi-invalid``.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise GlutsegError("roi-invalid", "the file is too large", str(path))
        content = path.read_bytes()
    except OSError as error:
        raise GlutsegError("input-missing", "the file cannot be opened", str(path)) from error
    try:
        rois = tuple(
            _xml(content) if content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") else _csv(content)
        )
    except GlutsegError as error:
        raise error.at(str(path)) from error
    if not rois:
        raise GlutsegError("roi-invalid", "the file holds no ROI", str(path))
    if len(rois) > MAX_ROIS:
        raise GlutsegError("roi-invalid", f"{len(rois)} ROIs", str(path))
    return rois


def _csv(content: bytes) -> Iterator[OsirixRoi]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    csv.field_size_limit(MAX_BYTES)
    lines = text.replace("\r", "\n").split("\n")
    header = [name.strip().lower() for name in next(csv.reader(lines[:1]), [])]
    if "imageno" not in header or FIRST_POINT not in header or "numofpoints" not in header:
        raise GlutsegError("roi-invalid", "the first line is no heading of ExportROIs")
    for number, line in enumerate(lines[1:], start=2):
        if line.strip(", \t"):
            yield _csv_line(header, line, number)


def _csv_line(header: Sequence[str], line: str, number: int) -> OsirixRoi:
    """A line; the plug-in writes a quotation mark in a ROI's name as it is, so that it may open a cell."""
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
        try:
            (row,) = csv.reader([line], quoting=quoting)
            return _csv_roi(header, row)
        except (ValueError, IndexError, csv.Error):
            continue
    raise GlutsegError("roi-invalid", f"line {number} does not fit its heading")


def _csv_roi(header: Sequence[str], row: Sequence[str]) -> OsirixRoi:
    first = header.index(FIRST_POINT)
    fields = dict(zip(header[:first], row[:first], strict=True))
    n = int(fields["numofpoints"])
    values = [float(cell) for cell in row[first:] if cell.strip()]
    if n > MAX_POINTS or len(values) != POINT_FIELDS * n:
        msg = f"{n} points in {len(values)} fields"
        raise ValueError(msg)
    points = np.reshape(np.array(values, dtype=np.float64), (n, POINT_FIELDS))
    return OsirixRoi(
        image_number=int(fields["imageno"]),
        roi_number=int(fields.get("roino") or 0),
        name=clean_text(fields.get("roiname", "").strip(' "')),
        kind=int(fields.get("roitype") or 0),
        points_mm=_finite(points[:, :3]),
        points_px=_finite(points[:, 3:]),
        area_mm2=_area_mm2(fields.get("areacm2") or fields.get("area")),
        mean_hu=float(fields.get("roimean") or math.nan),
        min_hu=float(fields.get("roimin") or math.nan),
        max_hu=float(fields.get("roimax") or math.nan),
        sop_uid=clean_text(fields.get("sopinstanceuid", "")),
        series_uid=clean_text(fields.get("seriesinstanceuid", "")),
    )


def _finite(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    if not np.isfinite(points).all():
        msg = "a point is not finite"
        raise ValueError(msg)
    return points


def _area_mm2(area_cm2: Any) -> float:
    """NaN where the plug-in wrote zero, which is what it writes for an area that it does not know."""
    value = float(area_cm2 or 0)
    return value * 100 if value > 0 else math.nan


def _xml(content: bytes) -> Iterator[OsirixRoi]:
    """An Apple property list; its parser refuses entities, which could make it grow without bounds."""
    try:
        root = plistlib.loads(content, fmt=plistlib.FMT_XML)
    except Exception as error:  # expat and plistlib raise what they like for broken XML
        raise GlutsegError("roi-invalid", "it is no property list") from error
    images = root.get("Images") if isinstance(root, dict) else None
    if not isinstance(images, list):
        raise GlutsegError("roi-invalid", "the property list has no Images")
    try:
        for image in images:
            for roi in image.get("ROIs", []):
                yield _xml_roi(image, roi)
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise GlutsegError("roi-invalid", "a ROI of the property list is incomplete") from error


def _xml_roi(image: dict[str, Any], roi: dict[str, Any]) -> OsirixRoi:
    height, width = image.get("ImageHeight"), image.get("ImageWidth")
    points_mm = [_numbers(text, 3) for text in roi.get("Point_mm", [])[: MAX_POINTS + 1]]
    points_px = [_numbers(text, 2) for text in roi.get("Point_px", [])[: MAX_POINTS + 1]]
    if len(points_mm) > MAX_POINTS or len(points_px) not in (0, len(points_mm)):
        msg = "points"
        raise ValueError(msg)
    total = image.get("ImageTotalNum")
    return OsirixRoi(
        image_number=int(image["ImageIndex"]),
        roi_number=int(roi.get("IndexInImage", 0)),
        name=clean_text(str(roi.get("Name", ""))),
        kind=int(roi.get("Type", 0)),
        points_mm=_finite(np.array(points_mm, dtype=np.float64).reshape(-1, 3)),
        points_px=_finite(np.array(points_px, dtype=np.float64).reshape(-1, 2)),
        area_mm2=_area_mm2(roi.get("AreaCm2", roi.get("Area", 0))),
        mean_hu=float(roi.get("Mean", math.nan)),
        min_hu=float(roi.get("Min", math.nan)),
        max_hu=float(roi.get("Max", math.nan)),
        sop_uid=clean_text(str(roi.get("SOPInstanceUID", image.get("SOPInstanceUID", "")))),
        series_uid=clean_text(str(roi.get("SeriesInstanceUID", image.get("SeriesInstanceUID", "")))),
        n_images=None if total is None else int(total),
        image_shape=None if height is None or width is None else (int(height), int(width)),
    )


def _numbers(text: str, count: int) -> tuple[float, ...]:
    """Of "(x, y, z)"."""
    found = re.fullmatch(r"\s*[({]([^(){}]{1,200})[)}]\s*", text)
    values = tuple(float(part) for part in found[1].split(",")) if found else ()
    if len(values) != count:
        msg = "a point"
        raise ValueError(msg)
    return values
