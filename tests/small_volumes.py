"""Small volumes written out as numbers."""

import numpy as np

from glutseg.image import CtImage, Geometry

GRID_MM = (5.0, 0.5, 2.0)


def volume_of(hu, **geometry):
    """The numbers as slices of HU; a single slice may stand alone."""
    array = np.asarray(hu, np.int16)
    array = array[None] if array.ndim == 2 else array
    return CtImage.from_array(array, Geometry(array.shape, GRID_MM, **geometry))
