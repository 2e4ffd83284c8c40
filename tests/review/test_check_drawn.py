"""What is asked about before a correction is kept: exact areas and percentages on a made-up slice."""

import numpy as np
import pytest

from glutseg.anatomy import Midplane
from glutseg.image import LABELS, LEFT, RIGHT, CtImage, Geometry
from glutseg.protocol import TissueRule
from glutseg.review.check_drawn import check_drawn, in_words

GRID = Geometry((3, 100, 200), (5.0, 1.0, 1.0), (-100.0, -50.0, 0.0))
MIDDLE = Midplane((0.0, 0.0, 0.0), (1.0, 0.0, 0.0))
"""Column 100 lies on it."""
TISSUE = TissueRule()


@pytest.fixture
def image():
    """A body of muscle in air, with fat from row 80 on."""
    hu = np.full(GRID.shape, -1000, np.int16)
    hu[:, 10:95, 10:190] = 50
    hu[:, 80:95, 10:190] = -100
    return CtImage(hu, GRID)


@pytest.fixture
def automatic():
    """Two muscles of 40 x 25 = 1000 mm² on all slices."""
    labels = np.zeros(GRID.shape, np.uint8)
    labels[:, 40:65, 130:170] = LEFT
    labels[:, 40:65, 30:70] = RIGHT
    return labels


def found(image, labels, automatic, **more):
    return check_drawn(image, labels, 1, MIDDLE, TISSUE, automatic, 1, **more)


def facts(findings):
    return [(f.kind, f.slice_index, f.side, f.area_mm2, pytest.approx(f.percent)) for f in findings]


def test_nothing_is_asked_about_the_automatic_outlines_and_a_small_stroke(image, automatic):
    assert found(image, automatic, automatic) == ()
    labels = automatic.copy()
    labels[1, 35:40, 130:170] = LEFT
    assert found(image, labels, automatic) == ()


def test_left_painted_on_the_patients_right(image, automatic):
    labels = automatic.copy()
    labels[1, 20:36, 40:60] = LEFT  # 320 mm² of 1320
    across, islands = found(image, labels, automatic)
    assert facts([across]) == [("across-midline", 1, "left", 320.0, 100 * 320 / 1320)]
    assert across.sentence == "slice 1, left: 320 mm² (24.2 %) on the patient's right, across the midline"
    assert (islands.kind, islands.area_mm2) == ("islands", 320.0)
    assert across.flag.code == "correction-questioned"
    assert across.flag.side == "left"


def test_the_midline_has_ten_millimetres_of_slack_and_follows_a_roll(image, automatic):
    labels = automatic.copy()
    labels[1, 40:65, 90:130] = LEFT  # columns 90 to 99 lie up to 10 mm across
    assert found(image, labels, automatic) == ()
    labels[1, 40:65, 89] = LEFT  # 25 mm² at 11 mm
    assert facts(found(image, labels, automatic)) == [("across-midline", 1, "left", 25.0, 100 * 25 / 2025)]
    rolled = Midplane((-10.0, 0.0, 0.0), (0.8, 0.6, 0.0))
    assert check_drawn(image, labels, 1, rolled, TISSUE, automatic, 1) == ()


def test_islands_of_a_sensible_size_that_the_automatic_outline_has_not(image, automatic):
    labels = automatic.copy()
    labels[1, 20:24, 150:156] = LEFT  # 24 mm²: single pixels
    assert found(image, labels, automatic) == ()
    labels[1, 20:25, 150:156] = LEFT  # 30 mm²
    labels[1, 20:30, 180:184] = LEFT  # 40 mm²
    (finding,) = found(image, labels, automatic)
    assert facts([finding]) == [("islands", 1, "left", 70.0, 100 * 70 / 1070)]
    assert finding.words == "2 pieces of 70 mm² (6.5 %) apart from the muscle"
    labels[1, 64, 130] = 0
    assert found(image, labels, np.where(labels == LEFT, LEFT, automatic) | automatic) == ()


def test_holes_count_as_no_muscle(image, automatic):
    labels = automatic.copy()
    labels[1, 50:54, 140:144] = 0
    assert facts(found(image, labels, automatic)) == [("holes", 1, "left", 16.0, 100 * 16 / 984)]
    labels[1, 50:54, 142:144] = LEFT
    assert found(image, labels, automatic) == ()


def test_fat_is_compared_with_the_automatic_outline(image, automatic):
    labels = automatic.copy()
    labels[1, 65:81, 30:70] = RIGHT  # 640 mm² more, 40 of them fat: 2.4 % of 1640
    assert found(image, labels, automatic) == ()
    labels[1, 81:84, 30:70] = RIGHT  # 160 of 1760: 9.1 %
    (finding,) = found(image, labels, automatic)
    assert facts([finding]) == [("fat", 1, "right", 160.0, 100 * 160 / 1760)]
    assert "in the automatic outline 0.0 %" in finding.words
    fatty = image.hu.copy()
    fatty[1, 40:65, 30:70][::10] = -60  # 120 mm² of 1000 in the automatic outline: the rise is 3.9 points
    assert found(CtImage(fatty, GRID), labels, automatic) == ()


def test_without_an_automatic_outline_fat_has_a_limit_of_its_own(image):
    labels = np.zeros(GRID.shape, np.uint8)
    labels[1, 70:89, 130:170] = LEFT  # 9 of 19 rows are fat: 47 %
    (finding,) = check_drawn(image, labels, 1, MIDDLE, TISSUE)
    assert (finding.kind, finding.area_mm2) == ("fat", 360.0)
    labels[1, 69, 130:170] = LEFT  # exactly 45 %
    assert check_drawn(image, labels, 1, MIDDLE, TISSUE) == ()


def test_an_implausible_size(image, automatic):
    labels = automatic.copy()
    labels[1, 40:65, 160:170] = 0  # 750 mm² are left
    assert found(image, labels, automatic) == ()
    labels[1, 62:65, 130:160] = 0  # 660
    (finding,) = found(image, labels, automatic)
    assert finding.sentence == "slice 1, left: 660 mm² (100.0 %) in all; 700 to 9000 mm² are usual"


def test_air_and_what_lies_outside_of_the_body(image, automatic):
    labels = automatic.copy()
    labels[1, 40:65, 170:194] = LEFT  # columns 190 to 193 are air: 100 mm²
    kinds = {finding.kind: finding for finding in found(image, labels, automatic)}
    assert kinds["outside-body"].area_mm2 == pytest.approx(100.0, abs=5)  # the skin is smoothed
    assert kinds["outside-body"].side == "left"


def test_other_muscles_are_named(image, automatic):
    labels = automatic.copy()
    labels[1, 20:30, 20:60] = LABELS["medius"]["left"]
    (finding,) = found(image, labels, automatic)
    assert finding.sentence.startswith(
        "slice 1, left gluteus medius: 400 mm² (100.0 %) on the patient's right"
    )


def test_drawing_beside_the_measured_slice_only_is_asked_about(image, automatic):
    labels = automatic.copy()
    labels[2, 35:40, 130:170] = LEFT
    (finding,) = found(image, labels, automatic)
    assert finding.sentence == "slice 1: is as it was, and it is measured; drawn on: slice 2"
    assert check_drawn(image, labels, 2, MIDDLE, TISSUE, automatic, 1) == ()  # the level was moved there
    labels[1, 39, 130:170] = LEFT
    assert found(image, labels, automatic) == ()


def test_slices_in_words():
    assert in_words([3]) == "slice 3"
    assert in_words([3, 5]) == "slices 3 and 5"
    assert in_words([1, 2, 3, 4]) == "slices 1, 2, 3 and 4"
    assert in_words(list(range(9))) == "slices 0, 1, 2, 3 and 5 more"
