"""A run of another version is refused by everything that opens a run, and can be replaced."""

import json

import pytest

import glutseg
from glutseg import agreement, review
from glutseg.batch.images import find_images
from glutseg.batch.plan import RunContext
from glutseg.batch.resume import check_same_run
from glutseg.batch.status import read_status
from glutseg.errors import GlutsegError
from glutseg.exchange.export import export
from glutseg.output.folder import RECORD_FORMAT, prepare, run_record
from glutseg.report import write_report
from glutseg.review.collate import run_protocol
from glutseg.study import read_run
from made_run import PROTOCOL, make_run, some_cases

CASES = some_cases(2)
DOORS = {
    "status": read_status,
    "report": write_report,
    "study": read_run,
    "agree": lambda out: agreement.agree(out, ["reviewer:Ann"]),
    "agree with it": lambda out: agreement.agree(make_run(out.parent / "new", CASES).out, [str(out)]),
    "collate": lambda out: review.Collator(out).collate(),
    "review": run_protocol,
    "accept": lambda out: review.accept(out, CASES[0].case_id, "Ann"),
    "images": find_images,
    "export": lambda out: export(out, ["nifti"]),
    "python": glutseg.read_run,
    "resume": lambda out: check_same_run([], RunContext(out, PROTOCOL)),
}


def as_first_version(out):
    """What version 0.1 left: no format in run.json, and other fields in the cases' records."""
    path = out / "run.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    del record["record_format"]
    path.write_text(json.dumps({**record, "glutseg_version": "0.1.0"}), encoding="utf-8")
    for case in (out / "cases").glob("*/case.json"):
        fields = json.loads(case.read_text(encoding="utf-8"))
        del fields["muscles"]
        case.write_text(json.dumps({**fields, "measurements": {}}), encoding="utf-8")
    return out


@pytest.mark.parametrize("door", DOORS)
def test_a_run_of_the_first_version_is_refused_in_one_sentence(door, tmp_path):
    out = as_first_version(make_run(tmp_path / "out", CASES).out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(GlutsegError) as caught:
        DOORS[door](out)
    assert caught.value.code == "run-other-version"
    assert "made by glutseg 0.1.0" in caught.value.message
    assert "measure again" in caught.value.message
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("number", [None, 1, 2, RECORD_FORMAT + 1, str(RECORD_FORMAT)])
def test_other_formats_are_refused_and_the_own_is_not(number, tmp_path):
    out = make_run(tmp_path / "out", CASES).out
    record = run_record(out)
    assert record["record_format"] == RECORD_FORMAT
    (out / "run.json").write_text(json.dumps({**record, "record_format": number}), encoding="utf-8")
    with pytest.raises(GlutsegError, match="run-other-version"):
        run_record(out)


def test_a_run_of_the_first_version_can_be_replaced(tmp_path):
    out = as_first_version(make_run(tmp_path / "out", CASES).out)
    prepare(out, overwrite=True)
    assert not list(out.iterdir())
