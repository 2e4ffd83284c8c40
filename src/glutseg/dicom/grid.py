"""The regular grid that a run of slices lies on, sheared where the gantry was tilted."""

from __future__ import annotations

import numpy as np

from glutseg.dicom.model import SeriesProblem
from glutseg.dicom.runs import Run, axes_of, positions_mm
from glutseg.errors import Flag
from glutseg.image import Geometry

LINE_TOLERANCE_STEPS = 0.5
"""No slice of a run may lie further from its place on the regular grid: it would be another slice's place."""

SHEAR_TOLERANCE_DEGREES = 0.1
SHEAR_TOLERANCE_MM = 0.15
"""A stack is sheared (gantry tilt) when it leans by more than the one and drifts, from its first to its
last slice, by more than the other; less comes from positions rounded to 0.1 mm."""

TILT_REVIEW_DEGREES = 3.0
"""From here the slices count as tilted: 0.14 % of the area, and 4 mm of height 70 mm behind the heads."""


def grid_of(run: Run) -> tuple[Geometry | SeriesProblem, tuple[Flag, ...]]:
    """Grid of a run with the flag ``gantry-tilt`` where it is tilted, or ``geometry-irregular``."""
    if len(run.slices) < 2:
        return SeriesProblem("geometry-irregular", "all images lie at one position"), ()
    positions = positions_mm(run.slices)
    places = np.array(run.places)
    step = (positions[-1] - positions[0]) / places[-1]
    length = float(np.linalg.norm(step))
    worst = float(np.linalg.norm(positions - (positions[0] + places[:, None] * step), axis=1).max())
    if worst > LINE_TOLERANCE_STEPS * length:
        message = f"a slice lies {worst:.2f} mm from its place on a grid of {length:.2f} mm"
        return SeriesProblem("geometry-irregular", message), ()
    first = run.slices[0]
    row, column = axes_of(first)
    normal = np.cross(row, column)
    drift_mm = float(np.linalg.norm(np.cross(step, normal))) * int(places[-1])
    lean_degrees = float(np.degrees(np.arccos(np.clip(step @ normal / length, -1, 1))))
    is_sheared = lean_degrees > SHEAR_TOLERANCE_DEGREES and drift_mm > SHEAR_TOLERANCE_MM
    y_mm, x_mm = first.pixel_spacing_mm or (1.0, 1.0)
    geometry = Geometry(
        shape=(int(places[-1]) + 1, first.rows, first.columns),
        spacing_mm=(length if is_sheared else float(step @ normal), y_mm, x_mm),
        origin_mm=(float(positions[0, 0]), float(positions[0, 1]), float(positions[0, 2])),
        direction=tuple(
            float(v) for v in np.stack([row, column, step / length if is_sheared else normal], axis=1).ravel()
        ),
    )
    return geometry, _tilt_flags(geometry, lean_degrees if is_sheared else 0.0)


def is_tilted(geometry: Geometry) -> bool:
    """Whether the slices lie so oblique to the long axis that their area is not that of an axial section."""
    return geometry.tilt_degrees >= TILT_REVIEW_DEGREES


def _tilt_flags(geometry: Geometry, lean_degrees: float) -> tuple[Flag, ...]:
    if not geometry.is_axial or not (is_tilted(geometry) or lean_degrees >= TILT_REVIEW_DEGREES):
        return ()
    words = f"the slices are tilted by {geometry.tilt_degrees:.1f} degrees against the long axis"
    if lean_degrees:
        words += f", the stack leans {lean_degrees:.1f} degrees from the normal of its slices"
    return (Flag("gantry-tilt", words),)
