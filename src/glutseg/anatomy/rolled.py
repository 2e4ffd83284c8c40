"""Copies of a volume turned about the long axis: on one of them a patient far on his side lies straight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.anatomy.sphere import Sphere
from glutseg.image import CtImage, Geometry

_NOTHING_HU = -1024

FloatArray = npt.NDArray[np.float64]


def turned(volume: CtImage, degrees: float) -> CtImage:
    """An upright volume turned about the axis through its middle, large enough to hold all of it."""
    g = volume.geometry
    extent = np.abs(_turn(degrees)) @ (np.array([g.shape[2], g.shape[1]]) * g.spacing_mm[:0:-1])
    columns, rows = (int(mm / s) + 1 for mm, s in zip(extent, g.spacing_mm[:0:-1], strict=True))
    x_mm, y_mm = _middle_mm(g) - (np.array([columns, rows]) - 1) / 2 * g.spacing_mm[:0:-1]
    copy = Geometry((g.shape[0], rows, columns), g.spacing_mm, (float(x_mm), float(y_mm), g.origin_mm[2]))
    spacing_mm = np.array(g.spacing_mm[1:])
    rows_first = _turn(degrees)[::-1, ::-1] * spacing_mm / spacing_mm[:, None]
    middle = np.array([(n - 1) / 2 for n in g.shape[1:]])
    offset = middle - rows_first @ ((np.array([rows, columns]) - 1) / 2)
    hu = np.empty(copy.shape, np.int16)
    for k, image in enumerate(volume.hu):
        ndi.affine_transform(image, rows_first, offset, output=hu[k], order=1, cval=_NOTHING_HU)
    return CtImage(hu, copy)


def turned_back(ball: Sphere, geometry: Geometry, degrees: float) -> Sphere:
    """A ball of the turned copy of a volume of this geometry, where it lies in the volume."""
    middle = _middle_mm(geometry)
    x, y = middle + _turn(degrees) @ (np.array(ball.centre_mm[:2]) - middle)
    return replace(ball, centre_mm=(float(x), float(y), ball.centre_mm[2]))


def _turn(degrees: float) -> FloatArray:
    """From (x, y) of the copy to those of the volume."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s], [s, c]])


def _middle_mm(g: Geometry) -> FloatArray:
    return np.array(g.point_mm(0, (g.shape[1] - 1) / 2, (g.shape[2] - 1) / 2)[:2])
