"""Which version this is, said here only (pyproject.toml reads it), and which others are installed."""

from __future__ import annotations

__version__ = "0.2.0"


def installed_version(library: str) -> str:
    """Of another library; "" where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version  # not needed to say one's own

    try:
        return version(library)
    except PackageNotFoundError:
        return ""
