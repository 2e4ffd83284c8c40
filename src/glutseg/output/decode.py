"""From the values of a JSON file back to the frozen dataclasses they were written from."""

from __future__ import annotations

import dataclasses
import math
import types
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


def from_json(kind: Any, value: Any) -> Any:
    """``value`` as ``kind``: a dataclass, dict, tuple, Literal, optional or plain type, nested at will.

    A null where a float belongs is NaN, as `glutseg.output.case_files.to_json` writes it.

    Raises
    ------
    ValueError
        When the value does not have the shape of ``kind``.
    TypeError
        For a kind that this cannot read.
    """
    if kind is float:
        return math.nan if value is None else float(_checked(value, (int, float), kind))
    if kind in (str, int, bool):
        return _checked(value, (kind,), kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _dataclass(kind, value)
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        if value not in parts:
            msg = f"{value!r} is none of {parts}"
            raise ValueError(msg)
        return value
    if origin in (Union, types.UnionType) and type(None) in parts and len(parts) == 2:
        return None if value is None else from_json(next(p for p in parts if p is not type(None)), value)
    if origin is dict:
        pairs = _checked(value, (dict,), kind).items()
        return {from_json(parts[0], key): from_json(parts[1], item) for key, item in pairs}
    if origin is tuple:
        return _tuple(parts, _checked(value, (list,), kind), kind)
    msg = f"cannot read {kind}"
    raise TypeError(msg)


def _checked(value: Any, allowed: tuple[type, ...], kind: Any) -> Any:
    if not isinstance(value, allowed) or (isinstance(value, bool) and kind is not bool):
        msg = f"expected {kind}, got {type(value).__name__}"
        raise ValueError(msg)
    return value


def _tuple(parts: tuple[Any, ...], value: list[Any], kind: Any) -> tuple[Any, ...]:
    kinds = [parts[0]] * len(value) if parts[-1] is Ellipsis else list(parts)
    if len(kinds) != len(value):
        msg = f"expected {kind}, got {len(value)} items"
        raise ValueError(msg)
    return tuple(from_json(k, item) for k, item in zip(kinds, value, strict=True))


@cache
def _fields(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {f.name: hints[f.name] for f in dataclasses.fields(kind)}


def _dataclass(kind: type, value: Any) -> Any:
    """Keys that are no field are left alone; a field that is not there must have a default."""
    given = _checked(value, (dict,), kind)
    fields = _fields(kind)
    try:
        return kind(**{name: from_json(hint, given[name]) for name, hint in fields.items() if name in given})
    except (TypeError, KeyError) as error:
        msg = f"not a {kind.__name__}: {error}"
        raise ValueError(msg) from error
