import dataclasses

import numpy as np
import pytest
from dicom_builder import ORIGIN, compress, ct_dataset, pattern, save, write_series
from dicom_series_read import CANONICAL, ORIENTATIONS, codes, enhanced, load, write_oriented
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glutseg import dicom
from glutseg.errors import GlutsegError


def test_hu_geometry_and_order(tmp_path):
    write_series(tmp_path)
    loaded = load(tmp_path)
    assert np.array_equal(loaded.hu, pattern())
    assert loaded.hu.dtype == np.int16
    assert loaded.geometry.matches(CANONICAL)
    assert loaded.flags == ()
    assert len(set(loaded.sop_uids)) == 5


def test_some_slices_only(tmp_path):
    write_series(tmp_path)
    loaded = load(tmp_path, slices=slice(1, 3))
    assert np.array_equal(loaded.hu, pattern()[1:3])
    assert loaded.geometry.origin_mm[2] == ORIGIN[2] + 3
    assert len(loaded.sop_uids) == 2


def test_one_slice_only(tmp_path):
    write_series(tmp_path)
    assert np.array_equal(load(tmp_path, slices=slice(2, 3)).hu, pattern()[2:3])


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_every_orientation_is_the_same_patient(tmp_path, name):
    write_oriented(tmp_path, ORIENTATIONS[name])
    canonical = load(tmp_path)
    assert canonical.geometry.matches(CANONICAL)
    assert np.array_equal(canonical.hu, pattern())


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(5)))
def test_file_names_in_any_order(tmp_path_factory, order):
    folder = tmp_path_factory.mktemp("shuffled")
    for name, path in zip(order, write_series(folder), strict=True):
        path.rename(folder / f"x{name}")
    assert np.array_equal(load(folder).hu, pattern())


def test_rescale_of_every_slice_counts(tmp_path):
    def edit(ds, k):
        stored = (pattern()[k].astype(np.int32) + 1000 + 100 * k) * 2
        ds.PixelData = stored.astype(np.uint16).tobytes()
        ds.RescaleSlope, ds.RescaleIntercept = 0.5, -1000 - 100 * k

    write_series(tmp_path, edit=edit)
    loaded = load(tmp_path)
    assert np.array_equal(loaded.hu, pattern())
    assert codes(loaded) == ["rescale-varies"]


def test_signed_pixels(tmp_path):
    def edit(ds, k):
        ds.PixelData = pattern()[k].astype(np.int16).tobytes()
        ds.PixelRepresentation, ds.RescaleIntercept = 1, 0

    write_series(tmp_path, edit=edit)
    assert np.array_equal(load(tmp_path).hu, pattern())


def test_padding_becomes_air(tmp_path):
    def edit(ds, k):
        stored = pattern()[k].astype(np.int16)
        stored[0, 0] = 5000
        ds.PixelData = stored.tobytes()
        ds.PixelRepresentation, ds.RescaleIntercept = 1, 0
        ds.add_new("PixelPaddingValue", "SS", 5000)

    write_series(tmp_path, edit=edit)
    hu = load(tmp_path).hu
    assert (hu[:, 0, 0] == -1024).all()
    assert np.array_equal(hu[:, 1:], pattern()[:, 1:])


def test_compressed(tmp_path):
    write_series(tmp_path, edit=lambda ds, _: compress(ds))
    assert np.array_equal(load(tmp_path).hu, pattern())


def test_a_truncated_slice_is_a_gap(tmp_path):
    paths = write_series(tmp_path, pattern((9, 8, 6)))
    paths[3].write_bytes(paths[3].read_bytes()[:-20])
    bridged = load(tmp_path)
    assert bridged.missing_slices == {3}
    assert codes(bridged) == ["file-unreadable", "series-gap"]
    loaded = load(tmp_path, bridge=False)
    assert np.array_equal(loaded.hu, pattern((9, 8, 6))[4:])
    assert loaded.geometry.origin_mm[2] == ORIGIN[2] + 12
    assert codes(loaded) == ["file-unreadable", "series-gap"]
    assert len(loaded.sop_uids) == 5


def test_a_truncated_last_slice_is_no_gap(tmp_path):
    paths = write_series(tmp_path)
    paths[4].write_bytes(paths[4].read_bytes()[:-20])
    loaded = load(tmp_path)
    assert np.array_equal(loaded.hu, pattern()[:4])
    assert codes(loaded) == ["file-unreadable"]


def test_a_file_that_vanished_is_left_out(tmp_path):
    paths = write_series(tmp_path)
    (study,) = dicom.scan(tmp_path).studies
    paths[0].unlink()
    assert len(dicom.read(study.series[0]).sop_uids) == 4


def test_without_pixels(tmp_path):
    write_series(tmp_path, PixelData=None)
    with pytest.raises(GlutsegError, match="no-pixel-data"):
        load(tmp_path)


def test_a_syntax_that_cannot_be_decoded_is_named(tmp_path):
    for k in range(3):
        ds = ct_dataset(np.zeros((8, 6), np.uint16), (0, 0, k), k)
        ds.PixelData = b"\xfe\xff\x00\xe0" + bytes(4) + b"\xfe\xff\x00\xe0\x04\x00\x00\x00abcd"
        ds["PixelData"].is_undefined_length = True
        save(ds, tmp_path / str(k), "1.2.840.10008.1.2.4.53")
    with pytest.raises(GlutsegError, match=r"pixel-data-undecodable.*Spectral Selection"):
        load(tmp_path)


def test_without_rescale(tmp_path):
    write_series(tmp_path, RescaleSlope=None)
    with pytest.raises(GlutsegError, match="rescale-missing"):
        load(tmp_path)


def test_without_geometry(tmp_path):
    write_series(tmp_path, PixelSpacing=None)
    with pytest.raises(GlutsegError, match="geometry-missing"):
        load(tmp_path)


@pytest.mark.parametrize("shape", [(5, 65535, 65535), (5, 5000, 10), (2000, 4000, 4000)])
def test_absurd_dimensions_are_refused_before_memory_is_taken(tmp_path, shape):
    write_series(tmp_path)
    (study,) = dicom.scan(tmp_path).studies
    absurd = dataclasses.replace(study.series[0], geometry=dataclasses.replace(CANONICAL, shape=shape))
    absurd = dataclasses.replace(absurd, slices=absurd.slices[:1] * shape[0])
    with pytest.raises(GlutsegError, match="image-too-large"):
        dicom.read(absurd)


@pytest.mark.parametrize("is_compressed", [False, True])
def test_enhanced_multi_frame(tmp_path, is_compressed):
    ds = enhanced(pattern())
    if is_compressed:
        compress(ds)
    save(ds, tmp_path / "one")
    loaded = load(tmp_path)
    assert np.array_equal(loaded.hu, pattern())
    assert loaded.geometry.matches(CANONICAL)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_flipped_bytes_never_raise_anything_but_a_named_error(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("mutated")
    paths = write_series(folder, pattern((3, 8, 6)))
    content = bytearray(paths[1].read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    paths[1].write_bytes(content)
    for study in dicom.scan(folder).studies:
        for series in study.series:
            try:
                dicom.read(series)
            except GlutsegError as error:
                assert error.message  # noqa: PT017 - any named error will do
