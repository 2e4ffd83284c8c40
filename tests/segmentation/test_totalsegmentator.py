"""TotalSegmentator as an outliner: against a package that looks like it, and against itself if installed."""

import importlib
import inspect
import json
import os
from types import SimpleNamespace

import numpy as np
import pytest
from made_weights import CODE_HU, make_weights

import totalsegmentator_standin as standin
from glutseg.errors import GlutsegError
from glutseg.geometry import Geometry
from glutseg.image import LABELS, CtImage
from glutseg.protocol import ExtentRule, Protocol
from glutseg.result import Level
from glutseg.segmentation import AUTOMATIC, OUTLINERS, named_outliner
from glutseg.segmentation.totalsegmentator import HALF_PATCH_MM, TotalSegmentator

IS_INSTALLED = importlib.util.find_spec("totalsegmentator") is not None
needs_package = pytest.mark.skipif(not IS_INSTALLED, reason="TotalSegmentator is not installed")
SHAPE, SPACING_MM = (40, 50, 60), (5.0, 1.5, 2.0)


@pytest.fixture
def package(tmp_path, monkeypatch):
    yield from standin.installed(tmp_path, monkeypatch)


def outlined(outliner, image, slice_index, *, whole_muscle=False, muscles=("maximus",)):
    """What it outlines 15 mm around a slice, or from end to end; the hips' tops lie at the slice."""
    z_mm = image.geometry.slice_z_mm(slice_index)
    anatomy = SimpleNamespace(hips=SimpleNamespace(top_mm=z_mm))
    extent = ExtentRule(muscles=muscles, whole_muscle=whole_muscle)
    level = Level("slice", slice_index, z_mm)
    return outliner.outline(image, anatomy, level, Protocol(name="test", extent=extent))


def calls(package):
    return [json.loads(line) for line in (package / "calls.jsonl").read_text().splitlines()]


def rotation(axis, degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turned = np.eye(3)
    i, j = [k for k in range(3) if k != axis]
    turned[[i, i, j, j], [i, j, i, j]] = c, -s, s, c
    return turned


def geometries():
    """Every order and direction of the axes that stacks axial slices; oblique ones and a sheared one."""
    for swapped in (False, True):
        for flips in range(8):
            columns = np.diag([(-1.0) ** (flips >> k & 1) for k in range(3)])
            columns = columns[:, [1, 0, 2]] if swapped else columns
            yield pytest.param(columns, id=f"{'yx' if swapped else 'xy'}{flips:03b}")
    yield pytest.param(rotation(0, 12) @ rotation(2, 9), id="oblique")
    yield pytest.param(rotation(0, 12) @ rotation(2, 9) @ np.diag([-1.0, -1.0, -1.0]), id="oblique, flipped")
    sheared = np.eye(3)
    sheared[:, 1] = rotation(0, 15)[:, 1]
    yield pytest.param(sheared, id="tilted")


def made_body(columns):
    """A body without symmetry on a grid; its muscles are known by their place in the patient alone."""
    shape = SHAPE if abs(columns[0, 0]) > 0.5 else (SHAPE[0], SHAPE[2], SHAPE[1])
    first = Geometry(shape, SPACING_MM, (0.0, 0.0, 0.0), tuple(columns.ravel()))
    middle = first.point_mm(*((n - 1) / 2 for n in shape))
    grid = Geometry(shape, SPACING_MM, tuple(-v for v in middle), first.direction)
    index = np.indices(shape).reshape(3, -1)[::-1]
    x, y, z = (grid.matrix @ np.vstack([index, np.ones(index.shape[1])]))[:3].reshape(3, *shape)
    left = (x > 10) & (x < 36) & (y > 16) & (y < 33) & (z > 12) & (z < 40)
    right = (x < -8) & (x > -26) & (y > 16) & (y < 28) & (z > 12) & (z < 50)
    decoys = (abs(x) < 30) & (abs(z) < 40) & (((y < -16) & (y > -30)) | ((z < -20) & (y > 10)))
    hu = np.where(left | right | decoys, 60, -80).astype(np.int16)
    return CtImage.from_array(hu, grid), np.where(left, 1, np.where(right, 2, 0))


@pytest.mark.parametrize("columns", list(geometries()))
def test_left_is_left_whatever_the_order_and_direction_of_the_axes(package, columns):
    volume, truth = made_body(columns)
    found = outlined(TotalSegmentator("cpu"), volume, 20, whole_muscle=True)
    assert set(np.unique(truth)) == {0, 1, 2}
    assert np.array_equal(found.mask.stored_labels(), truth)


def test_what_it_is_asked_and_told(package, monkeypatch, capsys):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:8080")
    before = dict(os.environ)
    volume, _ = made_body(np.eye(3))
    found = outlined(TotalSegmentator(), volume, 3, muscles=("maximus", "medius"))
    (call,) = calls(package)
    assert call["roi_subset"] == [
        f"gluteus_{m}_{s}" for m in ("maximus", "medius") for s in ("left", "right")
    ]
    assert (call["ml"], call["task"], call["device"], call["quiet"]) == (True, "total", "gpu", True)
    assert call["config"]["send_usage_stats"] is False
    assert call["config"]["statistics_disclaimer_shown"] is True
    assert call["proxy"] == "http://127.0.0.1:9"
    assert call["weights"] == before["TOTALSEG_WEIGHTS_PATH"]
    assert call["output"] is None
    assert dict(os.environ) == before
    assert capsys.readouterr().out == ""
    assert [(str(f), f.message) for f in found.flags] == [
        ("other-outliner", "TotalSegmentator 2.18.0, task total")
    ]
    assert not found.quality


def test_it_sees_a_slab_around_the_slices_and_keeps_to_them(package):
    grid = Geometry((160, *SHAPE[1:]), SPACING_MM)
    hu = np.full(grid.shape, 60, np.int16)
    found = outlined(TotalSegmentator("cpu"), CtImage(hu, grid), 83)
    (call,) = calls(package)
    more = int(np.ceil(HALF_PATCH_MM / SPACING_MM[0]))
    assert call["shape"] == [SHAPE[2], SHAPE[1], 7 + 2 * more]
    assert set(np.flatnonzero(found.mask.labels.any(axis=(1, 2)))) <= set(range(80, 87))


def test_whole_muscles_from_end_to_end(package):
    grid = Geometry((160, *SHAPE[1:]), SPACING_MM)
    image = CtImage(np.full(grid.shape, 60, np.int16), grid)
    outlined(TotalSegmentator("cpu"), image, 80, whole_muscle=True)
    assert calls(package)[0]["shape"][2] == 67 + 2 * 20  # 190 mm below and 140 mm above, and the slab around


FAULTS = {
    "raise ValueError('no such thing')": ("outliner-failed", "ValueError: no such thing"),
    "raise SystemExit('license')": ("outliner-failed", "SystemExit: license"),
    "return nibabel.Nifti1Image(np.zeros((3, 3, 3), np.uint8), np.eye(4))": (
        "outliner-failed",
        "another grid",
    ),
    "return nibabel.Nifti1Image(np.zeros(image.shape, np.uint8), np.eye(4))": (
        "outliner-failed",
        "another grid",
    ),
    "v = 0 * image.get_fdata(); v[:9] = 80; v[-9:] = 81; return nibabel.Nifti1Image(v, image.affine)": (
        "mask-sides-contradicted",
        "lies to the right",
    ),
    "import requests; requests.get('https://example.com')": ("outliner-failed", "Error"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_it_does_wrong_is_the_studys_failure(package, fault):
    if "requests" in fault:
        pytest.importorskip("requests")
    lines = [f"    {line}" for line in fault.split("; ")]
    api = package / "python_api.py"
    api.write_text(api.read_text().replace("    canonical = ", "\n".join(lines) + "\n    canonical = ", 1))
    before = dict(os.environ)
    volume, _ = made_body(np.eye(3))
    with pytest.raises(GlutsegError) as caught:
        outlined(TotalSegmentator("cpu"), volume, 20)
    code, words = FAULTS[fault]
    assert caught.value.code == code
    assert words in caught.value.message
    assert dict(os.environ) == before


def test_without_its_weights_it_does_not_begin(package, tmp_path):
    (tmp_path / "weights" / standin.WEIGHTS[298]).rmdir()
    volume, _ = made_body(np.eye(3))
    for call in (
        lambda: TotalSegmentator().check(),
        lambda: outlined(TotalSegmentator(), volume, 20),
    ):
        with pytest.raises(
            GlutsegError, match=r"1 of 6 are not there.*totalseg_download_weights -t total"
        ) as caught:
            call()
        assert caught.value.code == "weights-missing"
        assert caught.value.where == str(tmp_path / "weights")
    assert not (package / "calls.jsonl").exists()


@pytest.mark.skipif(IS_INSTALLED, reason="TotalSegmentator is installed")
def test_without_the_package_it_does_not_begin():
    with pytest.raises(GlutsegError, match=r"pip install .*\[totalsegmentator\]'") as caught:
        TotalSegmentator().check()
    assert caught.value.code == "extra-missing"


def test_a_version_that_is_not_known_is_told(package):
    (package / "map_tasks_config.py").write_text("TASK_CONFIGS = {}\nTASK_ID_WEIGHTS_CONFIGS = {}\n")
    with pytest.raises(GlutsegError, match=r"TotalSegmentator 2\.18\.0 cannot be used: KeyError") as caught:
        TotalSegmentator().check()
    assert caught.value.code == "extra-missing"


@pytest.mark.parametrize("device", ["", "cuda", "gpu:", "cpu ", "gpu:1;x"])
def test_devices_are_those_it_knows(device):
    with pytest.raises(GlutsegError, match="outliner-unknown"):
        TotalSegmentator(device)


def test_the_registry():
    assert set(OUTLINERS) == {"glutseg", "totalsegmentator"}
    assert named_outliner("glutseg") is AUTOMATIC
    assert named_outliner("totalsegmentator") == TotalSegmentator("gpu")
    assert named_outliner("totalsegmentator", "gpu:1").device == "gpu:1"
    for name, device in (("nnunet", ""), ("glutseg", "cpu")):
        with pytest.raises(GlutsegError, match="outliner-unknown"):
            named_outliner(name, device)
    for name in OUTLINERS:
        assert named_outliner(name).name == named_outliner(name).record()["name"] == name


@needs_package
def test_the_stand_in_looks_as_the_package_does():
    from totalsegmentator.map_tasks_config import TASK_CONFIGS, TASK_ID_WEIGHTS_CONFIGS
    from totalsegmentator.map_to_binary import class_map
    from totalsegmentator.python_api import totalsegmentator

    assert str(inspect.signature(totalsegmentator)) == standin.SIGNATURE
    assert {n: name for n, name in class_map["total"].items() if "gluteus" in name} == standin.CLASSES
    assert TASK_CONFIGS["total"]["sub_modes"]["default"]["task_id"] == [291, 292, 293, 294, 295]
    assert {k: TASK_ID_WEIGHTS_CONFIGS[k]["foldername"] for k in standin.WEIGHTS} == standin.WEIGHTS


def coded_body():
    """Muscles that the weights made by hand know; 1.5 mm, so that nothing is resampled."""
    grid = Geometry((60, 90, 120), (1.5, 1.5, 1.5), (10.0, 20.0, 30.0), (-1.0, 0, 0, 0, 1.0, 0, 0, 0, -1.0))
    hu = np.zeros(grid.shape, np.int16)
    hu[20:40, 50:80, 10:50] = CODE_HU["left"]  # columns of this grid grow to the patient's right
    hu[15:45, 50:75, 75:110] = CODE_HU["right"]
    return CtImage.from_array(hu, grid)


@needs_package
def test_totalsegmentator_itself_with_weights_made_by_hand(tmp_path, monkeypatch):
    """Nothing of it is replaced but the numbers in its weights."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TOTALSEG_WEIGHTS_PATH", str(make_weights(tmp_path / "weights")))
    volume = coded_body()
    other = TotalSegmentator("cpu")
    other.check()
    labels = outlined(other, volume, 30, whole_muscle=True).mask.stored_labels()
    for side, hu in CODE_HU.items():
        assert np.array_equal(labels == LABELS["maximus"][side], volume.stored_hu() == hu)
    assert not (tmp_path / "home" / ".totalsegmentator").exists(), (
        "the user's own settings are neither read nor written"
    )
    assert {"version", "nnunetv2", "torch"} <= {key for key, value in other.record().items() if value}
