"""Long series are not read whole, and nobody can tell from the result."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from glutseg import dicom, segmentation
from glutseg.case import measure_study
from glutseg.case import study as study_module
from glutseg.case.localise import localise_hips
from glutseg.dicom import first_look
from glutseg.image import SIDES, Mask
from glutseg.phantom import PhantomPatient, PhantomScan, render, write_dicom
from glutseg.protocol import load_protocol, with_extent, with_level

PROTOCOL = load_protocol()
N_SLICES = 107


@pytest.fixture(scope="module")
def body():
    scan = PhantomScan(matrix=160, pixel_mm=2.6, slice_mm=3.0, z_range_mm=(-150.0, 170.0))
    return render(PhantomPatient(seed=7), scan)


@pytest.fixture(scope="module", autouse=True)
def simple_muscles():
    """Whatever has the density of muscle, on the slices asked for: tells as well whether they were read."""

    def segment(volume, _anatomy, slices, **_how):
        labels = np.zeros(volume.hu.shape, np.uint8)
        near = slice(slices.start, slices.stop)
        labels[near] = (volume.hu[near] > 20) & (volume.hu[near] < 90)
        labels[near, :, : labels.shape[2] // 2] *= SIDES["right"]
        return segmentation.Segmentation(Mask(labels, volume.geometry), {"left": 0.95, "right": 0.95})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segmentation, "segment", segment)
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

    decode_all = first_look.decode_all
    monkeypatch.setattr(first_look, "decode_all", spy)
    return places


def _areas(case):
    return {side: m.area_mm2 for side, m in case.result.measurements.items()}


@pytest.mark.parametrize("position", ["HFS", "FFP"])
def test_the_result_is_that_of_reading_everything(body, tmp_path, decoded, position):
    study = _study(body, tmp_path, position=position)
    whole = _whole(study)
    assert not decoded
    part = measure_study(study, PROTOCOL)
    assert len(set(decoded)) == len(decoded) < 0.8 * N_SLICES
    assert part.result.level.slice_index == whole.result.level.slice_index
    assert part.result.status == whole.result.status
    assert {f.code for f in part.result.flags} == {f.code for f in whole.result.flags}
    assert part.result.series == whole.result.series
    for side, area in _areas(whole).items():
        assert _areas(part)[side] == area
    near = [p.slice_index for p in part.result.profile]
    assert np.array_equal(part.volume.hu[near], whole.volume.hu[near])


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
    assert np.array_equal(part.volume.hu[measured], whole.volume.hu[measured])


def test_a_level_that_was_not_read_is_never_measured(study, whole, monkeypatch):
    """If looking ahead errs, everything is read."""

    def wrong(first, protocol, outliner):
        ahead = localise_hips(first, protocol, outliner)
        return replace(ahead, slices=range(ahead.slices.start + 25, ahead.slices.stop))

    monkeypatch.setattr(study_module, "localise_hips", wrong)
    case = measure_study(study, PROTOCOL)
    assert np.array_equal(case.volume.hu, whole.volume.hu)
    assert _areas(case) == _areas(whole)


def test_whole_muscles_need_everything(study):
    first = dicom.read_localiser(study.series[0])
    assert localise_hips(first, PROTOCOL) is not None
    assert localise_hips(first, with_extent(PROTOCOL, whole_muscle=True)) is None
    assert localise_hips(first, with_level(PROTOCOL, "peak-area")) is None
    assert localise_hips(first, with_level(PROTOCOL, "slice=9999")) is None


def test_slices_that_were_not_read_are_interpolated(study):
    series = study.series[0]
    first, true = dicom.read_localiser(series), dicom.read(series).volume.hu
    loaded = dicom.read_near(first, range(40, 61))
    hu = loaded.volume.hu
    assert loaded.detail == range(40, 61)
    for k in {*range(40, 61), *first.places, 0, N_SLICES - 1}:
        assert np.array_equal(hu[k], true[k])
    low, high = first.places[3], first.places[4]
    assert np.array_equal(hu[low + 1], np.rint(0.5 * true[low] + 0.5 * true[high]).astype(np.int16))
    assert loaded.sop_uids == dicom.read(series).sop_uids


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
    assert "file-unreadable" in {f.code for f in part.result.flags}
    assert part.result == replace(whole.result, seconds=part.result.seconds)


def test_an_odd_slice_is_named_by_its_place(body, tmp_path):
    study = _study(body, tmp_path)
    noise = np.random.default_rng(0).integers(0, 2000, (160, 160), dtype=np.int16)
    for k in (51, 90):  # near the hips, and among those looked at first
        _rewrite(study, k, lambda dataset: setattr(dataset, "PixelData", noise.tobytes()))
    loaded = dicom.read_near(dicom.read_localiser(study.series[0]), range(40, 61))
    (flag,) = [f for f in loaded.flags if f.code == "slice-odd"]
    assert "slices 51, 90," in flag.message


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
        places=series.places[:50],
        geometry=replace(g, shape=(50, 160, 160)),
    )
    assert dicom.read_localiser(short) is None
