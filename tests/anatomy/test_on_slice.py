"""Which single slices are taken for one of the pelvis."""

import numpy as np
import pytest

from glutseg.anatomy import find_anatomy_on_slice
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Geometry

SHAPE, PIXEL_MM = (180, 260), 2.0
AIR, FAT, BONE, LUNG = -1000, -100, 600, -850


def ellipse(centre_mm, radii_mm):
    """Around a place in mm to the left and to the back of the middle of the slice."""
    rows, columns = np.indices(SHAPE)
    y, x = ((a - (n - 1) / 2) * PIXEL_MM for a, n in zip((rows, columns), SHAPE, strict=True))
    return ((x - centre_mm[0]) / radii_mm[0]) ** 2 + ((y - centre_mm[1]) / radii_mm[1]) ** 2 <= 1


def one_slice(*parts):
    hu = np.full(SHAPE, AIR, np.int16)
    for inside, value in parts:
        hu[inside] = value
    return CtImage(hu[None], Geometry((1, *SHAPE), (5.0, PIXEL_MM, PIXEL_MM)))


BODY = (ellipse((0, 0), (190, 120)), FAT)
SHAFTS = [(ellipse((sign * 110, 0), (14, 14)), BONE) for sign in (-1, 1)]
HIPS = [(ellipse((sign * 80, 10), (25, 32)), BONE) for sign in (-1, 1)]
LUNGS = [(ellipse((sign * 90, 0), (60, 80)), LUNG) for sign in (-1, 1)]
SPINE = (ellipse((0, 50), (22, 22)), BONE)
LEGS = [(ellipse((sign * 110, 0), (80, 85)), FAT) for sign in (-1, 1)]


def test_the_hips_lie_beside_the_plane_of_symmetry():
    hips = find_anatomy_on_slice(one_slice(BODY, *HIPS)).hips
    middle_mm = (SHAPE[1] - 1) / 2 * PIXEL_MM
    assert hips.midline_x_mm == pytest.approx(middle_mm, abs=2)
    assert hips.left.centre_mm[0] > middle_mm > hips.right.centre_mm[0]
    assert hips.left.centre_mm[1] == pytest.approx((SHAPE[0] - 1) / 2 * PIXEL_MM + 10 - 8, abs=3)


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ([], "there is no body"),
        ([BODY], "0 mm² of bone on the left"),
        ([BODY, SPINE], "0 mm² of bone on the left"),
        ([BODY, *SHAFTS], "a hip has 900 or more"),
        ([BODY, HIPS[1]], "of bone on the right"),
        ([BODY, *LUNGS, *HIPS], "of the body is air, as in the chest"),
        ([*LEGS, *SHAFTS], "as a leg, a head or a neck is"),
    ],
)
def test_other_slices_are_refused_with_the_reason(parts, why):
    with pytest.raises(GlutsegError, match=why) as caught:
        find_anatomy_on_slice(one_slice(*parts))
    assert caught.value.code == "hips-not-found"
