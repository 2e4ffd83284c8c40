"""OsiriX's and Horos' readings, back on their images."""

import json
import plistlib
from pathlib import Path

import numpy as np
import pytest
from dicom_series import FRAMES, write_ct
from export_runs import make_export_run

from glutseg import dicom
from glutseg.errors import GlutsegError
from glutseg.exchange.assign import parse_labels
from glutseg.exchange.contours import signed_area
from glutseg.exchange.measure_mask import load_series
from glutseg.exchange.osirix import assign_readings, measure_readings, readings
from glutseg.exchange.osirix_files import read_rois
from glutseg.exchange.osirix_table import lines_of, readings_json
from osirix_drawn import LENGTH, NEW, OLD, POINTS, SLICE, Drawn


@pytest.fixture(scope="module", params=["HFS", "FFDR", "tilted"])
def run(request, tmp_path_factory):
    return make_export_run(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture
def drawn(run):
    return Drawn(run.images, run.mask)


def refused(call, *args, **how):
    with pytest.raises(GlutsegError) as caught:
        call(*args, **how)
    return caught.value.code


def files(drawn, folder):
    yield drawn.csv(folder / "new.csv")
    yield drawn.csv(folder / "old.csv", header=OLD)
    yield drawn.csv(folder / "uids.csv", uids=True)
    yield drawn.xml(folder / "rois.xml")
    yield drawn.xml(folder / "other-end.xml", ImageIndex=drawn.geometry.shape[0] - 1 - drawn.k)


def test_every_version_of_the_file_gives_osirix_area_and_the_mask(run, drawn, tmp_path):
    for file in files(drawn, tmp_path):
        found, n_left_out = readings(read_rois(file), drawn.loaded)
        assert n_left_out == 0
        for reading in found:
            assert reading.line_area_mm2 == pytest.approx(reading.osirix_area_mm2, rel=0.001)
            assert reading.outline == "polygon"
            assert reading.slice_index == SLICE
            assert not reading.discrepancies
        result = measure_readings(drawn.loaded, file, assign_readings(found)).result
        right = run.result.measurement("right")
        assert result.measurement("right") == right
        assert (result.level.name, result.level.slice_index) == ("slice", SLICE)
        assert found[1].area_mm2 == right.area_mm2
        assert found[1].polygon_area_mm2 == pytest.approx(right.polygon_area_mm2)


def circle(n, radius_px=9.0):
    angle = np.arange(n) / n * 2 * np.pi
    return np.column_stack([26 + radius_px * np.sin(angle), 35 + radius_px * np.cos(angle)])


def test_sparse_points_are_joined_by_a_curve_where_osirix_did(drawn, tmp_path):
    drawn.lines = {"left": circle(12)}
    chord = abs(signed_area(circle(12)))
    round_ = np.pi * 9.0**2
    (curved,), _ = readings(read_rois(drawn.csv(tmp_path / "a.csv", scale=round_ / chord)), drawn.loaded)
    assert curved.outline == "spline"
    assert curved.line_area_mm2 == pytest.approx(curved.osirix_area_mm2, rel=0.001)
    (straight,), _ = readings(read_rois(drawn.csv(tmp_path / "b.csv")), drawn.loaded)
    assert straight.outline == "polygon"
    assert straight.line_area_mm2 < 0.97 * curved.line_area_mm2


def test_lines_and_texts_are_left_out(drawn, tmp_path):
    drawn.kind = LENGTH
    assert refused(readings, read_rois(drawn.csv(tmp_path / "a.csv")), drawn.loaded) == "roi-invalid"


def test_another_patient_on_the_same_grid_is_refused(tmp_path):
    """The two patients of the sample were scanned alike: only the values tell them apart."""
    ours, theirs = (Drawn(SAMPLE / f"PHANTOM-000{k}") for k in (1, 2))
    assert ours.geometry.matches(theirs.geometry)
    ours.k, ours.lines = 20, {"left": circle(40) * 0.8 + (200, 250)}
    file = ours.csv(tmp_path / "a.csv")
    assert len(readings(read_rois(file), ours.loaded)[0]) == 1
    assert refused(readings, read_rois(file), theirs.loaded) == "roi-elsewhere"


@pytest.mark.parametrize("spoilt", ["mm", "px", "size", "position", "image", "series", "density"])
def test_rois_of_another_study_are_refused(drawn, tmp_path, spoilt):
    path = tmp_path / "rois"
    sop, series, study = drawn.uids()
    if spoilt == "size":
        drawn.xml(path, ImageHeight=512)
    elif spoilt == "position":
        drawn.xml(path, ImageIndex=(drawn.k + 1) % drawn.geometry.shape[0])
    elif spoilt in ("image", "series"):
        told = (sop + ".1", series, study) if spoilt == "image" else (sop, series + ".1", study)
        text = drawn.csv(path, uids=True).read_text()
        path.write_text(text.replace(f"{sop},{series},{study}", ",".join(told)))
    elif spoilt == "density":
        drawn.csv(path, mean=40.0)
    else:
        geometry = drawn.geometry
        name, line = next(iter(drawn.lines.items()))
        drawn.lines = {name: line}
        text = drawn.csv(path).read_text()
        y, x = line[0]
        first = "{:f},{:f},{:f}".format(*geometry.point_mm(drawn.k, y, x))
        moved = geometry.point_mm(
            drawn.k + (200 if spoilt == "mm" else 0), y, x + (0 if spoilt == "mm" else 1)
        )
        assert text.count(first) == 1
        path.write_text(text.replace(first, "{:f},{:f},{:f}".format(*moved)))
    assert refused(readings, read_rois(path), drawn.loaded) == "roi-elsewhere"


def test_another_series_of_another_grid(drawn, tmp_path):
    other = tmp_path / "other"
    write_ct(other, FRAMES["HFS"], PixelSpacing=[1.4, 1.9])
    loaded = load_series(dicom.scan(other))
    assert refused(readings, read_rois(drawn.csv(tmp_path / "a.csv")), loaded) == "roi-elsewhere"


def test_figures_that_differ_are_doubted(drawn, tmp_path):
    file = drawn.csv(tmp_path / "a.csv", scale=0.8, mean=8.0)
    found, _ = readings(read_rois(file), drawn.loaded)
    assert all("OsiriX read" in words for reading in found for words in reading.discrepancies)
    assert len(found[0].discrepancies) == 2
    measured = measure_readings(drawn.loaded, file, assign_readings(found))
    assert "roi-values-differ" in [flag.code for flag in measured.result.all_flags]
    assert measured.result.status == "review"


def test_names_are_told_where_they_do_not_tell_themselves(run, tmp_path):
    drawn = Drawn(run.images, run.mask, labels=("ROI 1", "ROI 2"))
    found, _ = readings(read_rois(drawn.csv(tmp_path / "a.csv")), drawn.loaded)
    assert refused(assign_readings, found) == "labels-unknown"
    assert refused(assign_readings, found, parse_labels(["ROI 3=left"])) == "labels-unknown"
    terms = assign_readings(found, parse_labels(["ROI 1=left", "ROI 2=right"]))
    told = json.loads(readings_json(lines_of(found, terms)))["rois"]
    assert [(roi["roi_name"], roi["side"]) for roi in told] == [("ROI 1", "left"), ("ROI 2", "right")]
    swapped = assign_readings(found, parse_labels(["ROI 1=right", "ROI 2=left"]))
    with pytest.raises(GlutsegError) as caught:
        measure_readings(drawn.loaded, tmp_path / "a.csv", swapped)
    assert caught.value.code == "mask-sides-contradicted"


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE plist [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<plist version="1.0"><dict><key>Images</key><string>&b;</string></dict></plist>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE plist [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<plist version="1.0"><dict><key>Images</key><string>&a;</string></dict></plist>"""


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a,b,c\n1,2,3\n",
        b"<plist><dict>",
        LAUGHS,
        OUTSIDE,
        plistlib.dumps({"Images": []}),
        plistlib.dumps({"Images": [{"ImageIndex": 1, "ROIs": [{"Type": 11, "Point_mm": ["(1, 2)"]}]}]}),
        plistlib.dumps({"Images": [{"ROIs": ["nothing"]}]}),
        plistlib.dumps({"Images": [1]}),
        (NEW + POINTS.format(uids="") + "\n1,0,0,0,0,0,0,name,0,0,0,0,0,0,0,11,5,1,2,3,4,5\n").encode(),
        (NEW + POINTS.format(uids="") + "\n1,0,0,0,0,0,0,name,0,0,0,0,0,0,0,11,1,1,2,3,4,nan\n").encode(),
    ],
    ids=range(11),
)
def test_files_that_are_no_rois(tmp_path, content):
    path = tmp_path / "rois.xml"
    path.write_bytes(content)
    assert refused(read_rois, path) == "roi-invalid"


SAMPLE = Path(__file__).parents[2] / "sample_dicom"


@pytest.mark.parametrize("position", ["csv", "xml"])
def test_the_known_outlines_of_the_sample_give_their_known_areas(tmp_path, position):
    """The outlines a phantom is painted from, without any grid, against truth.json."""
    from glutseg.phantom import SAMPLE_PATIENTS
    from glutseg.phantom.model import Model

    truth = json.loads((SAMPLE / "truth.json").read_text())["patients"][0]
    z_mm = 20.0
    known = next(s for s in truth["slices"] if s["z_mm"] == z_mm)
    drawn = Drawn(SAMPLE / SAMPLE_PATIENTS[0].patient_id)
    drawn.k = drawn.geometry.nearest_slice(z_mm)
    for side, muscle in Model.of(SAMPLE_PATIENTS[0]).gluteus_maximus.items():
        (outline,) = muscle.cross_sections(z_mm)
        index = [drawn.geometry.index((x, y, z_mm)) for x, y in outline]
        drawn.lines[side] = np.array(index)[:, 1:]
    file = getattr(drawn, position)(tmp_path / "rois")
    found, _ = readings(read_rois(file), drawn.loaded)
    for reading in found:
        side = reading.roi.name
        assert reading.line_area_mm2 == pytest.approx(reading.osirix_area_mm2, rel=0.001)
        assert reading.osirix_area_mm2 == pytest.approx(known[f"outline_area_{side}_mm2"], rel=0.001)
        a_few_pixels = 3 * drawn.geometry.pixel_area_mm2
        assert reading.area_mm2 == pytest.approx(known[f"area_{side}_mm2"], abs=a_few_pixels)
    result = measure_readings(drawn.loaded, file, assign_readings(found)).result
    assert result.status == "ok", result.all_flags
    assert result.level.z_mm == pytest.approx(z_mm)


def test_a_brush_has_the_pixels_that_osirix_counted(drawn, run, tmp_path):
    """OsiriX exports the pixels at the border of a brush ROI as its points."""
    inside = run.stored_labels[SLICE] == 2
    rows, columns = np.nonzero(inside)
    top, bottom, left, right = rows.min(), rows.max(), columns.min(), columns.max()
    corners = [(top, left), (top, right), (bottom, right), (bottom, left)]
    block = np.zeros_like(inside)
    block[top : bottom + 1, left : right + 1] = True
    drawn.kind, drawn.lines = 20, {"right": np.array(corners, float)}
    line_px = abs(signed_area(drawn.lines["right"]))
    (reading,), _ = readings(
        read_rois(drawn.csv(tmp_path / "a.csv", scale=block.sum() / line_px)), drawn.loaded
    )
    assert np.array_equal(reading.inside, block)
    assert reading.area_mm2 == pytest.approx(reading.osirix_area_mm2)
