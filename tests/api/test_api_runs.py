"""What a programmer does with a run: take a case, follow the progress, and understand what went wrong."""

import inspect
import re

import pandas as pd
import pytest

import glutseg
import made_run
from glutseg.api.words import COMMAND, in_python
from glutseg.errors import GlutsegError, catalogue
from glutseg.image import SIDES


@pytest.fixture
def run(tmp_path):
    cases = [
        made_run.MadeCase("A-1"),
        made_run.MadeCase("A-2", status="failed", error=("hips-not-found", "none")),
    ]
    return glutseg.read_run(made_run.make_run(tmp_path / "out", cases).out)


def test_a_case_by_its_patient_or_its_id(run):
    by_patient = run["A-1"]
    assert by_patient.result == run.results[0]
    assert run[by_patient.result.case_id].result == by_patient.result
    assert by_patient.mask.labels.any()
    assert by_patient.image is None
    assert run["A-2"].mask is None
    assert run["A-2"].status == "failed"
    assert "hips-not-found" in repr(run["A-2"])
    assert run.mask("A-1").geometry.matches(by_patient.mask.geometry)


def test_a_run_is_like_a_dict_of_cases(run):
    assert len(run) == 2
    assert list(run) == [result.case_id for result in run.results]
    assert "A-1" in run
    assert next(iter(run)) in run
    assert "A" not in run
    assert set(run._ipython_key_completions_()) == {"A-1", "A-2", *run}


def test_an_unknown_patient_is_a_key_error_with_similar_ids(run):
    with pytest.raises(KeyError) as caught:
        run["a-1"]
    assert isinstance(caught.value, GlutsegError)
    assert caught.value.code == "case-unknown"
    assert str(caught.value).startswith("case-unknown: the run has no case or patient 'a-1'; similar: A-1")
    with pytest.raises(KeyError, match="there are") as caught:
        run["\x1b[31m nobody"]
    assert "\x1b" not in str(caught.value)


def test_a_patient_with_two_studies_is_ambiguous(truth_rooms, tmp_path):
    image = glutseg.load(truth_rooms.write(tmp_path / "in" / "dicom", patient_id="P-1"))
    from nifti_writer import write_nifti

    write_nifti(tmp_path / "in" / "P-1.nii.gz", image)
    run = glutseg.run_folder(tmp_path / "in", tmp_path / "out", jobs=0)
    with pytest.raises(KeyError) as caught:
        run["P-1"]
    assert caught.value.code == "case-ambiguous"
    for case_id in run:
        assert case_id in str(caught.value)
        assert run[case_id].result.area_mm2("left") > 0


def test_level_and_progress(truth_rooms, tmp_path):
    truth_rooms.write(tmp_path / "in")
    seen = []
    run = glutseg.run_folder(
        tmp_path / "in",
        tmp_path / "out",
        jobs=0,
        level="slice=6",
        progress=lambda done, total, result: seen.append((done, total, result and result.case_id)),
    )
    assert seen == [(0, 1, None), (1, 1, next(iter(run)))]
    assert run.frame().loc[0, ["level_name", "slice_index"]].tolist() == ["slice", 6]
    case = glutseg.measure_study(tmp_path / "in", level="slice=6")
    for side in SIDES:
        assert case.result.area_mm2(side) == run["PHANTOM-0001"].result.area_mm2(side)
    with pytest.raises(GlutsegError, match="no level 'nonsense'"):
        glutseg.run_folder(tmp_path / "in", tmp_path / "other", level="nonsense")


def test_an_error_of_the_progress_stops_the_run(truth_rooms, tmp_path):
    truth_rooms.write(tmp_path / "in")

    def stop(done, total, result):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        glutseg.run_folder(tmp_path / "in", tmp_path / "out", jobs=0, progress=stop)


def test_an_empty_folder_is_an_error_everywhere(tmp_path):
    (tmp_path / "in").mkdir()
    for call in (
        lambda: glutseg.load(tmp_path / "in"),
        lambda: glutseg.measure_study(tmp_path / "in"),
        lambda: glutseg.run_folder(tmp_path / "in", tmp_path / "out"),
        lambda: glutseg.run_folder(tmp_path / "in", tmp_path / "out", jobs=0),
        lambda: glutseg.measure_mask(tmp_path / "in", tmp_path / "mask.nii"),
    ):
        with pytest.raises(GlutsegError, match="no DICOM or NIfTI image was found") as caught:
            call()
        assert caught.value.code == "input-empty"
    assert not (tmp_path / "out").exists()


def test_a_frame_has_the_types_that_its_words_promise(run):
    frame = run.frame()
    assert len(frame) == len(run)
    assert frame.index.tolist() == [0, 1]
    assert frame["area_left_mm2"].dtype == float
    assert frame["slice_index"].dtype == pd.Int64Dtype()
    assert frame["patient_id"].dtype == object
    failed = frame.set_index("patient_id").loc["A-2"]
    assert failed["mask"] is None or pd.isna(failed["mask"])
    assert {"area_left_mm2", "area_mean_per_height_mm2_per_m"} <= set(frame.columns)


@pytest.mark.parametrize(
    ("option", "argument"),
    [
        (
            'add --participants-columns "height_cm=Height (cm)"',
            "add participants_columns={'height_cm': 'Height (cm)'}",
        ),
        (
            "--participants-columns patient_id=ID,height_m=H: x",
            "participants_columns={'patient_id': 'ID', 'height_m': 'H'}: x",
        ),
        ("--label A=left --label 2=right, or", "labels={'A': 'left', '2': 'right'}, or"),
        ("use --level given.", "use level='given'."),
        ("--groups A,B.", "groups=('A', 'B')."),
        ("add --pseudonymise KEYFILE", "add key_file="),
        ("add --accept-unmatched to go on", "add accept_unmatched=True to go on"),
        ("[/data/a--resume/--input] x", "[/data/a--resume/--input] x"),
        ("a - dash -- and 3--4 stay", "a - dash -- and 3--4 stay"),
        ("`glutseg scan --json` lists", "`glutseg scan --json` lists"),
    ],
)
def test_options_become_arguments(option, argument):
    assert in_python(option) == argument


def test_errors_name_arguments_that_exist(run, tmp_path):
    with pytest.raises(GlutsegError) as caught:
        glutseg.run_folder(tmp_path, run.out)
    assert "resume=True" in str(caught.value)
    assert "--" not in str(caught.value)
    assert "overwrite=True" in caught.value.remedy
    known = {
        name
        for function in (getattr(glutseg, name) for name in glutseg.__all__)
        if inspect.isfunction(function)
        for name in inspect.signature(function).parameters
    } | {"accept_unmatched", "lower_hu", "upper_hu", "input"}
    for code, entry in catalogue().items():
        if entry.severity == "error" and not code.startswith("pacs-"):
            named = re.findall(r"\b([a-z_]+)=", in_python(COMMAND.sub("", entry.remedy)))
            assert set(named) <= known, code


def test_the_command_line_keeps_its_options(run, tmp_path):
    from typer.testing import CliRunner

    from glutseg.cli import app

    done = CliRunner().invoke(app, ["run", str(tmp_path), "-o", str(run.out)])
    assert done.exit_code == 1
    assert "--resume" in " ".join(done.output.split())
