"""Write the reference of the command line from the commands."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from types import NoneType
from typing import Any, get_args, get_type_hints

import typer

from glutseg.cli.examples import EXAMPLES
from glutseg.cli.frame import app
from glutseg.output.documents import Sections

TYPE_WORDS = {"Path": "PATH", "int": "INTEGER", "float": "NUMBER", "str": "TEXT"}


def commands_reference() -> str:
    """Return all commands with their arguments and options as Markdown."""
    return "\n".join(_describe("glutseg", typer.main.get_command(app))).rstrip()


def _describe(path: str, group: Any) -> Iterator[str]:
    for name in group.list_commands(None):
        command = group.commands[name]
        if hasattr(command, "commands"):
            yield from _describe(f"{path} {name}", command)
            continue
        types = get_type_hints(command.callback)
        yield f"## {path} {name}\n"
        yield f"{command.help}\n"
        yield f"```text\n{' '.join([path, name, '[OPTIONS]', *_arguments(command.params)])}\n```\n"
        yield "| argument or option | value | meaning | default |\n|---|---|---|---|"
        yield from (_row(parameter, types[parameter.name]) for parameter in command.params)
        yield "\n".join(["", "```text", *EXAMPLES[name], "```", ""])


def _arguments(parameters: list[Any]) -> Iterator[str]:
    for parameter in parameters:
        if not parameter.opts[0].startswith("-"):
            metavar = (parameter.metavar or parameter.name).upper()
            yield metavar if parameter.required else f"[{metavar}]"


def _row(parameter: Any, kind: Any) -> str:
    is_option = parameter.opts[0].startswith("-")
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    if not is_option:
        names = f"`{(parameter.metavar or parameter.name).upper()}`"
    is_switch = getattr(parameter, "is_flag", False)
    value = f"`{_value(parameter, kind)}`" if is_option and not is_switch else ""
    cells = [names, value, parameter.help or "", _default(parameter, is_switch=is_switch)]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _value(parameter: Any, kind: Any) -> str:
    inner = next((of for of in get_args(kind) if of is not NoneType), kind)
    inner = next(iter(get_args(inner)), inner)
    if isinstance(inner, type) and issubclass(inner, Enum):
        return "|".join(str(member.value) for member in inner)
    return str(parameter.metavar or TYPE_WORDS.get(inner.__name__, inner.__name__.upper()))


def _default(parameter: Any, *, is_switch: bool) -> str:
    if parameter.required:
        return "required"
    if parameter.secondary_opts:
        return f"`{(parameter.opts if parameter.default else parameter.secondary_opts)[0]}`"
    if is_switch or parameter.default in (None, "", [], ()):
        return ""
    shown = parameter.default.value if isinstance(parameter.default, Enum) else parameter.default
    variable = f", or `${parameter.envvar}`" if parameter.envvar else ""
    return f"`{shown}`{variable}"


CLI_PAGES: dict[str, Sections] = {"reference/cli.md": {"commands": commands_reference}}
