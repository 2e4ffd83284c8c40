"""What is written is read by others with the same pixels in the same place, in every patient orientation."""

from pathlib import Path

import numpy as np
import pytest
from dicom_series import FRAMES
from export_runs import figures, make_export_run
from other_readers import LABEL_NAMES, READERS, true_places
from scipy.ndimage import binary_dilation

from glutseg import dicom
from glutseg.exchange.export import CASE_FORMATS, SUFFIXES, export
from glutseg.exchange.measure_mask import load_series, measure_mask

DOCS = Path(__file__).parents[2] / "docs"
GLUTSEG = "glutseg"
RT_UTILS = "rt-utils"
STRAIGHTENED = {("nifti", "SimpleITK", "tilted"), ("rtstruct", RT_UTILS, "tilted")}
"""ITK reads NIfTI without shear (NRRD holds it), and rt-utils takes every stack for a straight one."""
OFF_BY_A_BORDER = {("rtstruct", RT_UTILS)}
"""rt-utils rounds every point of a line to a whole pixel, so that pixels on the outline may be added; it
knows only square images of square pixels, and is given such."""
MATRIX = [
    *((fmt, reader, frame) for fmt, reader in READERS for frame in FRAMES),
    *((fmt, GLUTSEG, frame) for fmt in ("seg", "rtstruct", "nifti", "nrrd") for frame in FRAMES),
    *(("rtstruct", RT_UTILS, frame) for frame in FRAMES),
]
TESTED = [way for way in MATRIX if way not in STRAIGHTENED]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """One run per orientation, written in all formats."""
    made = {}

    def of(frame, is_square=False):
        if (frame, is_square) not in made:
            run = make_export_run(tmp_path_factory.mktemp(frame), frame, is_square=is_square)
            done = export(run.out, ("rtstruct",) if is_square else CASE_FORMATS)
            assert not done.left_out
            made[frame, is_square] = (run, {path.name.split(".", 1)[1]: path for path in done.files})
        return made[frame, is_square]

    return of


@pytest.mark.parametrize(("fmt", "reader", "frame"), TESTED, ids=["-".join(way) for way in TESTED])
def test_the_same_pixels_in_the_same_place(runs, fmt, reader, frame):
    run, files = runs(frame, is_square=reader == RT_UTILS)
    file = files[SUFFIXES[fmt][1:]]
    if reader == RT_UTILS:
        check_by_rt_utils(run, file)
        return
    if reader == GLUTSEG:
        loaded = load_series(dicom.scan(run.images))
        measured = measure_mask(loaded, file, level="slice=3")
        assert np.array_equal(measured.mask.labels, run.mask.labels)
        assert figures(measured.result) == figures(run.result)
        assert "mask-resampled" not in [flag.code for flag in measured.result.all_flags]
        return
    truth = true_places(run.images, run.stored_uids, run.stored_labels)
    found = READERS[fmt, reader](file, run.images)
    assert found.keys() == truth.keys()
    for label, places in truth.items():
        assert found[label].shape == places.shape
        assert np.allclose(ordered(found[label]), ordered(places), atol=0.01)


def ordered(places):
    return places[np.lexsort(np.round(places, 2).T)]


def check_by_rt_utils(run, file):
    rt_utils = pytest.importorskip("rt_utils")
    pytest.importorskip("cv2")
    from rt_utils.image_helper import get_contours_coords  # noqa: F401  the package must be whole

    try:
        structures = rt_utils.RTStructBuilder.create_from(str(run.images), str(file))
    except Exception as error:  # noqa: BLE001 - it refuses what it cannot place, as it may
        pytest.fail(f"rt-utils refuses the file: {error}")
    assert structures.get_roi_names() == list(LABEL_NAMES)
    heights = [slice_height(ds) for ds in structures.series_data]
    own = {uid: k for k, uid in enumerate(run.stored_uids)}
    assert heights == sorted(heights)
    for name, label in LABEL_NAMES.items():
        seen = structures.get_roi_mask_by_name(name)
        for j, ds in enumerate(structures.series_data):
            truth = run.stored_labels[own[ds.SOPInstanceUID]] == label
            plane = seen[: truth.shape[0], : truth.shape[1], j]
            filled = truth | (plane & binary_dilation(truth, np.ones((3, 3))))
            assert (plane >= truth).all(), f"{name}: pixels are missing"
            assert np.array_equal(plane | truth, filled), f"{name}: pixels away from the outline"


def slice_height(ds):
    across, down = np.reshape([float(v) for v in ds.ImageOrientationPatient], (2, 3))
    return float(np.cross(across, down) @ [float(v) for v in ds.ImagePositionPatient])


def matrix_table():
    lines = [f"| format | reader | {' | '.join(FRAMES)} |", f"|---|---|{'---|' * len(FRAMES)}"]
    for fmt, reader in dict.fromkeys((fmt, reader) for fmt, reader, _ in MATRIX):
        cells = []
        for frame in FRAMES:
            if (fmt, reader, frame) in STRAIGHTENED:
                cells.append("no")
            else:
                cells.append("border" if (fmt, reader) in OFF_BY_A_BORDER else "same")
        lines.append(f"| {fmt} | {reader} | {' | '.join(cells)} |")
    return "\n".join(lines)


def test_the_documented_matrix_is_the_tested_one():
    text = (DOCS / "how-to" / "interoperability.md").read_text(encoding="utf-8")
    assert matrix_table() in text, f"write this into docs/how-to/interoperability.md:\n{matrix_table()}"
