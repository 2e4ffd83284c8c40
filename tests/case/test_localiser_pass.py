"""Long series are not read whole, and nobody can tell from the result."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from glutseg import dicom
from glutseg.case import measure_study
from glutseg.case import study as study_module
from glutseg.case.localise import needed_slices
from glutseg.dicom import localiser
from glutseg.errors import GlutsegError
from glutseg.image import SIDES, Mask
from glutseg.phantom import PhantomPatient, PhantomScan, render, write_dicom
from glutseg.protocol import load_protocol, with_extent, with_level
from glutseg.segmentation import Outlines, gluteus

PROTOCOL = load_protocol()
N_SLICES = 107


@pytest.fixture(scope="module")
def body():
    scan = PhantomScan(matrix=160, pixel_mm=2.6, slice_mm=3.0, z_range_mm=(-150.0, 170.0))
    return render(PhantomPatient(seed=7), scan)


@pytest.fixture(scope="module", autouse=True)
def simple_muscles():
    """Whatever has the density of muscle, on the slices asked for: tells as well whether they were read."""

    def segment(volume, _anatomy, slices, *_, **_how):
        labels = np.zeros(volume.hu.shape, np.uint8)
        near = slice(slices.start, slices.stop)
        labels[near] = (volume.hu[near] > 20) & (volume.hu[near] < 90)
        labels[near, :, : labels.shape[2] // 2] *= SIDES["right"]
        return Outlines(Mask.on(volume, labels))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gluteus, "segment", segment)
        yield


@pytest.fixture(scope="module")
def study(body, tmp_path_factory):
    return _study(body, tmp_path_factory.mktemp("study"))


def _study(body, folder: Path, **how):
    write_dicom(body, folder, **how)
    (one,) = dicom.scan(folder).studies
    return one


@pytest.fixture(scope="module")
def whole(study):
    return _whole(study)


def _whole(study, protocol=PROTOCOL):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dicom, "read_localiser", lambda *_: None)
        return measure_study(study, protocol)


@pytest.fixture
def decoded(monkeypatch):
    """Places that are decoded, in the order of decoding."""
    places = []

    def spy(headers):
        places.extend(header.position_mm[2] for header in headers)
        return decode_all(headers)

    decode_all = localiser.decode_all
    monkeypatch.setattr(localiser, "decode_all", spy)
    return places


def _areas(case):
    return {side: case.result.area_mm2(side) for side in SIDES}


@pytest.mark.parametrize("position", ["HFS", "FFP"])
def test_the_result_is_that_of_reading_everything(body, tmp_path, decoded, position):
    study = _study(body, tmp_path, position=position)
    whole = _whole(study)
    assert not decoded
    part = measure_study(study, PROTOCOL)
    assert len(set(decoded)) == len(decoded) < 0.85 * N_SLICES
    assert part.result.level.slice_index == whole.result.level.slice_index
    assert part.result.status == whole.result.status
    assert {f.code for f in part.result.all_flags} == {f.code for f in whole.result.all_flags}
    assert part.result.series == whole.result.series
    for side, area in _areas(whole).items():
        assert _areas(part)[side] == area
    near = [p.slice_index for p in part.result.profile]
    assert np.array_equal(part.image.hu[near], whole.image.hu[near])


def test_the_order_of_the_slices_leaves_no_trace(body, tmp_path):
    cases = [measure_study(_study(body, tmp_path / p, position=p), PROTOCOL) for p in ("HFS", "FFP")]
    assert _areas(cases[0]) == _areas(cases[1])
    one, other = (case.result.level.landmarks_mm for case in cases)
    assert {name: pytest.approx(mm) for name, mm in one.items()} == other


@pytest.mark.parametrize("level", ["slice=12", "si-joint-end"])
def test_levels_far_from_the_heads_are_read_too(study, decoded, level):
    protocol = with_level(PROTOCOL, level)
    part, whole = measure_study(study, protocol), _whole(study, protocol)
    assert 0 < len(decoded) < N_SLICES
    assert part.result.error_code == whole.result.error_code
    assert part.result.level.slice_index == whole.result.level.slice_index
    measured = [p.slice_index for p in whole.result.profile]
    assert np.array_equal(part.image.hu[measured], whole.image.hu[measured])


def test_a_level_that_was_not_read_is_never_measured(study, whole, monkeypatch):
    """If the localiser pass errs, everything is read."""

    def wrong(first, protocol, outliner):
        needed = needed_slices(first, protocol, outliner)
        return replace(needed, slices=range(needed.slices.start + 25, needed.slices.stop))

    monkeypatch.setattr(study_module, "needed_slices", wrong)
    case = measure_study(study, PROTOCOL)
    assert np.array_equal(case.image.hu, whole.image.hu)
    assert _areas(case) == _areas(whole)


def test_whole_muscles_need_everything(study):
    first = dicom.read_localiser(study.series[0])
    assert needed_slices(first, PROTOCOL) is not None
    assert needed_slices(first, with_extent(PROTOCOL, whole_muscle=True)) is None
    assert needed_slices(first, with_level(PROTOCOL, "peak-area")) is None
    assert needed_slices(first, with_level(PROTOCOL, "slice=9999")) is None


def test_slices_that_were_not_read_are_interpolated(study):
    series = study.series[0]
    first, true = dicom.read_localiser(series), dicom.read(series)
    part = dicom.read_near(first, range(40, 61))
    assert part.unread_slices == set(range(N_SLICES)) - set(range(40, 61))
    for index in {*range(40, 61), *first.decoded, 0, N_SLICES - 1}:
        assert np.array_equal(part.hu[index], true.hu[index])
    low, high = sorted(first.decoded)[3:5]
    between = np.rint(0.5 * true.hu[low] + 0.5 * true.hu[high]).astype(np.int16)
    assert np.array_equal(part.hu[low + 1], between)
    assert part.sop_uids == true.sop_uids
    with pytest.raises(GlutsegError, match="slice-not-read"):
        part.check_slice(61)


def _rewrite(study, k, change):
    path = study.series[0].slices[k].source.path
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path)


@pytest.mark.parametrize("k", [52, 53])  # looked at first, and read later
def test_a_broken_slice_near_the_hips_is_told_as_ever(body, tmp_path, k):
    study = _study(body, tmp_path)
    _rewrite(study, k, lambda dataset: setattr(dataset, "PixelData", dataset.PixelData[:100]))
    part, whole = measure_study(study, PROTOCOL), _whole(study)
    assert "file-unreadable" in {f.code for f in part.result.all_flags}
    assert part.result == replace(whole.result, seconds=part.result.seconds)


def test_an_odd_slice_is_named_by_its_place(body, tmp_path):
    study = _study(body, tmp_path)
    noise = np.random.default_rng(0).integers(0, 2000, (160, 160), dtype=np.int16)
    for k in (51, 90):  # near the hips, and among those looked at first
        _rewrite(study, k, lambda dataset: setattr(dataset, "PixelData", noise.tobytes()))
    loaded = dicom.read_near(dicom.read_localiser(study.series[0]), range(40, 61))
    (flag,) = [f for f in loaded.flags if f.code == "slice-inconsistent"]
    assert ": 51, 90 (" in flag.message


def test_series_that_are_short_thick_oblique_or_full_of_holes_are_read_whole(study):
    series = study.series[0]
    assert dicom.read_localiser(series) is not None
    g = series.geometry
    turned = (0.999, -0.0447, 0.0, 0.0447, 0.999, 0.0, 0.0, 0.0, 1.0)
    for other in (
        replace(g, spacing_mm=(5.0, 2.6, 2.6)),
        replace(g, direction=turned),
        replace(g, shape=(g.shape[0] + 1, *g.shape[1:])),  # one slice is missing
    ):
        assert dicom.read_localiser(replace(series, geometry=other)) is None
    short = replace(
        series,
        slices=series.slices[:50],
        grid_indices=series.grid_indices[:50],
        geometry=replace(g, shape=(50, 160, 160)),
    )
    assert dicom.read_localiser(short) is None
