import subprocess
import sys

import numpy as np
import pytest

import glutseg
from glutseg import GlutsegError, Mask


def test_public_names_exist_and_are_few():
    assert len(glutseg.__all__) <= 15
    for name in glutseg.__all__:
        assert getattr(glutseg, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        _ = glutseg.nonsense
    assert set(dir(glutseg)) == set(glutseg.__all__)


def test_importing_loads_nothing_slow():
    probe = "import sys, glutseg; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("position", ["HFS", "FFP"])
def test_the_stages_one_by_one(truth_rooms, tmp_path, position):
    volume = glutseg.load(truth_rooms.write(tmp_path / "in", position=position))
    level = glutseg.find_level(volume)
    mask = glutseg.segment(volume, level)
    sides = glutseg.measure(volume, mask, level)
    assert sides["left"].area_mm2 == pytest.approx(truth_rooms.true_area_mm2("left"))
    assert sides["right"].area_mm2 == pytest.approx(truth_rooms.true_area_mm2("right"))


def test_simpleitk_images_and_numpy_masks_do_as_well(truth_rooms):
    phantom = truth_rooms.phantom
    image = phantom.volume.to_sitk()
    level = glutseg.find_level(image, "slice=6")
    assert level.slice_index == 6
    segmented = glutseg.segment(image, 6, reach_mm=0)
    assert np.flatnonzero(segmented.labels.any((1, 2))).tolist() == [6]
    for mask in (phantom.truth, phantom.truth.to_sitk(), phantom.truth.labels.astype(int)):
        sides = glutseg.measure(image, mask, 6)
        assert sides["right"].area_mm2 == pytest.approx(truth_rooms.true_area_mm2("right", 6))


def test_masks_of_another_grid_are_refused(truth_rooms):
    phantom = truth_rooms.phantom
    other = glutseg.Geometry(phantom.truth.geometry.shape, (9.0, 1.0, 1.0))
    with pytest.raises(GlutsegError, match="geometry-mismatch"):
        glutseg.measure(phantom.volume, Mask(phantom.truth.labels, other), 6)
    with pytest.raises(GlutsegError, match="geometry-mismatch"):
        glutseg.measure(phantom.volume, phantom.truth.labels[:3], 6)


def test_a_folder_to_results(truth_rooms, tmp_path):
    truth_rooms.write(tmp_path / "in" / "a", patient_id="a")
    truth_rooms.write(tmp_path / "in" / "b", patient_id="b")
    table = tmp_path / "p.csv"
    table.write_text("patient_id,height_m\nb,1.8\n", encoding="utf-8")
    first, second = glutseg.measure_folder(tmp_path / "in", participants=table)
    assert (first.patient_id, first.height.height_m, first.status) == ("a", 1.6, "ok")
    assert (second.patient_id, second.height.height_m) == ("b", 1.8)


def test_load_wants_one_study(truth_rooms, tmp_path):
    truth_rooms.write(tmp_path / "in" / "a", patient_id="a")
    truth_rooms.write(tmp_path / "in" / "b", patient_id="b")
    with pytest.raises(GlutsegError, match="input-ambiguous"):
        glutseg.load(tmp_path / "in")
    (tmp_path / "empty").mkdir()
    with pytest.raises(GlutsegError, match="input-empty"):
        glutseg.load(tmp_path / "empty")
