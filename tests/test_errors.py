import pickle
import re
from pathlib import Path

import pytest

from glutseg.errors import CODES, Flag, GlutsegError, require_extra

PACKAGE = Path(__file__).parents[1] / "src" / "glutseg"


@pytest.mark.parametrize("code", CODES)
def test_codes_are_stable_names_with_words(code):
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", code)
    assert CODES[code].severity in ("note", "review", "error")
    assert CODES[code].meaning.endswith(".")
    assert CODES[code].remedy.endswith(".")


def test_an_unknown_code_is_a_mistake_of_the_program():
    with pytest.raises(KeyError):
        GlutsegError("no-such-code", "x")
    with pytest.raises(KeyError):
        Flag("no-such-code", "x")


def test_the_message_says_what_where_and_what_to_do():
    text = str(GlutsegError("no-ct", "only MR", "study 1.2.3"))
    assert text == f"no-ct: only MR [study 1.2.3] - {CODES['no-ct'].remedy}"


def test_errors_cross_processes():
    back = pickle.loads(pickle.dumps(GlutsegError("no-ct", "only MR", "here")))  # noqa: S301
    assert (back.code, back.message, back.where) == ("no-ct", "only MR", "here")


def test_flags_name_their_side():
    assert str(Flag("sides-differ", "")) == "sides-differ"
    assert str(Flag("edge-invisible", "", "left")) == "edge-invisible:left"
    assert Flag("metal", "").severity == "note"


def test_every_code_that_is_used_exists():
    used = set()
    for path in PACKAGE.rglob("*.py"):
        used |= set(
            re.findall(r"(?:GlutsegError|Flag)\(\s*\"([a-z0-9-]+)\"", path.read_text(encoding="utf-8"))
        )
    assert used
    assert used <= set(CODES)


def test_an_extra_that_is_missing_is_named_with_its_remedy():
    require_extra("study", "json", "csv")
    with pytest.raises(GlutsegError) as caught:
        require_extra("study", "json", "no_such_module_a", "no_such_module_b")
    assert caught.value.code == "extra-missing"
    assert caught.value.message == (
        "no_such_module_a, no_such_module_b not installed; pip install 'glutseg[study]'"
    )
