import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

from glutseg.batch.process import WorkerDiedError
from glutseg.errors import Code, Flag, GlutsegError, catalogue, require_extra
from glutseg.installation import install_command

PACKAGE = Path(__file__).parents[1] / "src" / "glutseg"


@pytest.mark.parametrize("code", catalogue())
def test_codes_are_stable_names(code):
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", code)


ENTRY = {"section": "Input", "severity": "review", "meaning": "It is so.", "remedy": "Look."}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"severity": "warning"}, "severity"),
        ({"meaning": "no sentence"}, "sentences"),
        ({"remedy": ""}, "sentences"),
        ({"scope": "series", "precedence": 1}, "only an error"),
        ({"severity": "error", "scope": "series"}, "precedence"),
        ({"severity": "error", "precedence": 1}, "precedence"),
    ],
)
def test_an_entry_that_contradicts_itself_is_refused(change, words):
    Code(**ENTRY)
    with pytest.raises(ValueError, match=words):
        Code(**(ENTRY | change))


def test_an_entry_is_complete():
    with pytest.raises(TypeError):
        Code(**{name: value for name, value in ENTRY.items() if name != "remedy"})
    with pytest.raises(TypeError):
        Code(**ENTRY, remark="x")


def test_the_catalogue_is_read_when_it_is_needed():
    script = "import glutseg.errors as e; print(e.catalogue.cache_info().currsize)"
    shown = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "0"


def test_an_unknown_code_is_a_mistake_of_the_program():
    with pytest.raises(ValueError, match="no-such-code"):
        GlutsegError("no-such-code", "x")
    with pytest.raises(ValueError, match="no-such-code"):
        Flag("no-such-code", "x")


@pytest.mark.parametrize("code", catalogue())
def test_a_code_is_that_of_an_error_or_of_a_flag(code):
    allowed, refused = (GlutsegError, Flag) if catalogue()[code].severity == "error" else (Flag, GlutsegError)
    assert allowed(code, "x").remedy == catalogue()[code].remedy
    with pytest.raises(ValueError, match=code):
        refused(code, "x")


def test_errors_tell_what_cannot_go_on():
    assert [GlutsegError(code, "").scope for code in ("hips-not-found", "no-ct", "output-unwritable")] == [
        "series",
        "study",
        "run",
    ]
    order = ("landmark-not-found", "level-in-gap", "level-outside", "hips-not-found", "no-pixel-data")
    assert sorted(order, key=lambda code: GlutsegError(code, "").precedence) == list(order)


def test_the_message_says_what_where_and_what_to_do():
    text = str(GlutsegError("no-ct", "only MR", "study 1.2.3"))
    assert text == f"no-ct: only MR [study 1.2.3] - {catalogue()['no-ct'].remedy}"


def test_errors_cross_processes():
    sent = WorkerDiedError("worker-died", "SIGKILL", "here")
    back = pickle.loads(pickle.dumps(sent))  # noqa: S301
    assert (type(back), back.code, back.message, back.where) == (
        WorkerDiedError,
        "worker-died",
        "SIGKILL",
        "here",
    )


def test_an_error_found_elsewhere_stays_of_its_kind():
    moved = WorkerDiedError("worker-died", "SIGKILL", "here").at("there")
    assert (type(moved), moved.message, moved.where) == (WorkerDiedError, "SIGKILL", "there")


def test_flags_name_their_side():
    assert str(Flag("sides-differ", "")) == "sides-differ"
    assert str(Flag("outline-uncertain", "", "left")) == "outline-uncertain:left"
    assert Flag("metal", "").severity == "note"


def test_every_code_that_is_used_exists():
    used = {True: set(), False: set()}
    for path in PACKAGE.rglob("*.py"):
        found = re.findall(
            r"(\w+Error|Flag)\(\s*\"([a-z0-9]+(?:-[a-z0-9]+)+)\"", path.read_text(encoding="utf-8")
        )
        for kind, code in found:
            used[kind == "Flag"].add(code)
    assert all(used.values())
    for is_flag, codes in used.items():
        assert not {code for code in codes if (catalogue()[code].severity == "error") is is_flag}


def test_an_extra_that_is_missing_is_named_with_its_remedy():
    require_extra("study", "json", "csv")
    with pytest.raises(GlutsegError) as caught:
        require_extra("study", "json", "no_such_module_a", "no_such_module_b")
    assert caught.value.code == "extra-missing"
    assert caught.value.message == (
        f"no_such_module_a, no_such_module_b are not installed; the command is: {install_command('study')}"
    )
