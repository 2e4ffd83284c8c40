"""The level panel never shows what was outlined for another level or another case."""

import numpy as np
import pytest
from slow_outliner import SlowOutliner

from glutseg.image import CtImage, Geometry
from glutseg.protocol import load_protocol
from glutseg.viewer.picture import Picture

pytest.importorskip("napari")
WAIT_MS = 60_000
N_SLICES = 30
PROTOCOL = load_protocol(level="femoral-head-top")
PROTOCOL = PROTOCOL.model_copy(update={"level": PROTOCOL.level.model_copy(update={"profile_mm": 3.0})})


def a_picture(column=4):
    hu = np.zeros((N_SLICES, 12, 12), np.int16)
    hu[:, 4:8, column : column + 4] = 50
    image = CtImage(hu, Geometry(hu.shape, (3.0, 2.0, 2.0)))
    return Picture.of(image, None, 15, PROTOCOL.tissue)


@pytest.fixture
def panel(screen):
    """A level panel with a slow outliner, beside a viewer."""
    import napari

    from glutseg.viewer.layer_manager import LayerManager
    from glutseg.viewer.level_panel import LevelPanel

    viewer = napari.Viewer(show=False)
    made = LevelPanel(LayerManager(viewer))
    made.outliner = SlowOutliner(seconds=0.5)
    show(made, a_picture())
    yield made
    made.close()
    viewer.close()


def show(panel, picture):
    panel._layers.show(picture)
    panel.show_picture(picture, PROTOCOL)


def outlined(panel):
    return np.nonzero(panel._layers.picture.labels.any(axis=(1, 2)))[0].tolist()


def test_a_moved_level_is_outlined(panel, screen):
    panel.slider.setValue(20)
    screen.waitUntil(lambda: outlined(panel) == [19, 20, 21], timeout=WAIT_MS)
    assert not panel.is_busy
    panel.slider.setValue(21)
    screen.wait(600)
    assert not panel.is_busy  # what is there is kept


def test_a_level_moved_twice_is_outlined_where_it_ended(panel, screen):
    panel.slider.setValue(20)
    screen.waitUntil(lambda: panel.is_busy, timeout=WAIT_MS)
    panel.slider.setValue(8)
    assert not panel.is_busy
    screen.waitUntil(lambda: bool(outlined(panel)), timeout=WAIT_MS)
    assert outlined(panel) == [7, 8, 9]
    assert panel.slider.value() == 8
    screen.wait(800)
    assert outlined(panel) == [7, 8, 9]


def test_outlines_of_a_case_that_was_left_are_dropped(panel, screen):
    panel.slider.setValue(20)
    screen.waitUntil(lambda: panel.is_busy, timeout=WAIT_MS)
    show(panel, a_picture(column=0))
    screen.wait(1200)
    assert outlined(panel) == []
    panel.slider.setValue(20)
    screen.waitUntil(lambda: bool(outlined(panel)), timeout=WAIT_MS)
    labels = panel._layers.picture.labels
    assert outlined(panel) == [19, 20, 21]
    assert np.nonzero(labels.any(axis=(0, 1)))[0].tolist() == [0, 1, 2, 3]


def test_a_process_killed_meanwhile_is_told_and_the_next_level_outlined(panel, screen):
    told = []
    panel.failed.connect(told.append)
    panel.outliner = SlowOutliner(dies=True)
    panel.slider.setValue(20)
    screen.waitUntil(lambda: bool(told), timeout=WAIT_MS)
    assert [error.code for error in told] == ["worker-died"]
    assert not panel.is_busy
    panel.outliner = SlowOutliner()
    panel.slider.setValue(8)
    screen.waitUntil(lambda: outlined(panel) == [7, 8, 9], timeout=WAIT_MS)


def test_the_hips_are_looked_for_once_a_picture_stands(screen, panel, monkeypatch):
    from glutseg.segmentation import AUTOMATIC

    asked = []
    monkeypatch.setattr(panel._segmentation, "find_hips", lambda image, *rest: asked.append(image))
    panel.outliner = AUTOMATIC
    first, second = a_picture(), a_picture()
    show(panel, first)
    show(panel, second)  # the first one was leafed over
    screen.waitUntil(lambda: bool(asked), timeout=WAIT_MS)
    screen.wait(100)
    assert len(asked) == 1
    assert asked[0] is second.image
