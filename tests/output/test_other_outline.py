"""Another outline of a muscle is drawn where it leaves the measured one, and nowhere else."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageColor

from glutseg.output import caption
from glutseg.output.other_outline import far_from
from glutseg.output.overlay import draw_overlay
from glutseg.output.style import SIDE_COLOURS

LEFT = ("maximus", "left")
WIDER_PX = 8


def of_colour(png, colour):
    """How many pixels are nearly of a colour, column by column."""
    picture = np.asarray(Image.open(BytesIO(png)).convert("RGB"), dtype=float)
    return (np.abs(picture - np.array(ImageColor.getrgb(colour))).max(axis=2) < 60).sum(axis=0)


def left_of(example):
    return example.mask.labels[example.result.level.slice_index] == 1


def test_a_border_is_near_on_either_side_of_itself():
    outline = np.zeros((20, 20), bool)
    outline[5:15, 5:15] = True
    far = far_from(outline, (1.0, 1.0))
    assert not far[4, 5:15].any()  # just outside and just inside
    assert not far[5, 5:15].any()
    assert far[7, 7]  # three pixels within
    assert far[2, 10]
    assert far_from(np.zeros((3, 3), bool), (1.0, 1.0)).all()


@pytest.mark.parametrize("spacing_mm", [(0.5, 2.0), (2.0, 0.5)])
def test_what_is_near_is_told_in_mm(spacing_mm):
    outline = np.zeros((40, 40), bool)
    outline[20:, 20:] = True
    far = far_from(outline, spacing_mm)
    rows = np.flatnonzero(~far[:, 35])
    columns = np.flatnonzero(~far[35])
    for near, spacing in ((rows, spacing_mm[0]), (columns, spacing_mm[1])):
        within = int(np.hypot(*spacing_mm) / spacing)  # a pixel's diagonal, more than 1.5 mm
        assert (near.min(), near.max()) == (20 - within, 19 + within)


def test_the_other_outline_is_drawn_where_it_differs(example):
    own = draw_overlay(example.volume, example.mask, example.result)
    same = draw_overlay(example.volume, example.mask, example.result, {LEFT: left_of(example)})
    assert own == same
    wider = left_of(example).copy()
    wider[20:30, 49 : 49 + WIDER_PX] = True
    drawn = draw_overlay(example.volume, example.mask, example.result, {LEFT: wider})
    before, after = (of_colour(png, SIDE_COLOURS["left"]) for png in (own, drawn))
    added = np.flatnonzero(after > before)
    assert added.size
    assert added.min() > np.flatnonzero(before)[0]
    assert (of_colour(drawn, SIDE_COLOURS["right"]) == of_colour(own, SIDE_COLOURS["right"])).all()


def test_an_outline_of_a_side_that_was_not_found_is_drawn_whole(example):
    labels = np.where(example.mask.labels == 1, 0, example.mask.labels).astype(np.uint8)
    bare = replace(example.mask, labels=labels)
    drawn = draw_overlay(example.volume, bare, example.result, {LEFT: left_of(example)})
    assert drawn != draw_overlay(example.volume, bare, example.result)


def test_the_picture_says_how_far_an_area_may_be_off(example):
    right, left = (caption._side_lines(example.result, side)[1] for side in ("right", "left"))
    assert left == "510 ± 20 mm²"  # 4 % of 510
    assert right == "540 ± 76 mm²"  # 14 %
    unknown = replace(
        example.result, muscles=tuple(replace(m, error_bound_percent=None) for m in example.result.muscles)
    )
    assert caption._side_lines(unknown, "left")[1] == "510 mm²"


def test_the_other_muscles_have_their_bounds_too(example):
    medius = tuple(replace(m, muscle="medius") for m in example.result.muscles)
    result = replace(example.result, muscles=example.result.muscles + medius[:1])
    assert "medius R -, L 510 ± 20 mm²" in caption._summary_lines(result)
