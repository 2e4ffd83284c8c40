"""Every bad input is an error that names file, row and column; nobody is lost without a word."""

import unicodedata

import pytest
from study_maker import HEADER, made_cases, make, table_rows, write_table

from glutseg.errors import GlutsegError
from glutseg.output.pseudonym import pseudonymiser
from glutseg.study.analysis import study_run
from glutseg.study.sample import Question
from glutseg.study.table import read_study_table
from run_maker import MadeCase, make_run


def refused(made, code, *words, **asked):
    with pytest.raises(GlutsegError) as caught:
        made.study(**asked)
    assert caught.value.code == code
    for word in words:
        assert word in str(caught.value)


def changed(tmp_path, change, header=HEADER):
    cases = made_cases()
    rows = [list(r) for r in table_rows(cases)]
    change(rows)
    made = make(tmp_path, cases, rows)
    write_table(made.table, rows, header)
    return made


@pytest.mark.parametrize(
    ("asked", "word"),
    [({"covariates": ("weight",)}, "weight"), ({"correlates": ("Wisits",)}, "Wisits")],
)
def test_unknown_columns(tmp_path, asked, word):
    made = make(tmp_path)
    refused(made, "participants-invalid", word, "'visits'", "participants.csv", **asked)
    with pytest.raises(GlutsegError, match=r"no column 'grp'.*participants\.csv"):
        study_run(made.out, made.table, Question("grp"))
    refused(made, "value-unknown", "area_middle", "area_mean_mm2", value="area_middle_mm2")
    refused(made, "value-unknown", "kernel", value="kernel")


def test_capitals_of_a_column_do_not_matter(tmp_path):
    assert make(tmp_path).study(covariates=("AGE_years",)).sample.numbers == ("age_years",)


def test_text_in_number_columns(tmp_path):
    def change(rows):
        rows[3][2] = "fifty"
        rows[5][3] = "NA"

    made = changed(tmp_path, change)
    refused(made, "participants-invalid", "row 5", "'age_years'", "'fifty'", covariates=("age_years",))
    refused(made, "participants-invalid", "row 5", "'age_years'", "n/a", covariates=("age_years",))
    assert made.study(correlates=("visits",)).sample.frame["visits"].isna().sum() == 1


def test_decimal_commas_are_numbers(tmp_path):
    made = make(tmp_path)
    text = "\n".join(
        ";".join(map(str, r)) for r in (HEADER, *((*r[:2], f"{r[2]},5", *r[3:]) for r in made.rows))
    )
    made.table.write_text(text, encoding="utf-8")
    assert made.study(covariates=("age_years",)).sample.frame["age_years"].iloc[0] == made.rows[0][2] + 0.5


def test_one_group_only(tmp_path):
    def change(rows):
        for row in rows:
            row[1] = "control"

    made = changed(tmp_path, change)
    refused(made, "groups-invalid", "only one group", "'control'", "participants.csv", "'group'")


def test_more_groups_need_two_to_be_named(tmp_path):
    def change(rows):
        rows[0][1] = rows[1][1] = "athlete"
        rows[2][1] = ""

    made = changed(tmp_path, change)
    refused(made, "groups-invalid", "3 groups", "athlete")
    study = made.study(groups=("control", "back-pain"))
    assert (study.sample.other_groups, study.sample.no_group) == ((("athlete", 2),), ("A-02",))
    assert study.comparison.n_first == 5
    refused(made, "groups-invalid", "'nobody'", groups=("control", "nobody"))
    refused(made, "groups-invalid", "different", groups=("control", "control"))


def test_the_order_of_the_groups_turns_the_sign(tmp_path):
    made = make(tmp_path)
    one, other = (made.study(groups=g) for g in (("control", "back-pain"), ("back-pain", "control")))
    assert one.comparison.welch.difference == -other.comparison.welch.difference > 0
    assert made.study().sample.groups == ("back-pain", "control")


def test_two_values_of_one_patient(tmp_path):
    cases = made_cases()
    again = MadeCase("A-00", 3000.0, 3100.0, study_uid="9.9.9")
    made = make(tmp_path, [*cases, again], table_rows(cases))
    refused(made, "patient-repeated", "row 2", "A-00-999", "participants.csv")
    failed = make(tmp_path / "b", [*cases, MadeCase("A-00", None, study_uid="9.9.9")], table_rows(cases))
    study = failed.study()
    assert study.join.failed == ("A-00-999",)
    assert len(study.sample.frame) == 17


def test_which_study_counts_is_said_by_case_id(tmp_path):
    cases = made_cases()
    again = MadeCase("A-00", 3000.0, 3100.0, study_uid="9.9.9")
    made = make(tmp_path, [*cases, again], table_rows(cases))
    ids = {
        p.case.result.patient_id: p.case.result.case_id
        for p in make(tmp_path / "b", cases).study().join.patients
    }
    rows = [(ids[r[0]] if r[0] != "A-00" else "A-00-999", *r[1:]) for r in made.rows]
    write_table(made.table, rows, ("case_id", *HEADER[1:]))
    study = made.study()
    assert study.sample.frame["case_id"].tolist().count("A-00-999") == 1
    assert study.join.only_run == (ids["A-00"],)
    write_table(made.table, [*rows, (ids["A-00"], *rows[0][1:])], ("case_id", *HEADER[1:]))
    refused(made, "patient-repeated", "row 2 and 19", "case_id")


def test_a_patient_listed_twice(tmp_path):
    made = changed(tmp_path, lambda rows: rows.append([*rows[0][:3], 77, *rows[0][4:]]))
    refused(made, "participants-invalid", "rows 2 and 19", "differ in 'visits'", "participants.csv")
    twice = changed(tmp_path / "b", lambda rows: rows.append(rows[0]))
    assert len(twice.study().sample.frame) == 17


def test_ids_that_do_not_match_are_listed_on_both_sides(tmp_path):
    def change(rows):
        rows[0][0] = "Z-99"

    study = changed(tmp_path, change).study()
    assert (study.join.only_table, study.join.only_run) == (("Z-99",), ("A-00",))
    assert len(study.sample.frame) == 16

    def all_wrong(rows):
        for row in rows:
            row[0] = f"X{row[0]}"

    wrong = changed(tmp_path / "b", all_wrong)
    refused(wrong, "participants-mismatch", "none of the 17 ids", "row 2 'XA-00'", "in the run: 'A-00'")
    with pytest.raises(GlutsegError, match="no patient_id of the 17 rows"):
        study_run(wrong.out, wrong.table, Question("group"), accept_unmatched=True)


def test_ids_that_are_written_differently_stop_a_study(tmp_path):
    def change(rows):
        rows[0][0] = "a-00"

    made = changed(tmp_path, change)
    refused(made, "participants-mismatch", "row 2 'a-00' and 'A-00' (capitals differ)", "--accept-unmatched")
    study = study_run(made.out, made.table, Question("group"), accept_unmatched=True)
    assert (study.join.only_table, study.join.only_run) == (("a-00",), ("A-00",))


def test_studies_that_are_not_done_are_told(tmp_path):
    made = make(tmp_path)
    make_run(made.out, made.cases, waiting=["LATE-1"])
    assert made.study().join.waiting == ("LATE-1",)


def test_too_few_patients(tmp_path):
    made = make(tmp_path, made_cases(2, 5))
    refused(made, "study-too-small", "2 in 'control'", "at least 3", "participants.csv, column 'group'")


def test_without_heights_it_says_what_is_missing(tmp_path):
    cases = [MadeCase(c.patient_id, c.left_mm2, c.right_mm2, None) for c in made_cases()]
    made = make(tmp_path, cases)
    refused(made, "study-too-small", "17 patients have no area_mean_per_height_mm2_per_m")
    assert made.study(value="area_mean_mm2").comparison.n_first == 9


def test_the_same_value_everywhere(tmp_path):
    made = make(tmp_path, [MadeCase(c.patient_id) for c in made_cases()])
    refused(made, "value-constant", "back-pain")


def test_a_column_cannot_be_two_things(tmp_path):
    made = make(tmp_path)
    refused(made, "participants-invalid", "the group's", covariates=("group",))
    header = ("patient_id", "group", "age_years", "visits", "value")
    write_table(made.table, made.rows, header)
    refused(made, "participants-invalid", "'value'", "rename", covariates=("value",))


def test_free_text_is_no_category(tmp_path):
    def change(rows):
        for i, row in enumerate(rows):
            row[4] = f"note {i}"

    refused(changed(tmp_path, change), "participants-invalid", "17 different words", covariates=("sex",))


def test_a_table_without_ids_or_with_a_broken_line(tmp_path):
    made = make(tmp_path)
    write_table(made.table, made.rows, ("name", *HEADER[1:]))
    refused(made, "participants-invalid", "'patient_id'")
    ids = {"patient_id": "name"}
    assert len(study_run(made.out, made.table, Question("group"), ids=ids).sample.frame) == 17
    write_table(made.table, [*made.rows, ("A-99", "control")])
    refused(made, "participants-invalid", "row 19 has 2 cells")
    with pytest.raises(GlutsegError, match=r"cannot be read.*missing\.csv"):
        read_study_table(tmp_path / "missing.csv")


def test_hostile_text_of_the_table_never_reaches_a_terminal(tmp_path):
    made = changed(tmp_path, lambda rows: rows[3].__setitem__(2, "5\x1b[31m0"))
    with pytest.raises(GlutsegError) as caught:
        made.study(covariates=("age_years",))
    assert "\x1b" not in str(caught.value)


def test_pseudonyms_need_the_run_s_key(tmp_path):
    key = pseudonymiser(tmp_path / "key", tmp_path / "out")
    cases = made_cases()
    hidden = [
        MadeCase(key.patient(c.patient_id), c.left_mm2, c.right_mm2, c.height_m, status=c.status)
        for c in cases
    ]
    made = make(tmp_path / "run", hidden, table_rows(cases), key_check=key.check)
    with pytest.raises(GlutsegError, match="the run has pseudonyms"):
        study_run(made.out, made.table, Question("group"))
    study = study_run(made.out, made.table, Question("group"), pseudonyms=key)
    assert len(study.sample.frame) == 17
    assert study.sample.frame["patient_id"].str.startswith("ps-").all()
    other = pseudonymiser(tmp_path / "other", tmp_path / "out")
    with pytest.raises(GlutsegError, match="with another key"):
        study_run(made.out, made.table, Question("group"), pseudonyms=other)
    plain = make(tmp_path / "plain")
    with pytest.raises(GlutsegError, match="without pseudonyms"):
        study_run(plain.out, plain.table, Question("group"), pseudonyms=key)


@pytest.mark.parametrize("forms", [("NFD", "NFC"), ("NFC", "NFD"), ("NFD", "NFD")])
def test_groups_in_decomposed_unicode_are_the_same_groups(tmp_path, forms):
    """As the keyboards and file systems of some computers write an umlaut: in the table or in the command."""
    in_table, in_command = forms

    def change(rows):
        for k, row in enumerate(rows):
            row[1] = "Ältere"
            if k % 2:
                row[1] = unicodedata.normalize(in_table, "Jüngere")

    made = changed(tmp_path, change)
    groups = tuple(unicodedata.normalize(in_command, g) for g in ("Jüngere", "Ältere"))
    assert made.study(groups=groups).sample.groups == ("Jüngere", "Ältere")
    assert made.study().sample.groups == ("Jüngere", "Ältere")
