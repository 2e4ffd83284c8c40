import numpy as np
import pytest
from dicom_builder import pattern, write_series
from dicom_encodings import LOSSLESS
from dicom_series_read import codes, load

from glutseg.dicom.inconsistent import inconsistent_slices


def scan_like(n=9, noise_hu=15.0, seed=1):
    """A body that gets narrower from slice to slice, with noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    body = [np.where(x**2 + y**2 < 0.8 - 0.03 * k, 50.0 + 8 * k, -1000.0) for k in range(n)]
    hu = np.array(body) + rng.normal(0, noise_hu, (n, 64, 64))
    return np.rint(hu).clip(-1024, 3071).astype(np.int16)


@pytest.mark.parametrize("noise_hu", [0.0, 15.0, 60.0])
def test_a_normal_scan_has_no_inconsistent_slice(noise_hu):
    assert inconsistent_slices(scan_like(noise_hu=noise_hu)) == ()


@pytest.mark.parametrize("first_row", [0, 20, 40])
def test_garbage_from_some_row_on_is_inconsistent(first_row):
    hu = scan_like()
    hu[4, first_row:] = np.random.default_rng(2).integers(-1000, 1000, hu[4, first_row:].shape)
    assert inconsistent_slices(hu) == (4,)


def test_a_slice_of_another_brightness_is_inconsistent():
    hu = scan_like()
    hu[3] += 150
    assert inconsistent_slices(hu) == (3,)


def test_a_sudden_end_of_the_body_is_not_inconsistent():
    hu = scan_like()
    hu[5:] = -1000
    assert inconsistent_slices(hu) == ()


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_slices_are_never_inconsistent(n):
    assert inconsistent_slices(scan_like()[:n]) == ()


def test_a_damaged_compressed_slice_is_flagged(tmp_path):
    """A flipped bit gives a gap, a flag, or hardly changed soft tissue."""
    hu = scan_like()
    paths = write_series(tmp_path, hu)
    for path in paths:
        LOSSLESS["JPEG lossless"](path)
    content = paths[4].read_bytes()
    start = content.index(b"\xff\xd8\xff")
    n_flagged = 0
    for offset in range(start + 100, len(content) - 100, (len(content) - start) // 20):
        damaged = bytearray(content)
        damaged[offset] ^= 0x10
        paths[4].write_bytes(damaged)
        loaded = load(tmp_path)
        found = set(codes(loaded)) & {"slice-inconsistent", "file-unreadable"}
        n_flagged += bool(found)
        assert found or soft_tissue_changed(loaded.hu, hu) < 64
    assert n_flagged > 3


def soft_tissue_changed(a, b):
    """Pixels that differ by more than 100 HU within the range of soft tissue."""
    return int((np.abs(np.clip(a, -200, 300) - np.clip(b, -200, 300)) > 100).sum())


def test_the_pattern_of_the_other_tests_is_not_inconsistent():
    assert inconsistent_slices(pattern()) == ()
