"""Protocols: what to measure and how, read from TOML and checked before anything runs."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, ValidationError, model_validator

from glutseg.errors import GlutsegError
from glutseg.image import Muscle
from glutseg.settings import METHOD, Method, Settings

Landmark = Literal[
    "femoral-head-top",
    "femoral-head-centre",
    "si-joint-end",
    "acetabular-roof",
    "greater-trochanter-tip",
    "pubic-symphysis-top",
    "ischial-tuberosity-tip",
    "lesser-trochanter",
    "peak-area",
    "z",
    "slice",
    "given",
]
BY_HAND: tuple[Landmark, ...] = ("z", "slice", "given")
NAMED_LEVELS: tuple[Landmark, ...] = tuple(name for name in get_args(Landmark) if name not in BY_HAND)

NAME_LENGTH = 64
ONE_SLICE_HAS_NO_ENDS = "whole muscles cannot be measured at the level given: a single slice shows none"
MAX_PROTOCOL_BYTES = 100_000
"""A protocol is a page of text; anything larger is not one."""


Pattern = Annotated[str, Field(min_length=1, max_length=64)]
Patterns = Annotated[tuple[Pattern, ...], Field(max_length=32)]
SeriesUID = Annotated[str, Field(min_length=1, max_length=64)]


class LevelRule(Settings):
    """Which axial slice is measured."""

    landmark: Landmark = "femoral-head-top"
    """What the level is found by; ``z`` and ``slice`` are levels given by hand. ``given`` is the slice that
    was exported: for series of one to a few slices, which cannot show where the level lies."""
    offset_mm: Annotated[float, Field(ge=-100, le=100)] = 0.0
    """Added to the landmark's height, towards the head."""
    z_mm: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """Patient z of the slice in mm (LPS), for ``landmark = "z"``."""
    slice_index: Annotated[int, Field(ge=0)] | None = None
    """Counted from 0 in the order of the mask's file, for ``landmark = "slice"``."""
    profile_mm: Annotated[float, Field(ge=0, le=60)] = 15.0
    """The area is also reported this far above and below the level."""

    @model_validator(mode="after")
    def _by_hand_needs_its_value(self) -> LevelRule:
        if (self.landmark == "z") != (self.z_mm is not None):
            msg = 'z_mm goes with landmark = "z", and the other way round'
            raise ValueError(msg)
        if (self.landmark == "slice") != (self.slice_index is not None):
            msg = 'slice_index goes with landmark = "slice", and the other way round'
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _given_is_not_moved(self) -> LevelRule:
        if self.is_given and self.offset_mm:
            msg = 'landmark = "given" takes no offset_mm: the slice is measured as it was exported'
            raise ValueError(msg)
        return self

    @property
    def is_given(self) -> bool:
        """Whether the slice that was exported is measured, whatever it shows."""
        return self.landmark == "given"


class SeriesRule(Settings):
    """Which series of a study may be measured."""

    max_slice_spacing_mm: Annotated[float, Field(gt=0, le=20)] = 10.0
    """A series with its slices further apart is not measured."""
    review_slice_spacing_mm: Annotated[float, Field(gt=0, le=20)] = 7.5
    """A series with its slices further apart is measured, and flagged for a look."""
    preferred_slice_spacing_mm: Annotated[float, Field(gt=0, le=20)] = 3.0
    """Among suitable series the one nearest to this is taken: thinner is noisier and slower."""
    max_tilt_degrees: Annotated[float, Field(ge=0, le=45)] = 30.0
    """A series tilted by more against the patient's long axis is not measured."""
    description_include: Patterns = ()
    """Only series whose description matches one of these. ``*`` stands for any text, case does not
    matter, and the whole text must match: ``"*pelvis*"``. Empty: any."""
    description_exclude: Patterns = ()
    """No series whose description matches one of these."""
    kernel_include: Patterns = ()
    """Only series whose reconstruction kernel matches one of these."""
    kernel_exclude: Patterns = ()
    """No series whose reconstruction kernel matches one of these."""
    series_uids: Annotated[tuple[SeriesUID, ...], Field(max_length=1000)] = ()
    """Series Instance UIDs to measure in the studies that hold them; other studies are chosen as usual."""


class TissueRule(Settings):
    """HU windows. Sources: Aubrey 2014 (PMID 24393306) for muscle and intermuscular fat."""

    muscle_hu: tuple[int, int] = (-29, 150)
    """Lowest and highest HU of what counts as muscle (``lean_area``); both belong to it."""
    imat_hu: tuple[int, int] = (-190, -30)
    """Lowest and highest HU of what counts as fat within the muscle (``imat_area``)."""

    @model_validator(mode="after")
    def _ordered(self) -> TissueRule:
        for name, (low, high) in (("muscle_hu", self.muscle_hu), ("imat_hu", self.imat_hu)):
            if not -1024 <= low < high <= 3071:
                msg = f"{name} must be [low, high] with -1024 <= low < high <= 3071, got {[low, high]}"
                raise ValueError(msg)
        return self


class ExtentRule(Settings):
    """How much is measured beyond the gluteus maximus at the level."""

    muscles: tuple[Muscle, ...] = ("maximus",)
    """The gluteus maximus always; ``medius`` and ``minimus`` when named."""
    whole_muscle: bool = False
    """Segment from end to end: volumes, the profile of the whole muscle, the area at every named level."""

    @model_validator(mode="after")
    def _maximus_leads(self) -> ExtentRule:
        if self.muscles[:1] != ("maximus",) or len(set(self.muscles)) != len(self.muscles):
            msg = f'muscles begins with "maximus" and names each once, got {list(self.muscles)}'
            raise ValueError(msg)
        return self


class Protocol(Settings):
    """A complete rule for measuring: written into every run's record."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    """Stands in every row of the tables: small letters, digits, ``.``, ``_`` and ``-``."""
    description: Annotated[str, Field(max_length=2000)] = ""
    """In words, for whoever reads the run later."""
    level: LevelRule = LevelRule()
    series: SeriesRule = SeriesRule()
    tissue: TissueRule = TissueRule()
    extent: ExtentRule = ExtentRule()
    method: Method = METHOD

    @model_validator(mode="after")
    def _one_slice_has_no_ends(self) -> Protocol:
        if self.level.is_given and self.extent.whole_muscle:
            raise ValueError(ONE_SLICE_HAS_NO_ENDS)
        return self


def _builtin_folder() -> Path:
    """``configs/``: inside an installed package, or beside ``src/`` in a checkout."""
    installed = Path(str(resources.files("glutseg"))) / "configs"
    return installed if installed.is_dir() else Path(__file__).resolve().parents[2] / "configs"


def builtin_protocols() -> dict[str, Path]:
    """Names and files of the protocols that come with glutseg."""
    return {p.stem: p for p in sorted(_builtin_folder().glob("*.toml"))}


def load_protocol(
    name_or_file: str | Path = "femoral-head-top",
    *,
    level: str | None = None,
    series: Sequence[str] = (),
    muscles: bool = False,
    whole_muscle: bool = False,
) -> Protocol:
    """A protocol by name, or from a TOML file, with what a run changes of it.

    Parameters
    ----------
    name_or_file : see `builtin_protocols` for the names
    level : another level: a landmark's name, ``z=MM``, ``slice=N`` or ``given``
    series : Series Instance UIDs to measure in the studies that hold them
    muscles : gluteus medius and minimus as well
    whole_muscle : from end to end: volumes, the full profile, every named level

    Raises
    ------
    GlutsegError
        ``protocol-unknown`` for a name that does not exist, ``protocol-invalid`` for a file that
        is not a valid protocol, a level or a UID that is none; the message names the key, the value
        seen and what is allowed.

    Examples
    --------
    >>> protocol = load_protocol("si-joint-end", whole_muscle=True)
    >>> protocol.level.landmark, protocol.extent.whole_muscle
    ('si-joint-end', True)
    """
    rule = with_extent(_read_protocol(name_or_file), muscles=muscles, whole_muscle=whole_muscle)
    if series:
        rule = with_series(rule, series)
    return rule if level is None else with_level(rule, level)


def _read_protocol(name_or_file: str | Path) -> Protocol:
    text = str(name_or_file)
    builtin = builtin_protocols()
    if text in builtin:
        return _parse(builtin[text])
    path = Path(text)
    if path.suffix == ".toml" and path.is_file():
        return _parse(path)
    raise GlutsegError(
        "protocol-unknown", f"no protocol {text!r}; there are {', '.join(builtin)}, or give a .toml file"
    )


def to_toml(protocol: Protocol) -> str:
    """The protocol as the text of a file that `load_protocol` reads; see `concise`."""
    return "\n".join(_toml_table((), concise(protocol))) + "\n"


def concise(protocol: Protocol) -> dict[str, Any]:
    """All that a protocol says as plain values, and of its method only what differs from the defaults."""
    content = protocol.model_dump(mode="json", exclude_none=True, exclude={"method"})
    return content | {"method": protocol.method.model_dump(mode="json", exclude_defaults=True)}


def _toml_table(name: tuple[str, ...], content: dict[str, Any]) -> list[str]:
    """A table of TOML with the tables within it."""
    lines = [_toml_line(key, value) for key, value in content.items() if not isinstance(value, dict)]
    if name and lines:
        lines = ["", f"[{'.'.join(name)}]", *lines]
    for key, value in content.items():
        if isinstance(value, dict):
            lines += _toml_table((*name, key), value)
    return lines


def _toml_line(key: str, value: object) -> str:
    # TOML writes as JSON does; what JSON leaves as it is and a terminal would obey is escaped as well
    text = json.dumps(value, ensure_ascii=False)
    return f"{key} = " + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in text)


def with_level(protocol: Protocol, text: str) -> Protocol:
    """The protocol with another level: a landmark's name, ``z=MM``, ``slice=N`` or ``given``.

    Raises
    ------
    GlutsegError
        ``protocol-invalid`` when the text names no level.
    """
    key, equals, value = (part.strip() for part in text.partition("="))
    level: dict[str, object] = {"profile_mm": protocol.level.profile_mm, "landmark": key}
    if equals:
        level[{"z": "z_mm", "slice": "slice_index"}.get(key, key)] = value.removesuffix("mm").strip()
    try:
        rule = LevelRule.model_validate(level)
    except ValidationError as error:
        message = f"no level {text!r}; there are {', '.join(NAMED_LEVELS)}, z=MM, slice=N and given"
        raise GlutsegError("protocol-invalid", message) from error
    if rule.is_given and protocol.extent.whole_muscle:
        raise GlutsegError("protocol-invalid", ONE_SLICE_HAS_NO_ENDS)
    return protocol.model_copy(update={"level": rule})


def with_extent(protocol: Protocol, *, muscles: bool = False, whole_muscle: bool = False) -> Protocol:
    """The protocol measuring more: all three glutei, or whole muscles; nothing is switched off."""
    extent = protocol.extent
    wider = ExtentRule(
        muscles=get_args(Muscle) if muscles else extent.muscles,
        whole_muscle=whole_muscle or extent.whole_muscle,
    )
    return protocol.model_copy(update={"extent": wider})


def with_series(protocol: Protocol, uids: Sequence[str]) -> Protocol:
    """The protocol with series named by their UIDs; they go before its other rules.

    Raises
    ------
    GlutsegError
        ``protocol-invalid`` when a text is no UID.
    """
    try:
        rule = SeriesRule.model_validate(protocol.series.model_dump() | {"series_uids": tuple(uids)})
    except ValidationError as error:
        raise GlutsegError("protocol-invalid", "; ".join(_in_words(e) for e in error.errors())) from error
    return protocol.model_copy(update={"series": rule})


def with_origin(protocol: Protocol, origin: str) -> Protocol:
    """The protocol with whose outlines are measured at the end of its name; unchanged for ""."""
    if not origin:
        return protocol
    return protocol.model_copy(update={"name": f"{protocol.name[: NAME_LENGTH - len(origin) - 1]}.{origin}"})


def _parse(path: Path) -> Protocol:
    try:
        if path.stat().st_size > MAX_PROTOCOL_BYTES:
            raise GlutsegError("protocol-invalid", "the file is too large to be a protocol", str(path))
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise GlutsegError("protocol-invalid", f"not readable as TOML: {error}", str(path)) from error
    try:
        return Protocol.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(_in_words(e) for e in error.errors())
        raise GlutsegError("protocol-invalid", problems, str(path)) from error


def _in_words(error: object) -> str:
    assert isinstance(error, dict)
    key = ".".join(str(part) for part in error["loc"]) or "protocol"
    if error["type"] == "extra_forbidden":
        return f"unknown key {key!r}"
    return f"{key}: {error['msg']} (got {error['input']!r})"
