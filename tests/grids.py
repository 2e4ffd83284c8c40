"""Grids with axes in every order and direction, and values that tell every voxel apart."""

import numpy as np

from glutseg.geometry import Geometry

SIGNED_AXES = [
    (axes, signs)
    for axes in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
    for signs in np.ndindex(2, 2, 2)
]


def direction_of(axes, signs, tilt=0.0):
    """Columns are signed unit vectors, turned a little about two axes."""
    columns = np.eye(3)[:, list(axes)] * (1 - 2 * np.array(signs))
    c, s = np.cos(tilt), np.sin(tilt)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    return tuple(float(v) for v in (turn @ columns).ravel())


def make(axes=(0, 1, 2), signs=(0, 0, 0), tilt=0.0, shape=(3, 4, 5)):
    grid = Geometry(shape, (5.0, 0.7, 0.9), (-10.0, 20.0, 30.0), direction_of(axes, signs, tilt))
    return grid, np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
