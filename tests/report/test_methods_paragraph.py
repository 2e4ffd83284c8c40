"""The methods paragraph: its exact words for a few runs, and each of its parts."""

from collections import Counter
from dataclasses import replace

import pytest

from glutseg.exchange.measure_mask import GIVEN
from glutseg.image import Mask
from glutseg.output.schema import CaseRow
from glutseg.protocol import NAMED_LEVELS, LevelRule, TissueRule, load_protocol, with_extent, with_level
from glutseg.report.citations import AUBREY
from glutseg.report.methods import AUTOMATIC, LEVELS, RECORDED, Beside, methods
from glutseg.report.records import AgreementRecord, StudyRecord, read_as
from glutseg.result import Height
from made_run import GRID, MadeCase, labels_of, result_of, volume_of

PROTOCOL = load_protocol()
MEASURED = (
    "The cross-sectional area of the gluteus maximus was measured with glutseg (version 1.2.3; "
    "protocol “femoral-head-top”). The left and the right side were measured on the axial slice "
    f"nearest to the mean height of the tops of the two femoral heads (Homma et al., 2019). {AUTOMATIC} "
    "The area is that within the fascia, including fat within the muscle; in it, pixels of −29 to 150 "
    "HU were counted as lean muscle and pixels of −190 to −30 HU as fat (Aubrey et al., 2014). The "
    "areas of the left and the right side were averaged, and the mean was divided by body height "
    "(mm²/m) and by height squared (cm²/m²)."
)
BOUND = (
    "For each area the software estimates a bound of the measurement error that is expected to hold in "
    "90% of cases; it was 5.0% of the area (median of {n} areas; range, 4.0% to 6.0%)."
)
STUDY = {
    "question": {"covariates": ["age_years"], "correlates": ["visits"]},
    "value": {"words": "gluteus maximus area / height, mean of both sides"},
    "groups": ["control", "back-pain"],
    "comparison": {"n_first": 12, "n_second": 11},
    "sides": {"n": 23},
    "multiple_testing": {"tests": [{}, {}, {}]},
    "sensitivity": {"outcomes": [{}] * 9},
    "libraries": {"scipy": "1.16.0", "statsmodels": "0.14.5"},
}
PAIR = {
    "raters": "automatic | reviewer:anna",
    "quantity": "area_mean_mm2",
    "n_raters": 2,
    "n": 24,
    "bias_mm2": -12.3,
    "limit_lower_mm2": -150.2,
    "limit_upper_mm2": 126.1,
    "icc_agreement": 0.981,
    "icc_agreement_low": 0.955,
    "icc_agreement_high": 0.992,
    "n_outlines": 48,
    "dice_median": 0.987,
    "dice_min": 0.93,
}


def result(case):
    labels = labels_of(case)
    return result_of(case, volume_of(labels), Mask.from_array(labels, GRID))


def row(case, *, series=None, height=None, decision=""):
    found = result(case)
    if series:
        found = replace(found, series=replace(found.series, **series))
    return CaseRow(replace(found, height=height) if height else found, "p", decision=decision)


def excluded(name, reason):
    case = MadeCase(name, status="failed", error=("case-rejected", reason))
    found = row(case, decision="rejected")
    return replace(found, result=replace(found.result, status="excluded"))


def told(of=None, protocol=PROTOCOL, reviewers=None, **how):
    found = methods(protocol, "1.2.3", of if of is not None else [row(MadeCase("A"))], reviewers or {}, **how)
    return " ".join(found.paragraphs), found.citations


def by(*names):
    return {name: Counter() for name in names}


def scanners():
    """24 patients of two scanners."""
    found = []
    for i in range(24):
        mm = 5.0 if i % 5 == 0 else 3.0
        series = {
            "slice_spacing_mm": mm,
            "slice_thickness_mm": mm,
            "pixel_spacing_mm": (0.6 + 0.013 * i,) * 2,
            "kvp": "100" if i % 3 == 0 else "120",
            "kernel": ("B30f", "FC03", "I31f", "Br40")[i % 4],
            "contrast": "Ultravist" if i % 4 == 0 else "",
        }
        height = Height(1.6, "dicom") if i % 6 == 0 else Height(1.7, "participants")
        found.append(row(MadeCase(f"P{i}"), series=series, height=height))
    return found


def test_one_patient():
    text, cited = told()
    assert text == (
        "One CT examination was analysed. Slice thickness and spacing were 5 mm, pixel size was 1.5 "
        "mm, tube voltage was 120 kV and the reconstruction kernel was B30f. No contrast agent was "
        f"recorded in the DICOM headers. {MEASURED} Height was taken from the DICOM header. "
        f"{RECORDED} The automatic outlines were used without manual review. {BOUND.format(n=2)}"
    )
    assert cited[0] == (
        "The glutseg developers. glutseg: gluteus maximus cross-sectional area on pelvic CT, version 1.2.3 "
        "(software, Apache-2.0)"
    )


def test_24_patients_of_several_scanners():
    text, _ = told(scanners())
    assert text == (
        "24 CT examinations of 24 patients were analysed. Slice thickness and spacing were 3 mm (n = "
        "19) and 5 mm (n = 5), pixel size ranged from 0.60 to 0.90 mm (median, 0.75 mm) and tube "
        "voltage was 100 kV (n = 8) and 120 kV (n = 16). According to the DICOM headers, 6 of 24 scans "
        f"were made with a contrast agent. {MEASURED} Height was taken from the study’s table of "
        "participants (n = 20) and from the DICOM header (n = 4). "
        f"{RECORDED} The automatic outlines were used without manual review. {BOUND.format(n=48)}"
    )


def test_all_reviewed_with_study_and_agreement():
    decided = [replace(r, decision="corrected" if i < 3 else "accepted") for i, r in enumerate(scanners())]
    beside = Beside(
        read_as(StudyRecord, STUDY),
        read_as(AgreementRecord, {"agreement": [PAIR], "notes": [{"code": "agree-not-independent"}]}),
    )
    text, cited = told([*decided, excluded("X", "hip screw")], reviewers=by("anna"), beside=beside)
    assert text.startswith(
        "Of 25 CT examinations of 25 patients, 24 were analysed; 1 was excluded on review (hip screw). Slice"
    )
    assert text.endswith(
        "One reviewer inspected the outlines of all examinations: 21 were accepted unchanged, 3 were "
        f"corrected by hand and 1 was excluded. {BOUND.format(n=48)} Agreement between the automatic "
        "measurement and reviewer anna was assessed as bias with 95% limits of agreement (Bland and "
        "Altman, 1999) and the intraclass correlation coefficient for absolute agreement of single "
        "readings, ICC(2,1) (McGraw and Wong, 1996), and of outlines as the Dice coefficient and the "
        "95th percentile of the Hausdorff distance. For the mean of both sides (n = 24), the bias was "
        "−12 mm² (95% limits of agreement, −150 to 126 mm²) and ICC(2,1) was 0.981 (95% CI, 0.955 to "
        "0.992); the median Dice coefficient was 0.987 (lowest, 0.930). The reviewers worked on the "
        "automatic outlines, so their readings are not independent of these. The groups “control” (n = "
        "12) and “back-pain” (n = 11) were compared for gluteus maximus area divided by height (mean "
        "of both sides) with Welch’s t test; Student’s t test and the Mann–Whitney test were "
        "calculated in addition. The effect size is Hedges g (Hedges, 1981); intervals are 95% "
        "confidence intervals. Correlations with visits were calculated as Pearson’s r and Spearman’s "
        "ρ over all patients and within each group, and as Pearson’s r adjusted for group. The difference "
        "between the groups was adjusted for age_years in a linear model (ordinary least squares). The left "
        "and the right side were compared with a paired t test. Tests were two-sided with a significance "
        "level of 0.05; p values adjusted by Holm’s method (Holm, 1979) for the 3 tests are given in "
        "addition. As a sensitivity analysis the comparison of the groups was repeated with 8 other "
        "choices of area, side, height index, level or cases. Statistics were calculated with glutseg "
        f"(SciPy 1.16.0 and statsmodels 0.14.5)."
    )
    for name in ("Bland", "McGraw", "Hedges", "Holm"):
        assert any(one.startswith(name) for one in cited)
        assert not any(one.startswith(name) for one in told()[1])


def test_what_a_study_used_in_addition_is_said_and_cited():
    """Not for a study of an earlier version, whose record (`STUDY`) does not have it."""
    fitted = [
        {"name": "group", "errors": "classical; robust: HC3"},
        {"name": "group and covariates", "errors": "classical; robust: HC3"},
        {"name": "sides", "errors": "clustered by patient: CR2"},
    ]
    comparison = STUDY["comparison"] | {"mann_whitney": {"u": 40.0, "p": 0.1, "method": "exact"}}
    bootstrap = {"resamples": 9999, "seed": 1, "note": ""}
    full = STUDY | {"models": fitted, "comparison": comparison, "bootstrap": bootstrap}
    text, cited = told(beside=Beside(read_as(StudyRecord, full), None))
    assert "the Mann–Whitney test (exact) were calculated" in text
    assert "; bootstrap intervals (BCa; Efron, 1987) from 9999 resamples within the groups are given" in text
    assert (
        "in a linear model (ordinary least squares); standard errors that allow for unequal variances (HC3; "
        "MacKinnon and White, 1985) are given in addition. The left" in text
    )
    assert "allow for two values of each patient (CR2; Bell and McCaffrey, 2002)." in text
    for author in ("Efron", "MacKinnon", "Bell"):
        assert sum(one.startswith(author) for one in cited) == 1
    few = full | {"bootstrap": bootstrap | {"note": "fewer than 8 patients in a group"}, "models": fitted[:1]}
    text, cited = told(beside=Beside(read_as(StudyRecord, few | {"sides": None}), None))
    for author in ("Efron", "MacKinnon", "Bell"):
        assert author not in text
        assert not any(one.startswith(author) for one in cited)


@pytest.mark.parametrize("level", NAMED_LEVELS)
def test_every_level_is_named(level):
    assert f"on the axial slice {LEVELS[level]}" in told(protocol=with_level(PROTOCOL, level))[0]


def test_levels_by_hand_and_with_an_offset():
    assert "the axial slice specified by its number." in told(protocol=with_level(PROTOCOL, "slice=3"))[0]
    assert "the axial slice at a height specified by hand." in told(protocol=with_level(PROTOCOL, "z=12"))[0]
    lower = PROTOCOL.model_copy(update={"level": LevelRule(offset_mm=-10)})
    assert "nearest to a level 10 mm below the mean height of the tops of" in told(protocol=lower)[0]
    peak = PROTOCOL.model_copy(update={"level": LevelRule(landmark="peak-area", offset_mm=5)})
    assert "the axial slice 5 mm above the one with the largest mean area" in told(protocol=peak)[0]


def test_hu_ranges_are_those_of_the_protocol_and_cited_only_when_they_are_aubreys():
    assert AUBREY in told()[1]
    own = PROTOCOL.model_copy(update={"tissue": TissueRule(muscle_hu=(0, 120))})
    text, cited = told(protocol=own)
    assert "pixels of 0 to 120 HU were counted as lean muscle and pixels of −190 to −30 HU as fat." in text
    assert AUBREY not in cited


def test_thickness_and_spacing_apart_where_they_differ():
    thick = {"slice_thickness_mm": 5.0, "slice_spacing_mm": 2.5}
    assert (
        "Slice thickness was 5 mm, slice spacing was 2.5 mm, pixel"
        in told([row(MadeCase("A"), series=thick)])[0]
    )
    unknown = {"slice_thickness_mm": None, "kvp": "", "kernel": ""}
    text, _ = told([row(MadeCase("A"), series=unknown)])
    assert "Slice spacing was 5 mm and pixel size was 1.5 mm. No" in text
    contrast = [row(MadeCase(name), series={"contrast": "yes"}) for name in "AB"]
    assert "headers, all scans were made with a contrast agent." in told(contrast)[0]


def test_failures_are_counted_by_reason_in_words():
    failed = [row(MadeCase(name, status="failed", error=("hips-not-found", "no"))) for name in "BC"]
    other = row(MadeCase("D", status="failed", error=("no-ct", "no")))
    text, _ = told([row(MadeCase("A")), *failed, other])
    assert text.startswith(
        "Of 4 CT examinations of 4 patients, 1 was analysed; 3 could not be measured (no pair of hips was "
        "recognised in the series, n = 2; the study has no CT image series, n = 1)."
    )
    text, _ = told([failed[0]])
    assert text.startswith(
        "Of 1 CT examination of 1 patient, none were analysed; 1 could not be measured (no"
    )
    unknown = row(MadeCase("D", status="failed", error=("of-another-version", "no")))
    assert "(of-another-version)" in told([unknown])[0]


def test_patients_are_counted_apart_from_examinations_and_not_where_ids_lack():
    assert "Two CT examinations of 1 patient were" in told([row(MadeCase("A")), row(MadeCase("A"))])[0]
    assert told([row(MadeCase("A")), row(MadeCase(""))])[0].startswith("Two CT examinations were analysed.")


def test_heights_name_their_sources():
    of = [
        row(MadeCase("A")),
        row(MadeCase("B"), height=Height(1.7, "participants")),
        row(MadeCase("C", height_m=None)),
    ]
    assert (
        "Height was taken from the study’s table of participants (n = 1) and from the DICOM header (n "
        "= 1); it was unknown in 1 examination, which has no height index."
    ) in told(of)[0]
    assert "Height" not in told([row(MadeCase("C", height_m=None))])[0]


@pytest.mark.parametrize(
    ("decisions", "words"),
    [
        (["accepted"], "One reviewer inspected the outlines; the examination was accepted unchanged."),
        (["accepted"] * 3, "inspected the outlines of all examinations: all were accepted unchanged."),
        (["accepted", "corrected"], "1 was accepted unchanged and 1 was corrected by hand."),
        (["accepted", "", ""], "of 1 of 3 examinations: 1 was accepted unchanged; in the other 2 the"),
        (["accepted"] * 2 + [""], "2 of 3 examinations: all were accepted unchanged; in the other one the"),
        (["", ""], "inspected outlines without a decision that counts; the automatic outlines were used."),
    ],
)  # fmt: skip
def test_what_reviewers_did(decisions, words):
    of = [row(MadeCase(f"P{i}"), decision=decision) for i, decision in enumerate(decisions)]
    of.append(row(MadeCase("F", status="failed", error=("no-ct", "no"))))  # nobody could look at it
    assert words in told(of, reviewers=by("anna"))[0]
    assert "Two reviewers" in told(of, reviewers=by("anna", "bert"))[0]


def test_flags_that_nobody_resolved():
    text, _ = told([row(MadeCase("A")), row(MadeCase("B", status="review"))])
    assert "One examination has quality flags that no reviewer has resolved." in text


def test_outlines_made_elsewhere_are_not_called_the_programs():
    text, _ = told(outliner={"name": GIVEN})
    assert "The outlines had been made beforehand [state by whom and how]" in text
    assert "The given outlines were used without manual review." in text
    assert AUTOMATIC not in text
    assert "within the outline, including fat" in text
    text, cited = told(outliner={"name": "totalsegmentator", "version": "2.18.0"})
    assert "outlined by TotalSegmentator 2.18.0 (task “total”, 1.5 mm; Wasserthal et al., 2023)" in text
    assert sum("10.1148/ryai.230024" in one for one in cited) == 1
    assert not any("TotalSegmentator" in one for one in told()[1])
    text, cited = told(outliner={"name": "largest-component"})
    assert "outlined by “largest-component” [describe this method]." in text
    assert not any("U-Net" in one for one in cited)


def test_bounds_only_where_they_are_known():
    of = [row(MadeCase("A")), row(MadeCase("B", error_bounds_percent=(12.0, None)))]
    assert (
        "6.0% of the area (median of 3 areas; range, 4.0% to 12.0%; not estimated for 1 area)" in told(of)[0]
    )
    assert "90%" not in told([row(MadeCase("A", error_bounds_percent=(None, None)))])[0]


def test_more_muscles_whole_muscles_and_pseudonyms():
    protocol = with_extent(PROTOCOL, muscles=True, whole_muscle=True)
    text, _ = told(protocol=protocol, beside=Beside(has_pseudonyms=True))
    assert "the gluteus maximus, medius and minimus was measured" in text
    assert "Muscle volume was not determined, because no series showed the whole muscle." in text
    assert "Patient identifiers were replaced by pseudonyms" in text
    assert "pseudonyms" not in told()[0]


def test_raters_by_their_names_without_their_folders_and_three_pairs_at_most():
    rows = [PAIR | {"raters": f"automatic | /data/secret/masks{i}", "n_outlines": 0} for i in range(5)]
    text, _ = told(beside=Beside(agreement=read_as(AgreementRecord, {"agreement": rows})))
    assert text.count("ICC(2,1) was") == 3
    assert "For the mean of both sides, “masks0” against the automatic measurement (n = 24), the bias" in text
    assert "/data" not in text
    assert "Dice" not in text


def test_records_that_are_not_what_they_should_be_are_left_out():
    for broken in (None, {}, {**STUDY, "groups": ["one"]}, {**STUDY, "comparison": {"n_first": "many"}}):
        assert read_as(StudyRecord, broken) is None
    assert read_as(AgreementRecord, {"agreement": [{"raters": 3}]}) is None
    none_shared = AgreementRecord.model_validate({"agreement": [PAIR | {"n": 0}]})
    assert "Agreement" not in told(beside=Beside(agreement=none_shared))[0]
