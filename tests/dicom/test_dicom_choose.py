import dataclasses
import math
import re
import warnings

import pytest
from dicom_builder import header
from hypothesis import given
from hypothesis import strategies as st

from glutseg.dicom import check_requested_series, choose, series_flags
from glutseg.dicom.model import Index, Series, SeriesTags, Study
from glutseg.dicom.patterns import matches
from glutseg.dicom.stack import build_stacks
from glutseg.errors import GlutsegError
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
    stack = build_stacks([headers])[0]
    tags = {
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
    }
    return Series(
        series_uid=uid,
        tags=SeriesTags(**(tags | fields)),
        n_files=n,
        n_images=n,
        slices=stack.slices,
        grid_indices=stack.grid_indices,
        geometry=stack.geometry,
        flags=stack.flags,
        problem=stack.problem,
    )


def chosen(*candidates, rule=RULE):
    return choose(Study("1.2", "P", "", "", tuple(candidates)), rule)


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
    assert reason in choice.rejected_series[0][1]


BETTER = [
    (series("9"), series("1", body_part="HEAD"), "head"),
    (series("9"), series("1", kernel="B70f"), "sharp"),
    (series("9"), series("1", step=8.0, n=30), "thick"),
    (series("9"), series("1", body_part="CHEST"), "pelvis"),
    (series("9"), series("1", image_type=("DERIVED", "SECONDARY", "MPR")), "secondary"),
    (series("9"), series("1", kernel="UNLISTED"), "soft-tissue"),
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
    assert choice.rejected_series == ()
    assert criterion in choice.reason
    assert criterion in choice.lower_ranked_series[0][1]
    assert choice.lower_ranked_series[0][0] == next_best.series_uid


def test_a_derived_axial_series_alone_is_taken():
    choice = chosen(series(image_type=("DERIVED", "PRIMARY", "AXIAL")))
    assert len(choice.candidates) == 1
    assert choice.reason == "the only series that may be measured"


def test_a_wrong_body_part_does_not_exclude():
    assert len(chosen(series(body_part="HEAD")).candidates) == 1


def tilted(uid, degrees):
    """Not sheared: the slices lie along their own normal."""
    angle = math.radians(degrees)
    normal = (0.0, -math.sin(angle), math.cos(angle))
    orientation = (1.0, 0.0, 0.0, 0.0, math.cos(angle), math.sin(angle))
    positions = [tuple(3.0 * k * v for v in normal) for k in range(60)]
    headers = [header(0, k, orientation=orientation, position_mm=p) for k, p in enumerate(positions)]
    return series(uid, headers=[dataclasses.replace(h, rows=512, columns=512) for h in headers])


def test_too_much_tilt_is_refused():
    assert "35.0 degrees" in chosen(tilted("1", 35)).rejected_series[0][1]


def test_an_axial_series_goes_before_a_tilted_one():
    choice = chosen(tilted("1", 20), series("9"))
    assert choice.candidates[0].series_uid == "9"
    assert "not tilted" in choice.reason


def test_a_complete_series_goes_before_one_with_a_gap():
    gappy = series("1", headers=[header(3 * k, k, rows=512, columns=512) for k in range(60) if k != 30])
    choice = chosen(gappy, series("9"))
    assert choice.candidates[0].series_uid == "9"
    assert "no missing slice" in choice.reason


def rule(**changes):
    return SeriesRule(**changes)


@pytest.mark.parametrize(
    ("changes", "uids"),
    [
        ({"description_include": ("pelvis*",)}, ["1", "2"]),
        ({"description_exclude": ("*lung*",)}, ["1", "3"]),
        ({"kernel_include": ("b30*", "STANDARD")}, ["1", "3"]),
        ({"kernel_exclude": ("b*",)}, []),
        ({"description_include": ("pelvis*",), "kernel_exclude": ("b7*",)}, ["1"]),
        ({"series_uids": ("2",), "description_exclude": ("*",)}, ["2"]),
        ({"series_uids": ("2", "3")}, ["3", "2"]),
        ({"series_uids": ("77",)}, ["1", "3", "2"]),  # of another study
    ],
)
def test_the_protocol_narrows_the_choice(changes, uids):
    all_series = (
        series("1", description="Pelvis 3.0"),
        series("2", description="PELVIS LUNG", kernel="B70f"),
        series("3", description=""),
    )
    choice = chosen(*all_series, rule=rule(**changes))
    assert [s.series_uid for s in choice.candidates] == uids
    assert len(choice.rejected_series) == 3 - len(uids)
    assert all("protocol" in why or "asked for" in why for _, why in choice.rejected_series)


def test_naming_a_series_does_not_make_it_measurable():
    choice = chosen(series("1", orientation=CORONAL), series("2"), rule=rule(series_uids=("1",)))
    assert choice.candidates == ()
    assert dict(choice.rejected_series)["1"] == "not axial: coronal"


def test_an_unknown_series_uid_is_an_error(tmp_path):
    index = Index(tmp_path, (Study("1.2", "P", "", "", (series("1"),)),))
    check_requested_series(index, rule(series_uids=("1",)))
    with pytest.raises(GlutsegError, match=r"series-unknown: none of 1 series has the UID 1\.5"):
        check_requested_series(index, rule(series_uids=("1", "1.5")))


def test_the_parts_of_one_series_are_distinguished():
    one, two = (dataclasses.replace(series("1"), part=k, n_parts=2) for k in (1, 2))
    choice = chosen(two, one)
    assert choice.candidates == (one, two)
    assert choice.lower_ranked_series == (("1", "part 2 of 2: equal to the first; the lower UID goes first"),)


def test_thick_overlapping_slices_are_flagged():
    assert [f.code for f in series_flags(series(slice_thickness_mm=10.0), RULE)] == ["slices-thick"]


@given(st.text(max_size=30), st.text(alphabet="ab*", max_size=12))
def test_patterns_are_those_of_the_shell(text, pattern):
    wanted = re.fullmatch(
        ".*".join(map(re.escape, pattern.casefold().split("*"))), text.casefold(), re.DOTALL
    )
    assert matches(text, pattern) == (wanted is not None)


@given(st.text(alphabet="ab", max_size=12), st.text(alphabet="ab*", max_size=8))
def test_patterns_that_often_match(text, pattern):
    wanted = re.fullmatch(pattern.replace("*", ".*"), text)
    assert matches(text, pattern) == (wanted is not None)


def test_no_pattern_takes_long():
    assert not matches("a" * 64, "*a" * 31 + "b")


def test_flags_of_the_series():
    assert series_flags(series(), RULE) == ()
    found = series_flags(series(step=8.0, kernel="BONE"), RULE)
    assert [f.code for f in found] == ["slices-thick", "kernel-sharp"]


def test_an_empty_study():
    choice = chosen()
    assert (choice.candidates, choice.reason, choice.rejected_series) == ((), "", ())


def test_a_foreign_class_is_named_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ((_, reason),) = chosen(series(sop_class_uid="1.2.<b>ÿ")).rejected_series
    assert reason.startswith("not CT images")
