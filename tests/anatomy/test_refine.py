"""A head's ball on its own surface, also where the socket's roof runs into it."""

import numpy as np
import pytest

from glutseg.anatomy.refine import polish
from glutseg.anatomy.sphere import Sphere
from glutseg.image import CtImage, Geometry

RADIUS_MM = 22.0
SPACING_MM = (3.0, 1.0, 1.0)


def joint(wall_mm, space_mm=0.0):
    """A spongy head with a rind below a dense roof of the socket, the joint space between them."""
    shape = (30, 90, 90)
    middle = (np.array(shape) - 1) / 2
    at = (np.indices(shape).T - middle).T * np.array(SPACING_MM)[:, None, None, None]
    distance = np.sqrt((at**2).sum(0))
    covered = at[0] + 0.8 * at[1] > 0
    roof = covered & (distance >= RADIUS_MM + space_mm) & (distance < RADIUS_MM + space_mm + wall_mm)
    hu = np.full(shape, 40, np.int16)
    hu[distance < RADIUS_MM] = 500
    hu[distance < RADIUS_MM - 2] = 250
    hu[roof] = 700
    origin_mm = tuple(float(-m * s) for m, s in zip(middle[::-1], SPACING_MM[::-1], strict=True))
    return CtImage(hu, Geometry(shape, SPACING_MM, origin_mm, tuple(np.eye(3).ravel())))


@pytest.mark.parametrize(("wall_mm", "space_mm"), [(5.0, 0.0), (7.0, 0.0), (3.0, 3.0)])
def test_the_socket_is_not_the_head(wall_mm, space_mm):
    """Found as the sclerotic roof's ball, the fit comes back to the head's."""
    found = polish(joint(wall_mm, space_mm), Sphere((0.0, 1.5, 0.5), RADIUS_MM + 3, 0.6))
    assert found.top_mm == pytest.approx(RADIUS_MM, abs=1.5)
    assert found.radius_mm == pytest.approx(RADIUS_MM, abs=1.0)
