"""Copies turned about the long axis, and what was found on them carried back."""

import numpy as np
import pytest
from anatomy_scans import ball

from glutseg.anatomy.rolled import turned, turned_back
from glutseg.anatomy.sphere import Sphere
from glutseg.image import CtImage, Geometry


@pytest.mark.parametrize("degrees", [-26.0, 0.0, 40.0])
@pytest.mark.parametrize("spacing_mm", [(3.0, 2.0, 2.0), (3.0, 1.5, 2.5)])
def test_a_ball_is_carried_back_to_where_it_was(degrees, spacing_mm):
    grid = Geometry((20, 70, 90), spacing_mm, (-40.0, 15.0, 100.0))
    centre_mm = (20.0, 60.0, 130.0)
    copy = turned(CtImage(np.where(ball(grid, centre_mm, 15.0), 600, 0).astype(np.int16), grid), degrees)
    z, y, x = np.argwhere(copy.hu > 300).mean(0)
    back = turned_back(Sphere(copy.geometry.point_mm(z, y, x), 15.0, 0.5), grid, degrees)
    assert back.centre_mm == pytest.approx(centre_mm, abs=0.5)
