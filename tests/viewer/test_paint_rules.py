"""What a stroke may paint, without a screen: series in which nothing was found, gaps, limits."""

import numpy as np
import pytest

from glutseg.anatomy import Midplane
from glutseg.image import LABELS, LEFT, RIGHT, CtImage, Geometry
from glutseg.protocol import TissueRule
from glutseg.viewer.paint_rules import REFUSALS, PaintRules
from glutseg.viewer.picture import Picture

GRID = Geometry((4, 60, 120), (5.0, 2.0, 2.0))
WHOLE = (slice(0, 60), slice(0, 120))


@pytest.fixture
def picture():
    """A body of muscle whose middle is column 49, not that of the image; slice 3 is in a gap."""
    hu = np.full(GRID.shape, -1000, np.int16)
    hu[:, 10:50, 10:90] = 50
    hu[:, 40:50, 10:90] = -100
    return Picture.of(CtImage(hu, GRID, missing_slices=frozenset({3})), None, 1, TissueRule())


@pytest.fixture
def rules(picture):
    made = PaintRules()
    made.show_picture(picture)
    made.told = []
    made.on_refusal(made.told.append)
    return made


def painted(rules, label, z=1, box=WHOLE):
    mask = np.ones((box[0].stop - box[0].start, box[1].stop - box[1].start), bool)
    return rules.limited(z, box, mask, label)


def test_where_nothing_was_found_the_body_tells_the_sides(rules):
    assert [rules.side_at((1, 30, x)) for x in (20, 48, 51, 80)] == ["right", "right", "left", "left"]
    assert rules.label_at((1, 30, 80)) == LEFT
    rules.muscle = "minimus"
    assert rules.label_at((1, 30, 20)) == LABELS["minimus"]["right"]


def test_a_stroke_keeps_its_side_to_ten_millimetres_beyond_the_midline(rules):
    rules.midplane = Midplane(GRID.point_mm(1, 0, 50), (1.0, 0.0, 0.0))
    assert rules.begin((1, 30, 80)) == "left"
    assert rules.label_at((1, 30, 20)) == LEFT
    assert np.nonzero(painted(rules, LEFT).any(0))[0][0] == 45
    assert np.nonzero(painted(rules, 0).any(0))[0][0] == 45  # the eraser too
    rules.end()
    assert rules.label_at((1, 30, 20)) == RIGHT
    assert np.nonzero(painted(rules, RIGHT).any(0))[0][-1] == 55
    assert painted(rules, 0).all()


def test_near_the_midline_a_stroke_goes_on_with_the_outline_below_it(rules, picture):
    rules.midplane = Midplane(GRID.point_mm(1, 0, 50), (1.0, 0.0, 0.0))
    picture.labels[1, 30, 40:48] = LEFT
    assert rules.side_at((1, 30, 46)) == "left"
    assert rules.side_at((1, 30, 44)) == "right"  # 12 mm beyond: a leak, not the muscle
    assert rules.side_at((1, 31, 46)) == "right"


def test_limits_and_their_reasons(rules):
    air = (slice(0, 5), slice(100, 110))
    assert not painted(rules, LEFT, box=air).any()
    assert painted(rules, 0, box=air).all()
    assert not painted(rules, LEFT, z=3).any()
    fat = (slice(42, 46), slice(60, 80))
    assert painted(rules, LEFT, box=fat).all()
    rules.tissue_only = True
    assert not painted(rules, LEFT, box=fat).any()
    assert painted(rules, 0, box=fat).all()
    right = (slice(20, 30), slice(20, 30))
    assert not painted(rules, LEFT, box=right).any()
    assert rules.told == ["outside-body", "no-image", "other-tissue", "beyond-midline"]
    assert set(REFUSALS) == set(rules.told)
    rules.show_picture(None)
    assert not painted(rules, LEFT).any()


def test_the_middle_of_what_was_segmented_is_taken_once(rules):
    labels = np.zeros((1, 60, 120), np.uint8)
    labels[0, 20:30, 20:41], labels[0, 20:30, 60:81] = RIGHT, LEFT
    rules.take_midplane(labels, 2)
    assert rules.midplane.point_mm == pytest.approx(GRID.point_mm(2, 24.5, 50))
    first = rules.midplane
    rules.take_midplane(labels[:, :, ::-1], 2)
    assert rules.midplane is first
