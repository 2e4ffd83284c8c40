"""The keys of a protocol's file as Markdown tables, from the models that check it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from glutseg.protocol import Protocol
from glutseg.settings import METHOD, Method, Settings

LIMITS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<", "maxLength": "≤"}
TYPES = {"number": "number", "integer": "whole number", "string": "text", "boolean": "true or false"}


def protocol_tables() -> str:
    """A table of the keys at the top of the file, and one for each of its sections."""
    schema = Protocol.model_json_schema()
    sections = {
        name: schema["$defs"][key["$ref"].rpartition("/")[2]]
        for name, key in schema["properties"].items()
        if "$ref" in key and name != "method"
    }
    top = {name: key for name, key in schema["properties"].items() if "$ref" not in key}
    parts = ["## At the top\n", _table(top, schema.get("required", ()))]
    for name, section in sections.items():
        parts += [f"\n## `[{name}]`\n", f"{_line(section['description'])}\n", _table(section["properties"])]
    return "\n".join(parts)


def settings_tables() -> str:
    """A table for each section of the method's settings."""
    definitions = Method.model_json_schema()["$defs"]
    parts: list[str] = []
    for name in Method.model_fields:
        parts += _settings_table(f"method.{name}", getattr(METHOD, name), definitions)
    return "\n".join(parts)


def _settings_table(name: str, settings: Settings, definitions: Mapping[str, Any]) -> list[str]:
    """The table of one section, and those of the sections within it."""
    definition = definitions[type(settings).__name__]
    rows, within = [], []
    for key, schema in definition["properties"].items():
        default = getattr(settings, key)
        if isinstance(default, Settings) and isinstance(next(iter(dict(default).values())), Settings):
            within += _settings_table(f"{name}.{key}", default, definitions)
            continue
        kind = "table" if isinstance(default, Settings) else _kind(schema)
        rows.append(f"| `{key}` | {kind} | {_shown(default)} | {_line(schema.get('description', ''))} |")
    head = [f"\n## `[{name}]`\n", f"{_line(definition['description'])}\n"]
    return [*head, "| key | value | default | meaning |", "|---|---|---|---|", *rows, *within]


def _shown(value: Any) -> str:
    if isinstance(value, Settings):
        return ", ".join(f"{key} {_shown(item)}" for key, item in value if item is not None)
    return f"`{json.dumps(value)}`"


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
            kinds = [_kind(item) for item in key["prefixItems"]]
            if len(set(kinds)) == 1 and "," in kinds[0]:
                return f"[low, high], each a {kinds[0]}"
            return f"[{', '.join(kinds)}]"
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
