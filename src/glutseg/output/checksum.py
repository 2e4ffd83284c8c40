"""Checksums in records: what was changed after glutseg wrote it is seen, by accident or by hand.

They are no signature: whoever means to deceive can make them anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKSUM = "checksum_sha256"
"""Key of a record's own checksum."""


@dataclass(frozen=True)
class FileSum:
    """Size and SHA-256 of a file beside a record."""

    n_bytes: int
    sha256: str

    @classmethod
    def of(cls, content: bytes) -> FileSum:
        """Of a file with this content."""
        return cls(len(content), hashlib.sha256(content).hexdigest())

    def has_size_of(self, path: Path) -> bool:
        """Whether the file is there, and as long as it was: a look that costs nothing."""
        try:
            return path.is_file() and path.stat().st_size == self.n_bytes
        except OSError:
            return False

    def is_of(self, path: Path) -> bool:
        """Whether the file is there with the content that it had."""
        try:
            return self.has_size_of(path) and FileSum.of(path.read_bytes()) == self
        except OSError:
            return False


def with_checksum(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record of plain JSON values with its checksum; one that it has already is replaced."""
    return {**record, CHECKSUM: _sum_of(record)}


def is_unchanged(record: Mapping[str, Any]) -> bool:
    """Whether a record is as it was when it got its checksum; line breaks and order of keys do not count."""
    return record.get(CHECKSUM) == _sum_of(record)


def _sum_of(record: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in record.items() if key != CHECKSUM}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
