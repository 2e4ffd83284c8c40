"""What napari finds: the manifest, readers, writer, sample; and the widget to measure by hand."""

import numpy as np
import pytest

from glutseg.review import read_mask
from glutseg.viewer import plugin

SLOW_MS = 60_000


def test_the_manifest_is_valid_and_its_names_can_be_imported():
    npe2 = pytest.importorskip("npe2")
    from importlib import resources

    manifest = npe2.PluginManifest.from_file(str(resources.files("glutseg.viewer") / "napari.yaml"))
    manifest.validate_imports()
    assert manifest.name == "glutseg"
    assert len(manifest.contributions.widgets) == 2


def test_a_folder_of_images_opens_in_mm(truth_rooms, tmp_path):
    folder = truth_rooms.write(tmp_path / "in")
    ((data, how, kind),) = plugin.get_reader(str(folder))(str(folder))
    truth = truth_rooms.phantom.volume
    assert kind == "image"
    assert np.array_equal(data, truth.hu)
    assert how["scale"] == pytest.approx(truth.geometry.spacing_mm)
    assert how["translate"] == pytest.approx(truth.geometry.origin_mm[::-1])


def test_a_run_and_a_case_open_with_images_and_muscles(ten):
    for path in (ten.out, ten.out / "cases" / ten.names[3]):
        image, labels = plugin.get_reader(str(path))(str(path))
        assert image[0].shape == labels[0].shape
        assert set(np.unique(labels[0])) == {0, 1, 2}
    assert ten.names[3] in labels[1]["name"]
    assert plugin.get_reader(str(ten.out / "measurements.csv")) is None
    assert plugin.get_reader(["a", "b"]) is None


def test_a_mask_goes_back_to_the_grid_of_its_series(ten, tmp_path):
    _, (data, how, _) = plugin.get_reader(str(ten.out))(str(ten.out))
    (written,) = plugin.write_mask(str(tmp_path / "mine"), data, how)
    own = how["metadata"][plugin.GEOMETRY]
    automatic = read_mask(ten.out / "cases" / ten.names[0] / "mask.nii.gz", own)
    from pathlib import Path

    assert np.array_equal(read_mask(Path(written), own).labels, automatic.labels)


def test_measuring_by_hand_reads_what_is_drawn(screen, display, truth_rooms, tmp_path):
    import napari

    from glutseg.viewer.measure_widget import MeasureWidget

    folder = truth_rooms.write(tmp_path / "in", position="FFS")  # stored from the head to the feet
    viewer = napari.Viewer(show=False)
    widget = MeasureWidget(viewer)
    viewer.window.add_dock_widget(widget)
    try:
        widget.open_folder(str(folder))
        screen.waitUntil(lambda: widget.layers.picture is not None, timeout=SLOW_MS)
        truth = truth_rooms.phantom.truth.labels
        widget.level.slider.setValue(8)
        widget.layers.write(8, truth[8] == 2, 2)
        widget.height.setValue(1.6)
        screen.wait(50)
        live = widget.layers.picture.live()
        assert live.sides["right"].area_mm2 == pytest.approx(truth_rooms.true_area_mm2("right"))
        assert "left" not in live.sides
        assert live.index_mm2_per_m is None  # one side is no mean
        widget.save_to(tmp_path / "mine.csv")
        head, row = (tmp_path / "mine.csv").read_text(encoding="utf-8").splitlines()
        table = dict(zip(head.split(","), row.split(","), strict=True))
        assert (table["side"], table["height_m"]) == ("right", "1.60")
        assert table["slice_index"] == str(len(truth) - 1 - 8)  # in the order of the files, as in a run
        assert "slice 8," in widget.level.message.text()  # as on napari's slider
        assert float(table["area_mm2"]) == pytest.approx(live.sides["right"].area_mm2, abs=6e-4)
        kept = read_mask(tmp_path / "mine.nii.gz", widget.layers.picture.image.stored)
        assert int((kept.labels == 2).sum()) == int((truth[8] == 2).sum())
    finally:
        viewer.close()


def test_from_the_menu_the_run_is_asked_for(screen, ten):
    from importlib import resources

    import napari
    import npe2

    manifest = npe2.PluginManifest.from_file(str(resources.files("glutseg.viewer") / "napari.yaml"))
    manager = npe2.PluginManager.instance()
    if manifest.name not in manager:
        manager.register(manifest)
    viewer = napari.Viewer(show=False)
    try:
        _, widget = viewer.window.add_plugin_dock_widget("glutseg", "Review a run")
        widget.folder.setText(str(ten.images))
        widget.open.click()
        assert "there is no run" in widget.message.text()
        widget.folder.setText(str(ten.out))
        widget.reviewer.setText(" ")
        widget.open.click()
        assert "no name" in widget.message.text()
        widget.reviewer.setText("anna")
        widget.open.click()
        screen.waitUntil(lambda: widget.panel.opened is not None, timeout=SLOW_MS)
        panel = widget.panel
        slice_index = panel.opened.picture.slice_index
        panel.layers.write(slice_index, panel.layers.muscles.data[slice_index] == 1, 0)
        panel.tools.regrow._click_inside((slice_index, 20, 20))
        screen.wait(50)
        assert panel.opened.is_changed
        here = panel._wanted
        panel.step(1)
        screen.waitUntil(lambda: panel.opened is not None and panel._wanted != here, timeout=SLOW_MS)
        assert (ten.out / "cases" / here / "draft-anna.nii.gz").is_file()
        assert len(viewer.layers) == 3  # they are filled anew, not added
        _, measuring = viewer.window.add_plugin_dock_widget("glutseg", "Measure by hand")
        measuring.open_folder(str(ten.images / "0001"))
        screen.waitUntil(lambda: measuring.layers.picture is not None, timeout=SLOW_MS)
        there, slice_index = panel._wanted, panel.opened.picture.slice_index
        panel.layers.write(slice_index, panel.layers.muscles.data[slice_index] == 2, 0)
        screen.wait(50)
        viewer.window.remove_dock_widget(widget)
        assert (ten.out / "cases" / there / "draft-anna.nii.gz").is_file()
        layers = viewer.open_sample("glutseg", "phantom")
        assert [layer.name for layer in layers] == ["phantom CT", "phantom muscles"]
    finally:
        viewer.close()
