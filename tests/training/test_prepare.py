"""Label maps and CT become one file that training reads."""

import numpy as np
import pytest
import SimpleITK as sitk

pytest.importorskip("torch", reason="training needs PyTorch: pip install -e '.[training]'")

import torch

from training.labels import AIR, AROUND_JOINT, FEMUR, HIP_BONE, INSIDE_PELVIS, MAXIMUS
from training.prepare import (
    HU_OF_CODE,
    REACH_MM,
    prepare,
    seen_soft_tissue,
    smooth_labels,
    unlabelled_regions,
)
from training.volumes import load_volumes

HEADS_MM = [[40.0, 0.0, 0.0], [-40.0, 0.0, 0.0]]


def image(array, spacing_mm=(2.0, 2.0, 3.0)):
    """With its middle at zero, LPS."""
    out = sitk.GetImageFromArray(array)
    out.SetSpacing(spacing_mm)
    out.SetOrigin([-(n - 1) * s / 2 for n, s in zip(out.GetSize(), spacing_mm, strict=True)])
    return out


def write_series(folder, hu):
    folder.mkdir()
    writer, volume = sitk.ImageFileWriter(), image(hu.astype(np.int16))
    writer.KeepOriginalImageUIDOn()
    for k in range(volume.GetDepth()):
        plane = volume[:, :, k]
        position = volume.TransformIndexToPhysicalPoint((0, 0, k))
        for tag, value in {
            "0008|0060": "CT",
            "0020|000d": "1.2.3",
            "0020|000e": "1.2.3.4",
            "0008|0018": f"1.2.3.4.{k + 1}",
            "0020|0013": str(k),
            "0020|0032": "\\".join(f"{p:.3f}" for p in position),
            "0020|0037": "1\\0\\0\\0\\1\\0",
        }.items():
            plane.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"{k}.dcm"))
        writer.Execute(plane)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Three volumes; on their CT a fatty body with a brighter block that is the maximus."""
    folder = tmp_path_factory.mktemp("prepare")
    labels, body = np.zeros((20, 60, 80), np.uint8), np.zeros((20, 60, 80), np.uint8)
    body[:, 10:50, 10:70], labels[:, 30:45, 30:50] = 1, MAXIMUS
    hu = np.where(labels == MAXIMUS, 50, np.where(body, -100, -1000))
    sitk.WriteImage(image(labels), str(folder / "label.mhd"))
    sitk.WriteImage(image(body), str(folder / "mask.mhd"))
    sitk.WriteImage(image((labels == MAXIMUS).astype(np.uint8) * 2), str(folder / "truth.nii.gz"))
    write_series(folder / "ct", hu)
    heads = f"heads_mm = {HEADS_MM}\n"
    (folder / "volumes.toml").write_text(
        f'[a]\npatient = "p"\nkind = "labelled"\nlabels = "label.mhd"\nbody = "mask.mhd"\nct = "ct"\n{heads}'
        f'[b]\npatient = "p"\nkind = "simulated"\nlabels = "truth.nii.gz"\nct = "ct"\n{heads}'
        f'[c]\npatient = "q"\nkind = "unlabelled"\nct = "ct"\n{heads}'
    )
    prepare(folder / "volumes.toml", folder / "pelves.npz")
    return load_volumes(folder / "pelves.npz", torch.device("cpu"))


def at(volume, x, y, z):
    """(code, HU) at an LPS point."""
    point = torch.tensor([[[[x, y, z]]]]) - volume.heads_mm[0]
    code = None if volume.labels is None else int(volume.labels_around(point, 0, 255))
    return code, float(volume.hu_around(point, 0))


def test_labels_and_ct_stand_where_they_stood(prepared):
    assert [(v.name, v.patient, v.kind) for v in prepared] == [
        ("a", "p", "labelled"),
        ("b", "p", "simulated"),
        ("c", "q", "unlabelled"),
    ]
    for volume in prepared:
        code, hu = at(volume, 0.0, 15.0, 3.0)
        assert code == (None if volume.name == "c" else MAXIMUS)
        assert hu == pytest.approx(50, abs=2)
        assert at(volume, 0.0, -25.0, 3.0)[1] == pytest.approx(-100, abs=3)
    assert at(prepared[0], 0.0, -58.0, 3.0)[0] == AIR


def test_the_steps_of_hu_are_fine_where_soft_tissue_is():
    assert HU_OF_CODE.shape == (256,)
    soft = HU_OF_CODE[(HU_OF_CODE > -200) & (HU_OF_CODE < 220)]
    assert np.diff(soft).max() < 2.2
    assert (np.diff(HU_OF_CODE) > 0).all()
    assert (np.array(REACH_MM[0]) < np.array(REACH_MM[1])).all()


def test_labels_lose_the_steps_of_thick_slices():
    """A slanted border through slices of 6 mm: its steps are shorter on the fine grid."""
    labels = np.zeros((8, 30, 30), np.uint8)
    for k, plane in enumerate(labels):
        plane[:, : 8 + 2 * k] = MAXIMUS
    fine = smooth_labels(image(labels, (1.0, 1.0, 6.0)))
    widths = (fine[:, 15] == MAXIMUS).sum(1)
    assert len(fine) == 29
    assert np.abs(np.diff(widths[4:-4])).max() < 2
    assert widths[-5] - widths[4] == pytest.approx(10, abs=2)


def test_unlabelled_regions_are_told_apart():
    labels, body = np.zeros((3, 60, 100), np.uint8), np.zeros((3, 60, 100), bool)
    body[:, 5:55, 5:95] = True
    labels[:, 10:50, 10:20] = labels[:, 10:50, 60:70] = HIP_BONE
    labels[:, 10:50, 75:80] = FEMUR
    regions = unlabelled_regions(labels, body, (3.0, 1.0, 1.0))
    assert regions[1, 30, 35] == INSIDE_PELVIS
    assert regions[1, 30, 72] == AROUND_JOINT
    assert regions[1, 2, 2] == AIR
    assert regions[1, 30, 94] == AROUND_JOINT
    assert regions[1, 52, 8] == 0
    assert (regions[labels > 0] == 0).all()


def test_soft_tissue_on_ct_is_seen_but_not_the_skin():
    body = np.ones((1, 40, 40), bool)
    body[:, 0] = body[:, -1] = body[:, :, 0] = body[:, :, -1] = False
    hu = np.full((1, 40, 40), -100.0, np.float32)
    hu[:, 15:25, 15:25], hu[:, 1:3] = 40, 40
    labels = np.zeros((1, 40, 40), np.uint8)
    labels[:, 15:20] = MAXIMUS
    seen = seen_soft_tissue(hu, labels, body)
    assert seen[0, 22, 20]
    assert not seen[0, 17, 20], "labelled"
    assert not seen[0, 1].any()
    assert not seen[0, 35, 35], "fat"
