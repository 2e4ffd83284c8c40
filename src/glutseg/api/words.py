"""Errors in the words of Python: the catalogue names the options of the command line."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from glutseg.errors import GlutsegError

Given = ParamSpec("Given")
Returned = TypeVar("Returned")

ARGUMENTS = {
    "accept-unmatched": "accept_unmatched=True",
    "input": "input=",
    "keep-reviews": "keep_reviews=True",
    "lower": "lower_hu=",
    "overwrite": "overwrite=True",
    "pseudonymise": "key_file=",
    "resume": "resume=True",
    "upper": "upper_hu=",
}
"""Options whose argument is not named like them."""
MAPPINGS = {"label": "labels", "participants-columns": "participants_columns"}
"""Options that take NAME=VALUE, where Python takes a dict."""
VALUE = r"\"[^\"]*\"|'[^']*'"
PAIR = r"[^\s=,]+=[^\s,;:.]+"
PAIRS = rf"{PAIR}(?:,{PAIR})*"
START = r"(?<![\w/.\\-])--"
"""Of an option; two dashes within a word or a path are none."""
MAPPING = re.compile(rf"{START}({'|'.join(MAPPINGS)}) ({VALUE}|{PAIRS})((?: --\1 (?:{VALUE}|{PAIRS}))*)")
WITH_VALUE = re.compile(rf"{START}(groups|labels|level) ({VALUE}|[\w=.,-]*\w)")
RETRY = re.compile(r"--retry failed")
OPTION = re.compile(rf"{START}([a-z][a-z-]*[a-z])(?: [A-Z]{{2,}}\b)?")
COMMAND = re.compile(r"(`(?:glutseg|python) [^`]*`)")
"""A command for the shell stays one."""


def in_python(text: str) -> str:
    """Return a message with the arguments of Python in place of the options of the command line.

    >>> in_python("Name one with --series-uid; or use --resume or --overwrite.")
    'Name one with series_uid=; or use resume=True or overwrite=True.'
    >>> in_python("add --participants-columns 'patient_id=ID,height_cm=Height (cm)'")
    "add participants_columns={'patient_id': 'ID', 'height_cm': 'Height (cm)'}"
    """
    parts = COMMAND.split(text)
    return "".join(part if COMMAND.fullmatch(part) else _words(part) for part in parts)


def python_errors(function: Callable[Given, Returned]) -> Callable[Given, Returned]:
    """Let the errors of a function of the API name its arguments."""

    @wraps(function)
    def call(*args: Given.args, **kwargs: Given.kwargs) -> Returned:
        try:
            return function(*args, **kwargs)
        except GlutsegError as error:
            error.message, error.remedy = in_python(error.message), in_python(error.remedy)
            error.args = (in_python(str(error)),)
            raise

    return call


def _words(text: str) -> str:
    text = MAPPING.sub(_mapping, text)
    text = WITH_VALUE.sub(_with_value, text)
    text = RETRY.sub("retry_failed=True", text)
    return OPTION.sub(lambda found: ARGUMENTS.get(found[1], f"{found[1].replace('-', '_')}="), text)


def _mapping(found: re.Match[str]) -> str:
    """``--label A=left --label 2=right`` as ``labels={'A': 'left', '2': 'right'}``."""
    more = re.findall(rf"--{found[1]} ({VALUE}|{PAIRS})", found[3])
    pairs = [pair for value in (found[2], *more) for pair in value.strip("\"'").split(",")]
    mapping = dict(pair.partition("=")[::2] for pair in pairs)
    return f"{MAPPINGS[found[1]]}={mapping!r}"


def _with_value(found: re.Match[str]) -> str:
    name, value = found[1].replace("-", "_"), found[2].strip("\"'")
    return f"{name}={tuple(value.split(','))!r}" if name == "groups" else f"{name}={value!r}"
