"""Errors and flags: everything glutseg says about a study, each with a stable code.

An *error* means that there is no number: it is raised. A *flag* stands beside a number: ``note`` states a
fact, ``review`` asks a person to look before the number is used. What the codes mean and what can be done
stands in codes.toml.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.util import find_spec
from typing import Literal, Self, get_args

from glutseg.installation import install_command

Severity = Literal["note", "review", "error"]
Scope = Literal["series", "study", "run"]


@dataclass(frozen=True)
class Code:
    """What a code means and what the user can do about it; codes.toml explains the fields.

    Raises
    ------
    ValueError
        For an entry that is not complete or contradicts itself.
    """

    section: str
    severity: Severity
    meaning: str
    remedy: str
    scope: Scope = "study"
    precedence: int = 0

    def __post_init__(self) -> None:
        for name, allowed in (("severity", get_args(Severity)), ("scope", get_args(Scope))):
            if getattr(self, name) not in allowed:
                msg = f"{name} is one of {allowed}, got {getattr(self, name)!r}"
                raise ValueError(msg)
        if not all(text.endswith(".") for text in (self.meaning, self.remedy)):
            msg = f"meaning and remedy are sentences, got {self.meaning!r} and {self.remedy!r}"
            raise ValueError(msg)
        if self.severity != "error" and self.scope != "study":
            msg = f"only an error has a scope: {self.meaning!r}"
            raise ValueError(msg)
        if (self.scope == "series") != (self.precedence > 0):
            msg = f"errors with the scope of a series, and only these, have a precedence: {self.meaning!r}"
            raise ValueError(msg)


@cache
def catalogue() -> Mapping[str, Code]:
    """All codes, in the order of codes.toml, which is read when the first one is needed."""
    content = tomllib.loads(resources.files("glutseg").joinpath("codes.toml").read_text(encoding="utf-8"))
    codes: dict[str, Code] = {}
    for section in content["sections"]:
        for name, entry in section["codes"].items():
            if name in codes:
                msg = f"code {name!r} stands twice in codes.toml"
                raise ValueError(msg)
            codes[name] = Code(section=section["title"], **entry)
    return codes


def _known(code: str) -> Code:
    if code not in catalogue():
        msg = f"there is no code {code!r}"
        raise ValueError(msg)
    return catalogue()[code]


class GlutsegError(Exception):
    """An error with a stable code; the message says what was found and where.

    Parameters
    ----------
    code : of the catalogue, with severity ``error``
    message : what was found
    where : the file, series or slice in which it was found

    Raises
    ------
    ValueError
        For a code that the catalogue does not have, and for the code of a flag.
    """

    def __init__(self, code: str, message: str, where: str = "") -> None:
        known = _known(code)
        if known.severity != "error":
            msg = f"{code!r} is the code of a flag, not of an error"
            raise ValueError(msg)
        self.code = code
        self.message = message
        self.where = where
        self.remedy = known.remedy
        """What can be done about it."""
        super().__init__(f"{code}: {message}" + (f" [{where}]" if where else "") + f" - {known.remedy}")

    def __reduce__(self) -> tuple[type[Self], tuple[str, str, str]]:
        return type(self), (self.code, self.message, self.where)  # crosses process borders

    @property
    def scope(self) -> Scope:
        """Whether the ``series``, the ``study`` or the whole ``run`` cannot go on."""
        return _known(self.code).scope

    @property
    def precedence(self) -> int:
        """Of several series' errors the lowest is named as the reason of the study's failure."""
        return _known(self.code).precedence

    def at(self, where: str) -> Self:
        """The same error, found elsewhere."""
        return type(self)(self.code, self.message, where)


@dataclass(frozen=True)
class Flag:
    """A reason for review, or a fact, beside the numbers of a measured study.

    Attributes
    ----------
    code : of the catalogue, with severity ``note`` or ``review``
    message : what was found, with its figures
    side : "left", "right", or "" where it concerns both

    Raises
    ------
    ValueError
        For a code that the catalogue does not have, and for the code of an error.
    """

    code: str
    message: str
    side: str = ""

    def __post_init__(self) -> None:
        if _known(self.code).severity == "error":
            msg = f"{self.code!r} is the code of an error, not of a flag"
            raise ValueError(msg)

    @property
    def severity(self) -> Severity:
        """``review``: look before the number is used; ``note``: a fact."""
        return _known(self.code).severity

    @property
    def meaning(self) -> str:
        """What the code means, whatever the study."""
        return _known(self.code).meaning

    @property
    def remedy(self) -> str:
        """What can be done about it."""
        return _known(self.code).remedy

    def __str__(self) -> str:
        return f"{self.code}:{self.side}" if self.side else self.code


def require_extra(extra: str, *modules: str) -> None:
    """Raise where an extra is not installed.

    Raises
    ------
    GlutsegError
        ``extra-missing``, with the command that installs it.
    """
    lacking = [name for name in modules if find_spec(name) is None]
    if lacking:
        are = "is" if len(lacking) == 1 else "are"
        message = f"{', '.join(lacking)} {are} not installed; the command is: {install_command(extra)}"
        raise GlutsegError("extra-missing", message)
