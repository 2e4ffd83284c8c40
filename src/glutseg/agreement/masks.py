"""A rater that is a folder of masks, drawn by hand or by another program."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from glutseg.agreement.model import MAX_NAMED, Case, Outline, Quantity, Rater, Reading, missing_cases
from glutseg.agreement.names import case_of
from glutseg.errors import Flag, GlutsegError
from glutseg.image import SIDES, Mask
from glutseg.measurement import mean_of_sides
from glutseg.output.text import plain

MASK_NAME = re.compile(r"(?P<stem>.+)\.(nii|nii\.gz|nrrd|mha)", re.IGNORECASE)
"""Formats that hold one mask with its grid in one file."""
UNREADABLE = "the mask cannot be read; that of a series with gantry tilt must be NRRD, as glutseg's own"
MAX_FILES = 100_000
MAX_LABEL = 255
MAX_NAME = 80


def masks_rater(name: str, folder: Path, cases: Sequence[Case]) -> Rater:
    """Masks below a folder, each named by case id or patient id, itself or the folder it lies in.

    Raises
    ------
    GlutsegError
        ``reference-invalid`` when no mask names a case, two name the same one, or one cannot be read.
    """
    files, strangers = mask_files(folder, cases)
    readings: dict[str, Reading] = {}
    notes = [Flag("agree-case-unknown", f"{name}: {', '.join(strangers)}")] if strangers else []
    for case in cases:
        if case.case_id not in files or case.z_mm is None:
            continue
        outline = _outline(files[case.case_id], case.z_mm)
        if outline is None:
            notes.append(Flag("agree-level-differs", f"{name}: {case.case_id} ends before the level"))
            continue
        k = int(outline.slice_index or 0)
        load = partial(_outline, files[case.case_id], case.z_mm)
        readings[case.case_id] = Reading(_areas_mm2(outline), outline.mask.geometry.slice_z_mm(k), load)
    return Rater(name, readings, notes=(*notes, *missing_cases(name, cases, readings)))


def mask_files(folder: Path, cases: Sequence[Case]) -> tuple[dict[str, Path], tuple[str, ...]]:
    """The mask of each case, by case id, and the masks that name no case.

    Raises
    ------
    GlutsegError
        ``reference-invalid``, as in `masks_rater`.
    """
    found: dict[str, Path] = {}
    seen, strangers = 0, []
    for path in sorted(folder.rglob("*")):
        match = MASK_NAME.fullmatch(path.name)
        if match is None or not path.is_file():
            continue
        seen += 1
        if seen > MAX_FILES:
            raise GlutsegError("reference-invalid", f"more than {MAX_FILES} masks", str(folder))
        case = case_of(match["stem"], cases, str(path)) or case_of(path.parent.name, cases, str(path))
        if case is None:
            strangers.append(plain(path.relative_to(folder).as_posix(), MAX_NAME))
            continue
        if case.case_id in found:
            both = f"{found[case.case_id].relative_to(folder)} and {path.relative_to(folder)}"
            raise GlutsegError("reference-invalid", f"{both} name the same case", str(folder))
        found[case.case_id] = path
    if not found:
        message = f"none of {seen} masks is named by a case id or patient id of the run"
        raise GlutsegError("reference-invalid", message, str(folder))
    more = [f"and {len(strangers) - MAX_NAMED} more"] if len(strangers) > MAX_NAMED else []
    return found, (*strangers[:MAX_NAMED], *more)


def read_mask(path: Path) -> Mask:
    """A mask file.

    Raises
    ------
    GlutsegError
        ``reference-invalid`` for a file that is no mask of whole labels.
    """
    import numpy as np
    import SimpleITK as sitk

    try:
        image = sitk.ReadImage(str(path))
    except (RuntimeError, ValueError) as error:
        raise GlutsegError("reference-invalid", UNREADABLE, str(path)) from error
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise GlutsegError("reference-invalid", "a mask has three dimensions", str(path))
    values = sitk.GetArrayViewFromImage(image)
    is_whole = values.dtype.kind in "iu" or bool((values == np.rint(values)).all())
    if values.min() < 0 or values.max() > MAX_LABEL or not is_whole:
        raise GlutsegError("reference-invalid", "labels are whole numbers from 0 to 255", str(path))
    return Mask.from_sitk(image)


def _outline(path: Path, z_mm: float) -> Outline | None:
    """The mask and its slice at the level; None where the file does not reach the level."""
    mask = read_mask(path)
    if mask.geometry.shape[0] < 2:
        raise GlutsegError("reference-invalid", "a mask of one slice does not tell its spacing", str(path))
    k = mask.geometry.nearest_slice(z_mm)
    return Outline(mask, k, is_whole=False) if 0 <= k < mask.geometry.shape[0] else None


def _areas_mm2(outline: Outline) -> dict[Quantity, float]:
    """A side without a pixel on the slice was not outlined: its area is unknown, not zero."""
    labels = outline.mask.labels[outline.slice_index]
    pixels = {side: int((labels == label).sum()) for side, label in SIDES.items()}
    pixel_mm2 = outline.mask.geometry.pixel_area_mm2
    areas: dict[Quantity, float] = {side: n * pixel_mm2 for side, n in pixels.items() if n}
    mean = mean_of_sides(areas.get("left"), areas.get("right"))
    return areas if mean is None else areas | {"mean": mean}
