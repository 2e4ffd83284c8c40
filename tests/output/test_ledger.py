import dataclasses
import json
import math
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import PydanticUserError

from glutseg.image import Mask
from glutseg.output.case_files import OWN_FORM, write_case
from glutseg.output.decode import from_json
from glutseg.output.ledger import read_case
from glutseg.protocol import Protocol
from glutseg.result import CaseResult, Level

PROTOCOL = Protocol(name="test")


def test_a_row_comes_back_as_it_was(example, tmp_path):
    case_id = example.result.case_id
    row = write_case(tmp_path, example.result, PROTOCOL, example.volume, example.mask, "digest")
    entry = read_case(tmp_path, case_id)
    assert entry.input_sha256 == "digest"
    assert entry.row == dataclasses.replace(row, result=dataclasses.replace(row.result, seconds={}))


def test_a_failure_and_unknown_figures_come_back(example, tmp_path):
    left = example.result.muscle("left")
    nan = dataclasses.replace(left.measurement, lean_mean_hu=math.nan)
    result = dataclasses.replace(
        example.result,
        status="failed",
        error_code="no-ct",
        error_message="only MR",
        muscles=(dataclasses.replace(left, measurement=nan),),
        level=None,
    )
    write_case(tmp_path, result, PROTOCOL)
    back = read_case(tmp_path, result.case_id).row.result
    assert math.isnan(back.measurement("left").lean_mean_hu)
    assert (back.status, back.error_code, back.error_message, back.level) == (
        "failed",
        "no-ct",
        "only MR",
        None,
    )


def test_every_field_of_a_result_is_in_the_ledger(example, tmp_path):
    """A field that case.json forgot would be an empty column in every table."""
    write_case(tmp_path, example.result, PROTOCOL)
    path = tmp_path / "cases" / example.result.case_id / "case.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    for field in dataclasses.fields(CaseResult):
        assert field.name in record or field.name in OWN_FORM, field.name


@pytest.mark.parametrize("key", ["case_id", "status", "mask", "profile", "error", "input_sha256"])
def test_a_record_that_lacks_or_bends_something_counts_as_none(example, tmp_path, key):
    case_id = example.result.case_id
    write_case(tmp_path, example.result, PROTOCOL)
    path = tmp_path / "cases" / case_id / "case.json"
    whole = json.loads(path.read_text(encoding="utf-8"))
    for record in ({**whole, key: 7}, {k: v for k, v in whole.items() if k != key}, [], 7):
        path.write_text(json.dumps(record), encoding="utf-8")
        assert read_case(tmp_path, case_id) is None
    assert read_case(tmp_path, "none-0") is None


Shape = dict[Literal["left", "right"], tuple[tuple[float, ...], tuple[str, int], bool | None]]


@given(
    st.dictionaries(
        st.sampled_from(["left", "right"]),
        st.tuples(
            st.lists(st.floats(allow_nan=False, allow_infinity=False)).map(tuple),
            st.tuples(st.text(), st.integers()),
            st.none() | st.booleans(),
        ),
    )
)
def test_any_shape_survives_json(value):
    assert from_json(Shape, json.loads(json.dumps(value))) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (float, "1"),
        (float, True),
        (int, 1.0),
        (str, None),
        (Literal["a"], "b"),
        (tuple[int, int], [1]),
        (dict[str, int], []),
    ],
)
def test_other_shapes_are_refused(kind, value):
    with pytest.raises(ValueError, match=r"Input should be (a|an|'a')|Field required"):
        from_json(kind, value)


def test_a_null_is_an_unknown_figure_but_an_optional_one_stays_none():
    assert math.isnan(from_json(float, None))
    assert from_json(float | None, None) is None
    figures, optional = from_json(
        tuple[dict[str, float], dict[str, float | None]], [{"a": None}, {"a": None}]
    )
    assert math.isnan(figures["a"])
    assert optional["a"] is None


def test_keys_that_are_no_field_are_ignored_and_a_missing_field_is_told():
    record = {"name": "x", "slice_index": 3, "z_mm": 1, "unheard": {"of": 1}}
    assert from_json(Level, record) == Level("x", 3, 1.0)
    with pytest.raises(ValueError, match="Field required"):
        from_json(Level, {"name": "x", "slice_index": 3})


def test_a_type_that_cannot_be_read_is_a_mistake_of_the_program():
    with pytest.raises(PydanticUserError):
        from_json(Mask, [1])
