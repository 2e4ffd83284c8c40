"""Dataclasses read back from JSON, checked by pydantic."""

from __future__ import annotations

import json
import math
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import SchemaValidator, core_schema


def from_json(kind: Any, value: Any) -> Any:
    """A JSON value as ``kind``: a dataclass or any other type that pydantic knows, nested at will.

    Types are strict (no bool for an int, no text for a number). A null where a float belongs is NaN, as
    `glutseg.output.case_files.to_json` writes it. Keys that are no field are ignored; a field that is
    missing must have a default.

    Raises
    ------
    ValueError
        When the value does not have the shape of ``kind``, or holds a number that is not finite.
    """
    return _validator(kind).validate_json(json.dumps(value, allow_nan=False), strict=True)


@cache
def _validator(kind: Any) -> SchemaValidator:
    return SchemaValidator(_with_nan_for_null(TypeAdapter(kind).core_schema))


def _with_nan_for_null(schema: Any) -> Any:
    """The schema in which every float also takes a null; an optional float still reads it as None."""
    if isinstance(schema, list):
        return [_with_nan_for_null(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: _with_nan_for_null(item) for key, item in schema.items()}
    if inner.get("type") == "float":
        return core_schema.no_info_before_validator_function(_nan_for_null, inner)
    return inner


def _nan_for_null(value: Any) -> Any:
    return math.nan if value is None else value
