"""Headers as JSON for the index: what the images of a series share, and what each has of its own."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from glutseg.dicom.model import FileHeader, SeriesTags, SliceHeader
from glutseg.dicom.source import Source

OWN = ("frame", "sop_uid", "instance_number", "position_mm")
COMMON = tuple(f.name for f in fields(SliceHeader) if f.name not in ("source", *OWN))
OF_FILE = tuple(f.name for f in fields(FileHeader) if f.name not in ("source", "tags", "slices"))
OF_SERIES = tuple(f.name for f in fields(SeriesTags))

Shared = tuple[dict[str, Any], tuple[dict[str, Any], ...]]
"""Fields of a `FileHeader`, and the common ones of its slices, as `shared_from` reads them."""


def encode(header: FileHeader) -> tuple[str, str]:
    """Return a header without its source as (what it shares with others, its own part)."""
    commons: dict[str, int] = {}  # as text: equal numbers may differ in sign or type
    own = []
    for one in header.slices:
        common = json.dumps([getattr(one, name) for name in COMMON])
        place = commons.setdefault(common, len(commons))
        own.append([place, *(getattr(one, name) for name in OWN)])
    of_file = [getattr(header, name) for name in OF_FILE]
    shared = json.dumps([of_file, [getattr(header.tags, name) for name in OF_SERIES]])
    return f'{{"file": {shared}, "slices": [{", ".join(commons)}]}}', json.dumps(own)


def shared_from(text: str) -> Shared:
    """Read what `encode` wrote of the shared part.

    Raises
    ------
    ValueError, LookupError, TypeError
        For anything else.
    """
    content = json.loads(text)
    of_file, tags = content["file"]
    named = dict(zip(OF_FILE, map(_tuples, of_file), strict=True))
    named["tags"] = SeriesTags(*map(_tuples, tags))
    commons = (dict(zip(COMMON, map(_tuples, common), strict=True)) for common in content["slices"])
    return named, tuple(commons)


def header_from(source: Source, shared: Shared, own: str) -> FileHeader:
    """Return the header of a file.

    Raises
    ------
    ValueError, LookupError, TypeError
        If ``own`` is not what `encode` wrote.
    """
    of_file, commons = shared
    slices = tuple(
        SliceHeader(
            source=source,
            frame=frame,
            sop_uid=sop_uid,
            instance_number=number,
            position_mm=_tuples(position),
            **commons[place],
        )
        for place, frame, sop_uid, number, position in json.loads(own)
    )
    return FileHeader(source=source, slices=slices, **of_file)


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
