"""The sections beside the measured slice: where outlines end there, the muscles go on."""

from dataclasses import replace

import numpy as np
import pytest

from glutseg.output import overlay
from glutseg.output.overlay import CORONAL, draw_overlay
from glutseg.output.view import case_view
from glutseg.result import WholeMuscle

WHOLE = WholeMuscle(100.0, 90.0, 5.0, 50.0, 200.0, is_complete=True)


def words_drawn(monkeypatch, example):
    drawn = []
    write = overlay.Canvas.text
    monkeypatch.setattr(
        overlay.Canvas,
        "text",
        lambda self, at, text, *a, **k: (drawn.append(text), write(self, at, text, *a, **k))[1],
    )
    draw_overlay(example.volume, example.mask, example.result)
    return drawn


def test_it_is_said_how_far_the_outlines_reach(monkeypatch, example):
    view = case_view(example.volume, example.mask, example.result)
    slices = np.flatnonzero(view.labels.any(axis=(1, 2)))
    up, down = (abs(end - view.slice_index) * view.spacing_mm[0] for end in (slices[-1], slices[0]))
    assert up == down
    assert words_drawn(monkeypatch, example).count(f"outlined: ± {up:.0f} mm around the level") == 2


def test_uneven_ends_are_named_apart(example):
    view = case_view(example.volume, example.mask, example.result)
    labels = view.labels.copy()
    labels[view.slice_index + 1 :] = 0
    assert overlay._outlined_words(replace(view, labels=labels)).startswith("outlined: + 0, − ")
    assert overlay._outlined_words(replace(view, labels=np.zeros_like(labels))) == ""


@pytest.mark.parametrize("is_whole", [False, True])
def test_only_a_whole_muscle_is_closed_above_and_below(example, is_whole):
    view = case_view(example.volume, example.mask, example.result)
    plane = overlay._coronal(view, is_cut=not is_whole)
    shown = overlay._Shown(overlay.Canvas((10, 10), "black"), plane, CORONAL)
    inside = plane.labels == 1
    paths = shown.contours(inside, where=overlay._between_ends(inside) if plane.is_cut else None)
    closed = [bool(np.allclose(path[0], path[-1])) for path in paths]
    assert closed == ([True] if is_whole else [False, False])


def test_a_whole_muscle_has_no_words_about_its_ends(monkeypatch, example):
    muscles = tuple(replace(m, whole=WHOLE) for m in example.result.muscles)
    whole = replace(example, result=replace(example.result, muscles=muscles))
    assert not [text for text in words_drawn(monkeypatch, whole) if "outlined" in text]


def test_of_a_single_slice_the_outline_stays(example):
    view = case_view(example.volume, example.mask, example.result)
    labels = np.zeros_like(view.labels)
    labels[view.slice_index] = view.labels[view.slice_index]
    assert (
        overlay._between_ends(overlay._coronal(replace(view, labels=labels), is_cut=True).labels > 0) is None
    )
