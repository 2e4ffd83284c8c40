import dataclasses
import warnings

import pytest
from dicom_builder import header

from glutseg.dicom import choose, series_flags
from glutseg.dicom.model import Series, Study
from glutseg.dicom.stack import build_stack
from glutseg.protocol import SeriesRule

RULE = SeriesRule()
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)


def series(uid="1", *, step=3.0, n=60, orientation=None, headers=None, **fields):
    if headers is None:
        changes = {"rows": 512, "columns": 512}
        if orientation:
            headers = [
                header(0, k, orientation=orientation, position_mm=(0.0, step * k, 0.0), **changes)
                for k in range(n)
            ]
        else:
            headers = [header(step * k, k, **changes) for k in range(n)]
    stack = build_stack(headers)
    values = {
        "series_uid": uid,
        "modality": "CT",
        "sop_class_uid": "1.2.840.10008.5.1.4.1.1.2",
        "description": "",
        "kernel": "B30f",
        "image_type": ("ORIGINAL", "PRIMARY", "AXIAL"),
        "slice_thickness_mm": 3.0,
        "kvp": "120",
        "contrast": "",
        "body_part": "PELVIS",
        "patient_position": "HFS",
        "manufacturer": "",
        "rescale_type": "HU",
        "transfer_syntax_uid": "1.2.840.10008.1.2.1",
        "n_files": n,
        "n_images": n,
        "slices": stack.slices,
        "geometry": stack.geometry,
        "tilt_degrees": stack.tilt_degrees,
        "flags": stack.flags,
    }
    return Series(**(values | fields))


def chosen(*candidates):
    return choose(Study("1.2", "P", "", "", tuple(candidates)), RULE)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (series(sop_class_uid="1.2.840.10008.5.1.4.1.1.7"), "Secondary Capture Image Storage"),
        (series(sop_class_uid="1.2.840.10008.5.1.4.1.1.88.67", modality="SR"), "X-Ray Radiation Dose SR"),
        (series(sop_class_uid=""), "not CT images"),
        (series(image_type=("ORIGINAL", "PRIMARY", "LOCALIZER")), "LOCALIZER"),
        (series(image_type=("DERIVED", "SECONDARY", "MIP")), "MIP"),
        (series(rescale_type="MGML"), "MGML"),
        (series(headers=[header(3 * k, k, samples=3) for k in range(60)]), "colour"),
        (series(headers=[header(3 * k, k, rescale=None) for k in range(60)]), "rescale"),
        (series(headers=[header(3 * k, k, pixel_spacing_mm=None) for k in range(60)]), "no pixel spacing"),
        (series(headers=[]), "no image"),
        (series(orientation=CORONAL), "coronal"),
        (series(orientation=(0.0, 1.0, 0.0, 0.0, 0.0, -1.0)), "one position"),
        (series(step=12.0), "12 mm between slices"),
        (series(n=3), "too short for hips"),
    ],
)
def test_refused_with_a_reason(bad, reason):
    choice = chosen(bad)
    assert choice.candidates == ()
    assert reason in choice.passed_over[0][1]


BETTER = [
    (series("9"), series("1", body_part="HEAD"), "head"),
    (series("9"), series("1", kernel="B70f"), "sharp"),
    (series("9"), series("1", step=8.0, n=30), "thick"),
    (series("9"), series("1", body_part="CHEST"), "pelvis"),
    (series("9"), series("1", image_type=("DERIVED", "SECONDARY", "MPR")), "plain"),
    (series("9"), series("1", kernel="ODD"), "soft-tissue"),
    (series("9"), series("1", step=1.0, n=200), "slice spacing"),
    (series("9"), series("1", image_type=("DERIVED", "PRIMARY", "AXIAL")), "original"),
    (series("9"), series("1", n=40), "coverage"),
    (series("1"), series("9"), "UID"),
]


@pytest.mark.parametrize(("best", "next_best", "criterion"), BETTER)
@pytest.mark.parametrize("swap", [False, True])
def test_ranking(best, next_best, criterion, swap):
    choice = chosen(*((next_best, best) if swap else (best, next_best)))
    assert choice.candidates == (best, next_best)
    assert choice.passed_over == ()
    assert criterion in choice.reason
    assert criterion in choice.ranked_lower[0][1]
    assert choice.ranked_lower[0][0] == next_best.series_uid


def test_a_derived_axial_series_alone_is_taken():
    choice = chosen(series(image_type=("DERIVED", "PRIMARY", "AXIAL")))
    assert len(choice.candidates) == 1
    assert choice.reason == "the only series that may be measured"


def test_a_wrong_body_part_does_not_exclude():
    assert len(chosen(series(body_part="HEAD")).candidates) == 1


def test_too_much_tilt_is_refused():
    tilted = dataclasses.replace(series(), tilt_degrees=35.0)
    assert "35.0 degrees" in chosen(tilted).passed_over[0][1]


def test_flags_of_the_series():
    assert series_flags(series(), RULE) == ()
    found = series_flags(series(step=8.0, kernel="BONE"), RULE)
    assert [f.code for f in found] == ["slices-thick", "kernel-sharp"]


def test_an_empty_study():
    choice = chosen()
    assert (choice.candidates, choice.reason, choice.passed_over) == ((), "", ())


def test_a_foreign_class_is_named_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ((_, reason),) = chosen(series(sop_class_uid="1.2.<b>ÿ")).passed_over
    assert reason.startswith("not CT images")
