import pytest

from glutseg.agreement import AGREEMENT, agree
from glutseg.errors import GlutsegError
from made_run import make_run, some_cases


def test_without_matplotlib_nothing_is_written_and_the_extra_is_named(tmp_path, monkeypatch):
    out = make_run(tmp_path / "out", some_cases(3)).out
    monkeypatch.setattr("glutseg.errors.find_spec", lambda name: None)
    with pytest.raises(GlutsegError, match=r"extra-missing: matplotlib.*\[study\]"):
        agree(out, [str(out)])
    assert not (out / AGREEMENT).exists()
