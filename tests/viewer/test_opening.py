"""Paths opened in plain napari: the right panel on the right case, or the reason why not."""

import json

import numpy as np
import pydicom
import pytest

pytest.importorskip("napari")
SLOW_MS = 60_000


@pytest.fixture
def napari_window(screen):
    """Plain napari that knows glutseg."""
    from importlib import resources

    import napari
    import npe2

    manifest = npe2.PluginManifest.from_file(str(resources.files("glutseg.viewer") / "napari.yaml"))
    manager = npe2.PluginManager.instance()
    if manifest.name not in manager:
        manager.register(manifest)
    viewer = napari.Viewer()
    viewer.window._qt_window.resize(1280, 800)
    yield viewer
    viewer.close()


def opened(viewer, path, screen):
    """The panel that shows after a path was dropped on the window."""
    viewer.open(str(path), plugin="glutseg")
    screen.wait(50)
    return list(viewer.window.dock_widgets.values())[-1]


def test_a_run_opens_its_review_and_a_case_that_case(napari_window, screen, ten):
    from glutseg.viewer.review_launcher import ReviewWidget

    widget = opened(napari_window, ten.out, screen)
    assert isinstance(widget, ReviewWidget)
    screen.waitUntil(lambda: widget.panel.opened is not None, timeout=SLOW_MS)
    first = widget.panel._wanted
    other = next(name for name in ten.names if name != first)
    assert opened(napari_window, ten.out / "cases" / other, screen) is widget
    screen.waitUntil(lambda: widget.panel.opened is not None, timeout=SLOW_MS)
    assert widget.panel.opened.automatic.case_id == other
    assert [layer.name for layer in napari_window.layers] == ["CT", "muscles"]


def test_a_case_opens_without_the_run_open_before(napari_window, screen, ten):
    widget = opened(napari_window, ten.out / "cases" / ten.names[4], screen)
    screen.waitUntil(lambda: widget.panel.opened is not None, timeout=SLOW_MS)
    assert widget.panel.opened.automatic.case_id == ten.names[4]


def test_images_open_to_be_measured_by_hand_beside_a_review(napari_window, screen, ten):
    review = opened(napari_window, ten.out, screen)
    screen.waitUntil(lambda: review.panel.opened is not None, timeout=SLOW_MS)
    measuring = opened(napari_window, ten.images / "0002", screen)
    screen.waitUntil(lambda: measuring.layers.picture is not None, timeout=SLOW_MS)
    assert measuring.folder.text() == str(ten.images / "0002")
    # the outlines of one case are never seen on the images of another, and keys go to one panel
    assert not review.panel.screen.overlay.isVisible()
    assert not review.panel.layers.image.visible
    assert not review.panel.isEnabled()
    assert measuring.screen.overlay.isVisible()
    review.panel.screen._dock.raise_()
    screen.waitUntil(review.panel.screen.overlay.isVisible, timeout=SLOW_MS)
    assert review.panel.layers.image.visible
    assert review.panel.isEnabled()
    assert not measuring.layers.image.visible
    assert review.panel.layers.slice_shown == review.panel.opened.picture.slice_index


def test_measuring_by_hand_takes_the_ct_that_is_open(napari_window, screen):
    image, muscles = napari_window.open_sample("glutseg", "phantom")
    _, widget = napari_window.window.add_plugin_dock_widget("glutseg", "Measure by hand")
    screen.waitUntil(lambda: widget.layers.picture is not None, timeout=SLOW_MS)
    assert np.array_equal(widget.layers.picture.image.hu, image.data)
    assert "phantom CT" in widget.message.text()
    assert not image.visible
    assert muscles in napari_window.layers


def test_measuring_by_hand_leaves_a_picture_of_unknown_sides_alone(napari_window, screen):
    napari_window.add_image(np.zeros((4, 20, 20), np.int16))
    _, widget = napari_window.window.add_plugin_dock_widget("glutseg", "Measure by hand")
    screen.wait(200)
    assert widget.layers.picture is None


def test_a_folder_with_neither_says_so(napari_window, screen, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "list.txt").write_text("nothing to see", encoding="utf-8")
    widget = opened(napari_window, tmp_path / "notes", screen)
    screen.waitUntil(lambda: "reading" not in widget.message.text(), timeout=SLOW_MS)
    assert "no " in widget.message.text()
    assert widget.screen.overlay.note == ""
    assert widget.layers.picture is None


@pytest.mark.parametrize(
    ("content", "words"), [("{ broken", "no run of glutseg"), ('{"program": "glutseg"}', "measure again")]
)
def test_a_broken_run_says_what_is_wrong_in_the_form(napari_window, screen, ten, content, words):
    (ten.out / "run.json").write_text(content, encoding="utf-8")
    widget = opened(napari_window, ten.out, screen)
    assert widget.panel is None
    assert words in widget.message.text()
    assert widget.folder.text() == str(ten.out)


def test_a_case_that_the_run_does_not_have_is_told(napari_window, screen, ten):
    record = json.loads((ten.out / "run.json").read_text(encoding="utf-8"))
    gone = ten.names[2]
    record["cases"] = [case for case in record["cases"] if case["case_id"] != gone]
    (ten.out / "run.json").write_text(json.dumps(record), encoding="utf-8")
    widget = opened(napari_window, ten.out / "cases" / gone, screen)
    screen.waitUntil(lambda: widget.panel.loader is not None, timeout=SLOW_MS)
    assert gone in widget.panel.message.text()


def test_a_series_without_hips_can_be_drawn_on_and_says_why_nothing_is_found(napari_window, screen, ten):
    """The ten cases show a few slices about the hips only, in which none are found."""
    widget = opened(napari_window, ten.images / "0001", screen)
    screen.waitUntil(lambda: widget.layers.picture is not None, timeout=SLOW_MS)
    widget.find.click()
    screen.waitUntil(lambda: "hips-not-found" in widget.message.text(), timeout=SLOW_MS)
    assert widget.layers.picture is not None


def test_images_of_another_kind_are_no_series(napari_window, screen, ten, tmp_path):
    file = next(path for path in (ten.images / "0001").iterdir())
    image = pydicom.dcmread(file)
    del image.ImagePositionPatient
    (tmp_path / "one").mkdir()
    image.save_as(tmp_path / "one" / "a.dcm")
    widget = opened(napari_window, tmp_path / "one", screen)
    screen.waitUntil(lambda: "reading" not in widget.message.text(), timeout=SLOW_MS)
    assert widget.layers.picture is None
    assert widget.message.text()
