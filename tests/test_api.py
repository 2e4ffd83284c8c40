"""What scripts may rely on: the names at the top level, and that they do what they say."""

import doctest
import inspect
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from PIL import ImageColor
from typer.testing import CliRunner

import glutseg
import made_run
from glutseg import GlutsegError, Mask
from glutseg.cli import app
from glutseg.errors import Flag
from glutseg.image import SIDES, Geometry
from glutseg.output.style import SIDE_COLOURS

SURFACE = {
    "Case",
    "GlutsegError",
    "Mask",
    "Run",
    "CtImage",
    "__version__",
    "compare_groups",
    "compare_raters",
    "find_level",
    "grow",
    "load",
    "load_protocol",
    "measure",
    "measure_mask",
    "measure_study",
    "plot_overlay",
    "read_run",
    "run_folder",
    "segment",
}
"""Changed on purpose only, and told in CHANGELOG.md; a name that goes is deprecated first (docs)."""
HEAVY = ("numpy", "pydicom", "SimpleITK", "matplotlib", "pandas", "pyarrow", "statsmodels", "napari")


def test_the_surface_changes_on_purpose_only():
    assert set(glutseg.__all__) == SURFACE
    for name in glutseg.__all__:
        assert getattr(glutseg, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        _ = glutseg.nonsense
    assert set(dir(glutseg)) == set(glutseg.__all__)


@pytest.mark.parametrize("name", sorted(SURFACE - {"__version__"}))
def test_every_name_says_what_it_is_and_takes(name):
    thing = getattr(glutseg, name)
    assert thing.__doc__
    if callable(thing) and not isinstance(thing, type):
        arguments = inspect.signature(thing).parameters
        undocumented = [a for a in arguments if a not in thing.__doc__]
        assert not undocumented
        assert "Raises" in thing.__doc__


@pytest.mark.parametrize("module", ["api.stages", "api.words", "protocol"])
def test_examples_of_the_docstrings(module):
    done = doctest.testmod(import_module(f"glutseg.{module}"))
    assert done.attempted
    assert not done.failed


def test_importing_loads_nothing_slow():
    probe = f"import sys, glutseg; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_version_is_said_once():
    assert glutseg.__version__ == version("glutseg")
    assert CliRunner().invoke(app, ["--version"]).stdout.strip() == f"glutseg {glutseg.__version__}"


@pytest.mark.parametrize("position", ["HFS", "FFP"])
def test_the_stages_one_by_one(truth_rooms, tmp_path, position):
    image = glutseg.load(truth_rooms.write(tmp_path / "in", position=position))
    level = glutseg.find_level(image)
    found = glutseg.segment(image, level)
    assert found.error_bound_percent == {("maximus", "left"): 4.0, ("maximus", "right"): 6.0}
    assert found.flags == ()
    sides = glutseg.measure(image, found, level)
    assert {m.side: m.measurement for m in found.muscles} == sides
    assert sides["left"].area_mm2 == pytest.approx(truth_rooms.true_area_mm2("left"))
    assert sides["right"].area_mm2 == pytest.approx(truth_rooms.true_area_mm2("right"))


def test_simpleitk_images_and_numpy_masks_do_as_well(truth_rooms):
    phantom = truth_rooms.phantom
    image = phantom.volume.to_sitk()
    level = glutseg.find_level(image, "slice=6")
    assert level.slice_index == 6
    segmented = glutseg.segment(image, 6, profile_mm=0).mask
    assert np.flatnonzero(segmented.labels.any((1, 2))).tolist() == [6]
    for mask in (phantom.truth, phantom.truth.to_sitk(), phantom.truth.labels.astype(int)):
        sides = glutseg.measure(image, mask, 6)
        assert sides["right"].area_mm2 == pytest.approx(truth_rooms.true_area_mm2("right", 6))


def test_masks_of_another_grid_are_refused(truth_rooms):
    phantom = truth_rooms.phantom
    other = Geometry(phantom.truth.geometry.shape, (9.0, 1.0, 1.0))
    for mask in (Mask(phantom.truth.labels, other), phantom.truth.labels[:3]):
        with pytest.raises(GlutsegError, match="geometry-mismatch"):
            glutseg.measure(phantom.volume, mask, 6)
        with pytest.raises(GlutsegError, match="geometry-mismatch"):
            glutseg.plot_overlay(phantom.volume, mask, 6)


def test_masks_without_labels_are_refused(truth_rooms):
    phantom = truth_rooms.phantom
    labels = phantom.truth.labels
    halves = sitk.GetImageFromArray(labels * np.float32(0.5))
    halves.CopyInformation(phantom.truth.to_sitk())
    for mask in (
        labels > 0,
        (labels > 0) * np.uint8(255),
        labels * 0.5,
        labels.astype(int) * 256,
        -labels.astype(int),
        halves,
    ):
        with pytest.raises(GlutsegError, match="labels-unknown"):
            glutseg.measure(phantom.volume, mask, 6)


def test_other_muscles_are_measured_by_their_labels(truth_rooms):
    phantom = truth_rooms.phantom
    medius = np.where(phantom.truth.labels == 1, 3, 0)
    sides = glutseg.measure(phantom.volume, medius, 8, muscle="medius")
    assert sides["left"].area_mm2 == pytest.approx(truth_rooms.true_area_mm2("left"))
    assert np.isnan(sides["right"].area_mm2)


def test_a_study_with_its_doubts_images_and_mask(truth_rooms, tmp_path):
    case = glutseg.measure_study(truth_rooms.write(tmp_path / "in"), "si-joint-end")
    assert case.result.status == "ok"
    assert case.image.geometry.matches(case.mask.geometry)
    again = glutseg.measure(case.image, case.mask, case.result.level)
    assert again == {side: case.result.measurement(side) for side in SIDES}
    assert Flag("metal", "a hip").remedy


def test_heights_of_a_table_go_before_the_header(truth_rooms, tmp_path):
    folder = truth_rooms.write(tmp_path / "in", patient_id="b")
    table = tmp_path / "p.csv"
    table.write_text("patient_id,height_m\nb,1.8\n", encoding="utf-8")
    assert glutseg.measure_study(folder).result.height.height_m == 1.6
    assert glutseg.measure_study(folder, participants=table).result.height.height_m == 1.8


def test_names_of_the_version_before_say_where_they_went():
    for name in ("Volume", "measure_folder", "to_frame", "SideMeasurement"):
        with pytest.raises(AttributeError, match=f"{name}.*: (it is|use) "):
            getattr(glutseg, name)


@pytest.mark.parametrize("level", ["femoral-head-top", 8, "slice=8", None])
def test_a_level_is_an_object_a_slice_or_words(truth_rooms, level):
    image = truth_rooms.phantom.volume
    chosen = glutseg.find_level(image) if level is None else level
    assert glutseg.segment(image, chosen).level.slice_index == 8


@pytest.mark.parametrize(
    ("level", "says"),
    [
        (999, "level-outside: level=999 asked for, the image has slices 0 to 15"),
        (-1, "level-outside: level=-1"),
        ("knee", "protocol-invalid: no level 'knee'; level= takes femoral-head-top"),
    ],
)
def test_a_level_that_is_none_says_what_to_do(truth_rooms, level, says):
    phantom = truth_rooms.phantom
    for attempt in (
        lambda: glutseg.segment(phantom.volume, level),
        lambda: glutseg.measure(phantom.volume, phantom.truth, level),
        lambda: glutseg.plot_overlay(phantom.volume, None, level),
    ):
        with pytest.raises(GlutsegError, match=says):
            attempt()


def test_an_array_needs_its_spacing(truth_rooms):
    phantom = truth_rooms.phantom
    hu, spacing_mm = phantom.volume.hu.astype(float), phantom.volume.geometry.spacing_mm
    sides = glutseg.measure(hu, phantom.truth.labels, 8, spacing_mm=spacing_mm)
    assert sides["left"].area_mm2 == pytest.approx(truth_rooms.true_area_mm2("left"))
    assert glutseg.segment(hu, 8, spacing_mm=spacing_mm).level.slice_index == 8
    for image, given, says in (
        (hu, None, "spacing_mm="),
        (hu[0], spacing_mm, "three dimensions"),
        (hu, (5.0, -1.0, 1.0), "in mm"),
        (hu * np.nan, spacing_mm, "finite"),
        (hu + 1e6, spacing_mm, "HU lie between"),
        ("folder", None, "got str"),
    ):
        with pytest.raises(GlutsegError, match=f"image-invalid: .*{says}"):
            glutseg.find_level(image, spacing_mm=given)


def test_what_is_printed_is_short(truth_rooms, tmp_path):
    folder = truth_rooms.write(tmp_path / "in")
    case = glutseg.measure_study(folder)
    run = glutseg.run_folder(folder, tmp_path / "out", jobs=0)
    found = glutseg.segment(case.image, case.result.level)
    for thing in (case, case.result, case.image, case.mask, run, found, run.results):
        assert len(str(thing)) < 400
        assert "\n" not in str(thing)
    for thing in (case, run, found):
        assert "<table>" in thing._repr_html_()
    assert "ok; maximus left" in str(case)
    assert str(run).startswith("Run(femoral-head-top, 1 studies: 1 ok")


def test_texts_of_a_header_are_escaped_in_a_notebook(truth_rooms, tmp_path):
    evil = "<script>alert(1)</script>"
    out = made_run.make_run(
        tmp_path / "out", [made_run.MadeCase("A", status="failed", error=("no-ct", evil))]
    ).out
    run = glutseg.read_run(out)
    case = glutseg.Case(run.results[0])
    assert evil in str(case)
    assert "<script" not in case._repr_html_() + run._repr_html_()


def test_load_wants_one_study_or_a_series(truth_rooms, tmp_path):
    truth_rooms.write(tmp_path / "in" / "a", patient_id="a")
    truth_rooms.write(tmp_path / "in" / "b", patient_id="b")
    with pytest.raises(GlutsegError, match="input-ambiguous"):
        glutseg.load(tmp_path / "in")
    uid = glutseg.measure_study(tmp_path / "in" / "b").result.series.series_uid
    assert glutseg.load(tmp_path / "in" / "b", series_uid=uid).hu.any()
    with pytest.raises(GlutsegError, match="series-unknown"):
        glutseg.load(tmp_path / "in", series_uid="1.2.3")
    (tmp_path / "empty").mkdir()
    with pytest.raises(GlutsegError, match="input-empty"):
        glutseg.load(tmp_path / "empty")


def test_a_run_opened(truth_rooms, tmp_path):
    """Stored from the feet to the head and from the head to the feet, masks lie on their images."""
    truth_rooms.write(tmp_path / "in" / "a", patient_id="a")
    truth_rooms.write(tmp_path / "in" / "b", patient_id="b", position="FFP")
    run = glutseg.run_folder(tmp_path / "in", tmp_path / "out", jobs=0)
    csv = pd.read_csv(tmp_path / "out" / "measurements.csv")
    frame = run.frame()
    assert frame.columns.tolist() == csv.columns.tolist()
    numbers = csv.select_dtypes("number").columns
    assert len(numbers) > 20
    np.testing.assert_array_equal(frame[numbers].astype(float), csv[numbers].astype(float))
    assert len(run.profile()) == len(pd.read_csv(tmp_path / "out" / "profile.csv"))
    assert run.levels().empty
    for result in glutseg.read_run(tmp_path / "out").results:
        image, mask = run.image(result.case_id), run.mask(result.case_id)
        assert image.geometry.matches(mask.geometry)
        sides = glutseg.measure(image.to_sitk(), mask.to_sitk(), result.level)
        assert sides["left"].area_mm2 == result.area_mm2("left")
    with pytest.raises(GlutsegError, match="output-exists"):
        glutseg.run_folder(tmp_path / "in", tmp_path / "out")
    with pytest.raises(GlutsegError, match="no case or patient 'nobody'"):
        run.mask("nobody")
    with pytest.raises(GlutsegError, match="images-not-found"):
        run.image(run.results[0].case_id, tmp_path / "elsewhere")


def test_unknown_numbers_and_texts_of_a_table(tmp_path):
    failed = made_run.MadeCase("B", status="failed", error=("hips-not-found", "none"))
    out = made_run.make_run(tmp_path / "out", [made_run.MadeCase("A"), failed]).out
    run = glutseg.read_run(out)
    row = run.frame().set_index("patient_id").loc["B"]
    assert np.isnan(row["area_left_mm2"])
    assert row["slice_index"] is pd.NA
    assert pd.isna(row["mask"])
    with pytest.raises(GlutsegError, match="has no mask"):
        run.mask(row["case_id"])


def test_a_mask_outside_of_the_run_is_not_read(tmp_path):
    out = made_run.make_run(tmp_path / "out", [made_run.MadeCase("A")]).out
    (case,) = (out / "cases").iterdir()
    text = (case / "case.json").read_text(encoding="utf-8")
    (tmp_path / "mask.nii.gz").write_bytes((case / "mask.nii.gz").read_bytes())
    (case / "case.json").write_text(text.replace(f"cases/{case.name}/mask", "../mask"), encoding="utf-8")
    made_run.reseal(case / "case.json")
    run = glutseg.read_run(out)
    with pytest.raises(GlutsegError, match="has no mask"):
        run.mask(case.name)


def test_without_pandas_it_is_said_what_is_missing(tmp_path, monkeypatch):
    out = made_run.make_run(tmp_path / "out", [made_run.MadeCase("A")]).out
    run = glutseg.read_run(out)
    monkeypatch.setattr("glutseg.errors.find_spec", lambda name: None)
    with pytest.raises(GlutsegError, match=r"extra-missing: pandas.*\[study\]"):
        run.frame()
    with pytest.raises(GlutsegError, match="extra-missing"):
        glutseg.compare_groups(run, tmp_path / "p.csv", "group")


def test_groups_and_raters(tmp_path):
    widths = {"A": 14, "B": 16}
    cases = [
        made_run.MadeCase(f"{group}{i}", (w + i, w + i)) for group, w in widths.items() for i in range(4)
    ]
    run = glutseg.read_run(made_run.make_run(tmp_path / "out", cases).out)
    table = tmp_path / "p.csv"
    table.write_text(
        "patient_id,group\n" + "".join(f"{c.patient_id},{c.patient_id[0]}\n" for c in cases), encoding="utf-8"
    )
    found = glutseg.compare_groups(run, table, "group", groups=["B", "A"])
    assert found.comparison.welch.difference > 0
    turned = glutseg.compare_groups(tmp_path / "out", table, "group", groups=["A", "B"])
    assert turned.comparison.welch.difference == pytest.approx(-found.comparison.welch.difference)
    made_run.make_run(tmp_path / "other", cases)
    agreed = glutseg.compare_raters(run, tmp_path / "other")
    assert {pair.on_slice.dice for pair in agreed.pairs} == {1.0}
    assert not (tmp_path / "out" / "agreement").exists()


def test_a_corrected_mask_is_measured_again(truth_rooms, tmp_path):
    folder = truth_rooms.write(tmp_path / "in")
    case = glutseg.measure_study(folder)
    at = case.result.level.slice_index
    smaller = case.mask.labels.copy()
    smaller[at][smaller[at] == 2] = 0
    smaller[at, ::2][smaller[at, ::2] == 1] = 0
    sitk.WriteImage(Mask.on(case.image, smaller).to_sitk(), str(tmp_path / "mine.nii.gz"))
    again = glutseg.measure_mask(
        folder,
        tmp_path / "mine.nii.gz",
        labels={1: "left", 2: "right"},
        level=f"slice={case.result.stored_slice_index}",
    )
    assert again.result.area_mm2("left") < case.result.area_mm2("left")
    codes = {flag.code for flag in again.flags}
    assert {"mask-given", "muscle-missing"} <= codes
    with pytest.raises(GlutsegError, match="labels-unknown"):
        glutseg.measure_mask(folder, tmp_path / "mine.nii.gz", labels="mine")


def test_an_overlay_on_axes_of_the_callers(truth_rooms, monkeypatch):
    from matplotlib.figure import Figure

    phantom = truth_rooms.phantom
    axes = Figure().add_subplot()
    assert glutseg.plot_overlay(phantom.volume, phantom.truth, 8, axes) is axes
    bare = glutseg.plot_overlay(phantom.volume, None, 8, Figure().add_subplot())
    outlined, plain = (np.asarray(one.images[0].get_array(), dtype=int) for one in (axes, bare))
    assert outlined.shape == plain.shape
    for colour in SIDE_COLOURS.values():
        seen = [(np.abs(p - ImageColor.getrgb(colour)) < 5).all(-1).sum() for p in (outlined, plain)]
        assert seen[0] > 500
        assert seen[1] == 0
    with pytest.raises(GlutsegError, match="level-outside"):
        glutseg.plot_overlay(phantom.volume, None, 99)
    monkeypatch.setattr("glutseg.errors.find_spec", lambda name: None)
    with pytest.raises(GlutsegError, match=r"extra-missing: matplotlib.*\[study\]"):
        glutseg.plot_overlay(phantom.volume, None, 8)
