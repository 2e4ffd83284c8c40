"""The keys of a protocol's file as Markdown tables, from the models that check it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from glutseg.protocol import Protocol

LIMITS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<", "maxLength": "≤"}
TYPES = {"number": "number", "integer": "whole number", "string": "text", "boolean": "true or false"}


def protocol_tables() -> str:
    """A table of the keys at the top of the file, and one for each of its sections."""
    schema = Protocol.model_json_schema()
    sections = {
        name: schema["$defs"][key["$ref"].rpartition("/")[2]]
        for name, key in schema["properties"].items()
        if "$ref" in key
    }
    top = {name: key for name, key in schema["properties"].items() if name not in sections}
    parts = ["## At the top\n", _table(top, schema.get("required", ()))]
    for name, section in sections.items():
        parts += [f"\n## `[{name}]`\n", f"{_line(section['description'])}\n", _table(section["properties"])]
    return "\n".join(parts)


def _table(keys: Mapping[str, Any], required: tuple[str, ...] = ()) -> str:
    rows = [
        f"| `{name}` | {_kind(key)} | {_default(name, key, required)} | {_line(key.get('description', ''))} |"
        for name, key in keys.items()
    ]
    return "\n".join(["| key | value | default | meaning |", "|---|---|---|---|", *rows])


def _kind(key: Mapping[str, Any]) -> str:
    """What may stand there."""
    if "anyOf" in key:
        return next(_kind(choice) for choice in key["anyOf"] if choice.get("type") != "null")
    if "enum" in key:
        return ", ".join(f"`{word}`" for word in key["enum"])
    if key["type"] == "array":
        if "prefixItems" in key:
            return f"[{', '.join(_kind(item) for item in key['prefixItems'])}]"
        return f"list of {_kind(key['items'])}"
    units = " characters" if key["type"] == "string" else ""
    limits = [f"{sign} {key[word]:g}{units}" for word, sign in LIMITS.items() if word in key]
    return ", ".join([TYPES[key["type"]], *limits])


def _default(name: str, key: Mapping[str, Any], required: tuple[str, ...]) -> str:
    if name in required:
        return "required"
    default = key.get("default")
    return "" if default in (None, "", []) else f"`{json.dumps(default)}`"


def _line(text: str) -> str:
    return " ".join(text.replace("``", "`").split())
