import gzip

import numpy as np
import pytest

from glutseg.errors import GlutsegError
from glutseg.image import Geometry, Mask
from glutseg.review.drafts import read_draft, remove_draft, write_draft
from glutseg.review.masks import read_mask, write_mask

UPRIGHT = (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)
DOWNWARDS = (1.0, 0, 0, 0, 1.0, 0, 0, 0, -1.0)
SHEARED = (1.0, 0, 0, 0, 1.0, 0.3420, 0, 0, 0.9397)
OBLIQUE = (1.0, 0, 0, 0, 0.9397, -0.3420, 0, 0.3420, 0.9397)


def mask_on(direction):
    grid = Geometry((4, 5, 6), (3.0, 0.7, 0.8), (-10.0, 20.0, 333.3), direction)
    labels = np.random.default_rng(3).integers(0, 7, grid.shape).astype(np.uint8)
    return Mask.from_array(labels, grid)


@pytest.mark.parametrize("direction", [UPRIGHT, DOWNWARDS, SHEARED, OBLIQUE])
def test_a_mask_comes_back_on_its_grid(direction, tmp_path):
    mask = mask_on(direction)
    path = tmp_path / "mask-anna.2.nii.gz"
    write_mask(path, mask)
    again = read_mask(path, mask.stored)
    assert np.array_equal(again.labels, mask.labels)
    assert again.geometry == mask.geometry
    assert again.stored == mask.stored
    assert np.array_equal(again.stored_labels(), mask.stored_labels())


def test_another_grid_or_a_broken_file_is_refused(tmp_path):
    mask = mask_on(UPRIGHT)
    path = tmp_path / "mask.nii.gz"
    write_mask(path, mask)
    with pytest.raises(GlutsegError, match="geometry-mismatch"):
        read_mask(path, mask_on(DOWNWARDS).stored)
    whole = gzip.decompress(path.read_bytes())
    for broken in (
        b"",
        b"no mask",
        path.read_bytes()[:-20],
        gzip.compress(whole[:-7]),
        gzip.compress(b"x" * 999),
    ):
        path.write_bytes(broken)
        with pytest.raises(GlutsegError, match="geometry-mismatch"):
            read_mask(path, mask.stored)
    with pytest.raises(GlutsegError, match="geometry-mismatch"):
        read_mask(tmp_path / "nowhere.nii.gz", mask.stored)


def test_a_draft_is_kept_until_the_case_is_measured_anew(tmp_path):
    mask, folder = mask_on(UPRIGHT), tmp_path / "cases/c-1"
    folder.mkdir(parents=True)
    (folder / "case.json").write_text("{}")
    write_draft(tmp_path, "c-1", "anna", mask, 2)
    draft = read_draft(tmp_path, "c-1", "anna", mask.stored)
    assert draft.slice_index == 2
    assert np.array_equal(draft.mask.labels, mask.labels)
    assert read_draft(tmp_path, "c-1", "ben", mask.stored) is None
    (folder / "case.json").write_text("{ }")
    assert read_draft(tmp_path, "c-1", "anna", mask.stored) is None
    remove_draft(tmp_path, "c-1", "anna")
    assert [p.name for p in folder.iterdir()] == ["case.json"]
