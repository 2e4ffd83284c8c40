import numpy as np
import pytest
from dicom_builder import write_series
from dicom_series_read import ORIENTATIONS

from glutseg import dicom
from glutseg.dicom.gaps import fill_missing, longest_stretch


def has_image(text):
    return [c == "x" for c in text]


@pytest.mark.parametrize(
    ("text", "step_mm", "expected"),
    [
        ("xxxxx", 3, (0, 5)),
        ("", 3, (0, 0)),
        ("----", 3, (0, 0)),
        ("--xxxxxxxxxx-", 3, (2, 12)),  # missing slices at the ends are no gaps
        ("xxxxxxxx-xxxx", 3, (0, 13)),
        ("xxxxxxxx-xxxx", np.inf, (0, 8)),  # not bridged
        ("xxxxxxxx------xxxxxxxxxxxxxxxxxxxx", 3, (14, 34)),  # 18 mm are too many
        ("xxxxxxxx------xxxxxxxxxxxxxxxxxxxx", 2, (0, 34)),
        ("xxxx-x-x-x-x-x-x-x-x", 3, (0, 4)),  # too incomplete
    ],
)
def test_the_longest_range_with_short_gaps(text, step_mm, expected):
    assert longest_stretch(has_image(text), step_mm) == expected


def test_missing_slices_are_interpolated():
    hu = np.full((6, 2, 2), 9999, np.int16)
    for k, value in ((0, 0), (1, 10), (4, 40), (5, -3)):
        hu[k] = value
    fill_missing(hu, has_image("xx--xx"))
    assert hu[:, 0, 0].tolist() == [0, 10, 20, 30, 40, -3]


def test_a_gap_of_exactly_the_longest_kind_is_bridged():
    assert longest_stretch(has_image("xxxxxxxx-----xxxxxxxxxxxxxxxxxxxx"), 3) == (0, 33)  # 15 mm


@pytest.mark.parametrize(("lies", "how"), [("HFS", "gone"), ("FFS", "gone"), ("HFS", "broken")])
def test_a_part_knows_where_the_series_goes_on_beyond_a_gap(tmp_path, lies, how):
    """Slices every 3 mm from z = 100 mm on: the gap is 27 mm long, too long to reach across."""
    pixels = np.zeros((40, 8, 6), np.int16)
    paths = write_series(tmp_path, pixels, ImageOrientationPatient=list(ORIENTATIONS[lies]))
    for path in paths[10:18]:
        path.unlink() if how == "gone" else path.write_bytes(path.read_bytes()[:-50])
    (study,) = dicom.scan(tmp_path).studies
    images = [dicom.read(series) for series in study.series]
    upper = max(images, key=lambda image: image.geometry.origin_mm[2])
    assert upper.gaps_mm == ((pytest.approx(127), pytest.approx(154)),)
    assert dicom.read(study.series[0], slices=slice(1, 5)).gaps_mm == ()
    if how == "gone":
        lower = min(images, key=lambda image: image.geometry.origin_mm[2])
        assert lower.gaps_mm == upper.gaps_mm
