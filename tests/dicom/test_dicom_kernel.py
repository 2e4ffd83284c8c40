import pytest

from glutseg.dicom.kernel import classify_kernel

SOFT = [
    "B30f",
    "B31s",
    "Br40d\\3",
    "Br38",
    "I31f\\2",
    "Bf37",
    "STANDARD",
    "SOFT",
    "B",
    "A",
    "FC08",
    "FC18-H",
    "FC13",
]
SHARP = [
    "B70f",
    "Br64",
    "Bl60",
    "I70f\\3",
    "BONE",
    "BONEPLUS",
    "LUNG",
    "YA",
    "YB",
    "L",
    "FC51",
    "FC30",
    "FC86",
]
UNKNOWN = ["", "B50f", "Br59", "MYSTERY", "1", "X"]


@pytest.mark.parametrize(
    ("kernel", "expected"),
    [(k, "soft") for k in SOFT] + [(k, "sharp") for k in SHARP] + [(k, "unknown") for k in UNKNOWN],
)
def test_grade(kernel, expected):
    assert classify_kernel(kernel) == expected


def test_the_description_is_used_only_if_the_kernel_is_unknown():
    assert classify_kernel("", "Becken Knochen 1.0") == "sharp"
    assert classify_kernel("", "Pelvis soft tissue") == "soft"
    assert classify_kernel("B30f", "bone window") == "soft"
