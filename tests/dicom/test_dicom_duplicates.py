"""Images at one position: copies are a fact to know, other pixels ask for a look."""

import numpy as np
import pytest
from dicom_builder import ORIGIN, SPACING, ct_dataset, save
from dicom_series_read import codes, load

from glutseg import dicom
from glutseg.dicom.duplicates import MAX_DIFFERENCE_HU
from glutseg.dicom.localiser import MIN_SLICES, read_localiser, read_near

N = MIN_SLICES + 4


def _write(folder, n, more=()):
    """n slices, and more: (slice, what is added to its HU)."""
    hu = np.repeat(np.random.default_rng(1).integers(-150, 150, (1, 12, 12), dtype=np.int16), n, axis=0)
    for number, (k, add_hu) in enumerate([(k, 0) for k in range(n)] + [(k, add) for k, add in more]):
        position = (ORIGIN[0], ORIGIN[1], ORIGIN[2] + SPACING[0] * k)
        save(ct_dataset(hu[k] + np.int16(1024 + add_hu), position, number), folder / f"{number}.dcm")


def test_copies_are_only_noted(tmp_path):
    _write(tmp_path, 6, [(2, 0), (3, 0)])
    assert codes(load(tmp_path)) == ["slice-duplicate"]


@pytest.mark.parametrize(
    ("add_hu", "flags"),
    [(1, ["slice-duplicate"]), (3, ["slice-duplicate", "duplicates-differ"])],
)
def test_what_compression_with_loss_changes_is_no_difference(tmp_path, add_hu, flags):
    _write(tmp_path, 6, [(2, add_hu)])
    assert MAX_DIFFERENCE_HU == 2
    assert codes(load(tmp_path)) == flags


def test_the_positions_are_named(tmp_path):
    _write(tmp_path, 9, [(k, 40) for k in range(1, 8)])
    flag = load(tmp_path).flags[-1]
    assert flag.message == (
        "7 images show something else than the one used at their position: "
        "z 103.0, 106.0, 109.0, 112.0, 115.0 … mm"
    )


def test_a_part_is_compared_with_its_own_duplicates(tmp_path):
    _write(tmp_path, 9, [(7, 40)])
    assert "duplicates-differ" not in codes(load(tmp_path, slices=slice(0, 6)))
    assert "duplicates-differ" in codes(load(tmp_path, slices=slice(3, 9)))


def test_slices_around_the_hips_are_compared(tmp_path):
    _write(tmp_path, N, [(5, 40), (N // 2, 0)])
    (study,) = dicom.scan(tmp_path).studies
    localiser = read_localiser(study.series[0])
    assert "duplicates-differ" in codes(read_near(localiser, range(10)))
    assert "duplicates-differ" not in codes(read_near(localiser, range(20, N)))


def test_a_duplicate_that_cannot_be_read_is_passed_over(tmp_path):
    _write(tmp_path, 6, [(2, 40)])
    (study,) = dicom.scan(tmp_path).studies
    (tmp_path / "6.dcm").unlink()
    assert codes(dicom.read(study.series[0])) == ["slice-duplicate"]
