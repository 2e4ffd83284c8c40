"""The one series of a NIfTI file. Its grid is the file's own and need not be found among positions."""

from __future__ import annotations

import numpy as np

from glutseg.dicom.grid import is_sheared_by, tilt_flags
from glutseg.dicom.model import FileHeader, Series, SeriesProblem
from glutseg.errors import Flag
from glutseg.image import Geometry


def nifti_series(headers: list[FileHeader]) -> Series:
    """Return the series of a file, or of several that hold the same image, of which the first is used."""
    first = headers[0]
    flags = [Flag("nifti-input", "HU, kernel, tube voltage and patient come from no header")]
    if len(headers) > 1:
        flags.append(Flag("slice-duplicate", f"{len(headers)} NIfTI files hold the same image"))
    geometry = None
    if first.slices:
        geometry, more = _grid(first)
        flags.extend(more)
    return Series(
        series_uid=first.series_uid,
        tags=first.tags,
        n_files=len(headers),
        n_images=len(first.slices),
        slices=first.slices,
        grid_indices=tuple(range(len(first.slices))),
        geometry=geometry,
        flags=tuple(flags),
        problem=SeriesProblem(*first.problem) if first.problem else None,
    )


def _grid(header: FileHeader) -> tuple[Geometry, tuple[Flag, ...]]:
    """The grid of the slices, straightened where its shear is no more than rounding."""
    one, step = header.slices[0], np.array(header.step_mm, dtype=float)
    cosines = np.array(one.orientation, dtype=float)
    row, column = cosines[:3], cosines[3:]
    normal = np.cross(row, column)
    normal *= np.sign(step @ normal) / np.linalg.norm(normal)
    length = float(np.linalg.norm(step))
    shear_degrees, is_sheared = is_sheared_by(step, normal, len(header.slices) - 1)
    y_mm, x_mm = one.pixel_spacing_mm or (1.0, 1.0)
    geometry = Geometry(
        shape=(len(header.slices), one.rows, one.columns),
        spacing_mm=(length if is_sheared else float(step @ normal), y_mm, x_mm),
        origin_mm=one.position_mm or (0.0, 0.0, 0.0),  # type: ignore[arg-type]
        direction=tuple(
            float(v) for v in np.stack([row, column, step / length if is_sheared else normal], axis=1).ravel()
        ),
    )
    return geometry, tilt_flags(geometry, shear_degrees if is_sheared else 0.0)
