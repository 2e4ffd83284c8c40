"""JSON records that somebody changed, damaged or replaced."""

import json
import os

import pytest

from glutseg.output.decode import from_json
from glutseg.output.json_file import read_json


@pytest.mark.parametrize("text", ["[" * 200_000, "[" * 200_000 + "]" * 200_000, "", "{", "\xff"])
def test_what_is_no_json_is_a_value_error(tmp_path, text):
    path = tmp_path / "case.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ValueError):  # noqa: PT011 - json and glutseg word it differently
        read_json(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "case.json")
    with pytest.raises(ValueError, match="no plain file"):
        read_json(tmp_path / "case.json")


def test_a_file_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "case.json")


@pytest.mark.parametrize("number", ["Infinity", "-Infinity", "NaN", "1e999"])
def test_a_number_that_is_not_finite_is_no_measurement(tmp_path, number):
    path = tmp_path / "case.json"
    path.write_text(number)
    with pytest.raises(ValueError, match="not JSON compliant"):
        from_json(float, read_json(path))
    assert from_json(float, json.loads("1e99")) == 1e99
