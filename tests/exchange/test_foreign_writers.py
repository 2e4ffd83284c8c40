"""Masks that other programs write are read with the same pixels, in every patient orientation they can state.

Files of programs that cannot run in every test (dcmqi, dcmjs, plastimatch, rt-utils, slicerio) are kept in
written_by_others: one orientation each. The others write here.
"""

import shutil
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from dicom_series import FRAMES
from export_runs import make_export_run
from foreign_files import FILES

from glutseg import dicom
from glutseg.exchange.export import export
from glutseg.exchange.measure_mask import load_series, measure_mask
from glutseg.exchange.terms import TERMS

DOCS = Path(__file__).parents[2] / "docs"
NOT_SHEARED = {("SimpleITK", "NIfTI"), ("SimpleITK", "MHA")}
"""ITK states no shear in these formats, so a tilted stack cannot be written."""


def by_highdicom(kind):
    def write(run, path):
        hd = pytest.importorskip("highdicom")
        ds = pydicom.dcmread(next(p for p in export(run.out, ("seg",)).files))
        labels = run.stored_labels
        used = [k for k in range(len(labels)) if labels[k].any()]
        files = {d.SOPInstanceUID: d for d in map(pydicom.dcmread, sorted(run.images.glob("*.dcm")))}
        segments = [hd.seg.SegmentDescription.from_dataset(s) for s in ds.SegmentSequence]
        values = labels[used]
        if kind == "FRACTIONAL":
            values = np.stack([values == term.label for term in TERMS], axis=-1).astype(np.float32)
        made = hd.seg.Segmentation(
            [files[run.stored_uids[k]] for k in used], values, kind, segments,
            hd.UID(), 1, hd.UID(), 1, "test", "test", "1", "1",
        )  # fmt: skip
        made.save_as(path)

    return write


def by_nibabel(run, path):
    own = run.mask.stored
    to_ras = np.diag([-1.0, -1.0, 1.0, 1.0])
    image = nib.Nifti1Image(run.stored_labels.transpose(2, 1, 0), to_ras @ own.matrix)
    nib.save(image, path)


def by_simpleitk(run, path):
    sitk.WriteImage(run.mask.to_sitk(), str(path))


def by_dcmtk(run, path):
    """Every sequence without a stated length."""
    dcmconv = shutil.which("dcmconv")
    if dcmconv is None:
        pytest.skip("dcmconv of DCMTK is not installed")
    file = next(p for p in export(run.out, ("seg",)).files)
    subprocess.run([dcmconv, "-e", str(file), str(path)], check=True)


WRITERS = {
    ("highdicom", "SEG, binary"): (by_highdicom("BINARY"), "mask.dcm"),
    ("highdicom", "SEG, fractional"): (by_highdicom("FRACTIONAL"), "mask.dcm"),
    ("highdicom", "SEG, label map"): (by_highdicom("LABELMAP"), "mask.dcm"),
    ("DCMTK", "SEG, written again"): (by_dcmtk, "mask.dcm"),
    ("nibabel", "NIfTI"): (by_nibabel, "mask.nii.gz"),
    ("SimpleITK", "NIfTI"): (by_simpleitk, "mask.nii.gz"),
    ("SimpleITK", "NRRD"): (by_simpleitk, "mask.nrrd"),
    ("SimpleITK", "MHA"): (by_simpleitk, "mask.mha"),
}
TESTED = [
    (*way, frame) for way in WRITERS for frame in FRAMES if (way not in NOT_SHEARED or frame != "tilted")
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    made = {}

    def of(frame):
        if frame not in made:
            run = make_export_run(tmp_path_factory.mktemp(frame), frame)
            made[frame] = run, load_series(dicom.scan(run.images))
        return made[frame]

    return of


@pytest.mark.parametrize(("program", "fmt", "frame"), TESTED, ids=["-".join(way) for way in TESTED])
def test_the_same_pixels(runs, tmp_path, program, fmt, frame):
    run, loaded = runs(frame)
    write, name = WRITERS[program, fmt]
    write(run, tmp_path / name)
    measured = measure_mask(loaded, tmp_path / name, level="slice=3")
    assert np.array_equal(measured.mask.labels, run.mask.labels)
    assert "mask-resampled" not in [flag.code for flag in measured.result.all_flags]


def writers_table():
    """Every row names the test that holds it."""
    here, kept = Path(__file__).name, "test_written_by_others.py"
    lines = ["| program | writes | orientations | pixels that differ | held by |", "|---|---|---|---|---|"]
    for program, fmt, file in FILES:
        lines.append(f"| {program} | {fmt} | HFS | 0 | `{kept}::test_the_same_pixels[{file}]` |")
    for program, fmt in WRITERS:
        orientations = "all but tilted" if (program, fmt) in NOT_SHEARED else "all ten"
        test = f"`{here}::test_the_same_pixels[{program}-{fmt}-...]`"
        lines.append(f"| {program} | {fmt} | {orientations} | 0 | {test} |")
    return "\n".join(lines)


def test_the_documented_writers_are_the_tested_ones():
    text = (DOCS / "how-to" / "interoperability.md").read_text(encoding="utf-8")
    assert writers_table() in text, f"write this into docs/how-to/interoperability.md:\n{writers_table()}"
