import csv
import io
from dataclasses import replace

import pytest

from glutseg.output.schema import MEASUREMENTS, CaseRow, measurement_columns
from glutseg.output.slice_tables import PROFILE
from glutseg.output.tables import sort_rows, to_csv, write_tables
from glutseg.protocol import ExtentRule
from glutseg.result import CaseResult

ASKED_FOR = """
case_id patient_id study_uid series_uid study_date status flags level_name level_z_mm slice_index
pixel_spacing_mm slice_spacing_mm area_left_mm2 area_right_mm2 area_mean_mm2 area_sum_mm2 lean_area_left_mm2
lean_area_right_mm2 imat_area_left_mm2 imat_area_right_mm2 mean_hu_left mean_hu_right height_m height_source
area_mean_per_height_mm2_per_m area_mean_per_height2_cm2_per_m2 mask overlay glutseg_version
"""


def read(path):
    return list(csv.DictReader(path.open(newline="", encoding="utf-8")))


def failed(patient_id="P-0", study_uid="1.2.0"):
    return CaseResult(
        "P-0-1", patient_id, study_uid, "", "failed", error_code="no-ct", error_message="only MR"
    )


def test_names_are_unique_and_the_promised_ones_are_there():
    names = [c.name for c in MEASUREMENTS]
    assert len(set(names)) == len(names)
    assert set(ASKED_FOR.split()) <= set(names)
    assert len({c.name for c in PROFILE}) == len(PROFILE)
    assert all(c.meaning for c in (*MEASUREMENTS, *PROFILE))


def test_figures_of_a_measured_row(example, tmp_path):
    write_tables(tmp_path, [CaseRow(example.result, "test", "cases/x/mask.nii.gz")])
    (row,) = read(tmp_path / "measurements.csv")
    assert float(row["area_right_mm2"]) == 18 * 10 * 3.0
    assert float(row["area_left_mm2"]) == 17 * 10 * 3.0
    assert float(row["area_mean_mm2"]) == 525.0
    assert float(row["area_sum_mm2"]) == 1050.0
    assert float(row["area_mean_per_height_mm2_per_m"]) == pytest.approx(525 / 1.6)
    assert float(row["area_mean_per_height2_cm2_per_m2"]) == pytest.approx(5.25 / 1.6**2, abs=1e-4)
    assert (float(row["pixel_spacing_mm"]), float(row["pixel_spacing_x_mm"])) == (1.5, 2.0)
    assert row["flags"] == "sides-differ outline-uncertain:left"
    assert row["slice_index"] == "3"
    assert row["mask"] == "cases/x/mask.nii.gz"
    assert row["overlay"] == ""


def test_a_failed_study_has_a_reason_and_no_figure(tmp_path):
    write_tables(tmp_path, [CaseRow(failed(), "test")])
    (row,) = read(tmp_path / "measurements.csv")
    assert (row["status"], row["error_code"], row["error_message"]) == ("failed", "no-ct", "only MR")
    figures = [c.name for c in MEASUREMENTS if c.kind is not str]
    assert {row[name] for name in figures} == {""}


def test_one_side_leaves_mean_sum_and_index_empty(example, tmp_path):
    left, right = example.result.muscles
    one = replace(example.result, muscles=(left, replace(right, measurement=None)))
    write_tables(tmp_path, [CaseRow(one, "test")])
    (row,) = read(tmp_path / "measurements.csv")
    assert row["area_left_mm2"]
    empty = (
        "area_right_mm2",
        "area_mean_mm2",
        "area_sum_mm2",
        "area_mean_per_height_mm2_per_m",
        "mean_hu_mean",
    )
    assert {row[name] for name in empty} == {""}


def test_profile_has_a_row_per_side_and_slice(example, tmp_path):
    write_tables(tmp_path, [CaseRow(example.result, "test")])
    rows = read(tmp_path / "profile.csv")
    assert [(r["side"], float(r["offset_mm"])) for r in rows] == [
        (side, offset) for offset in (5.0, 0.0, -5.0) for side in ("left", "right")
    ]
    assert float(rows[0]["area_mm2"]) == 510.0


def test_order_of_measuring_does_not_show(example, make, tmp_path):
    rows = [CaseRow(r, "t") for r in (example.result, failed(), make("P-0", "1.2.0.1").result)]
    write_tables(tmp_path / "a", rows)
    write_tables(tmp_path / "b", rows[::-1])
    for name in ("measurements.csv", "profile.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert [r.result.study_uid for r in sort_rows(rows)] == ["1.2.0", "1.2.0.1", "1.2.3"]


def test_hostile_ids_stay_one_harmless_cell(make):
    text = to_csv(MEASUREMENTS, [CaseRow(make('=cmd|" /C calc"!A0,\r\nx').result, "test")])
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["patient_id"] == '\'=cmd|" /C calc"!A0,  x'
    assert len(text.splitlines()) == 2


def test_the_profile_mean_is_the_mean_over_the_profile_and_empty_without_one(example, tmp_path):
    areas = [p.measurement.area_mm2 for p in example.result.profile]
    bare = replace(example.result, case_id="bare", study_uid="1.2.4", profile=())
    write_tables(tmp_path, [CaseRow(example.result, "test"), CaseRow(bare, "test")])
    rows = {r["case_id"]: r for r in read(tmp_path / "measurements.csv")}
    assert float(rows["P-1-0000000000"]["profile_mean_area_mean_mm2"]) == pytest.approx(
        sum(areas) / len(areas)
    )
    assert float(rows["P-1-0000000000"]["profile_mean_area_left_mm2"]) == 170 * 3
    assert rows["bare"]["profile_mean_area_mean_mm2"] == ""


def test_columns_follow_what_is_measured():
    plain = [c.name for c in measurement_columns(ExtentRule())]
    muscles = ("maximus", "medius", "minimus")
    wide = [c.name for c in measurement_columns(ExtentRule(muscles=muscles, whole_muscle=True))]
    assert wide[: len(plain)] == plain
    assert len(set(wide)) == len(wide)
    assert {
        "medius_area_left_mm2",
        "minimus_error_bound_right_percent",
        "medius_agreement_left",
        "volume_mean_cm3",
    } <= set(wide)
    assert {"minimus_volume_right_cm3", "length_left_mm"} <= set(wide)
    assert not {n for n in plain if n.startswith(("medius", "minimus", "volume"))}


def test_levels_have_a_row_each_and_say_why_one_is_missing(example, tmp_path):
    level = replace(example.result.level, name="si-joint-end", slice_index=2)
    result = replace(example.result, levels=(level,), levels_missing=(("peak-area", "level-outside: x"),))
    write_tables(tmp_path, [CaseRow(result, "test")], ExtentRule(whole_muscle=True))
    rows = read(tmp_path / "levels.csv")
    assert [(r["level_name"], r["side"], r["area_mm2"], r["reason"]) for r in rows] == [
        ("si-joint-end", "left", "510.0", ""),
        ("si-joint-end", "right", "540.0", ""),
        ("peak-area", "left", "", "level-outside: x"),
        ("peak-area", "right", "", "level-outside: x"),
    ]
    write_tables(tmp_path / "plain", [CaseRow(example.result, "test")])
    assert not (tmp_path / "plain" / "levels.csv").exists()
