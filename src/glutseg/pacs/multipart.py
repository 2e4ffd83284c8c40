"""Read and write multipart/related bodies strictly: a truncated body is an error."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import Message

from glutseg.errors import GlutsegError

BOUNDARY = "glutseg-7d0c2b8f4e5a4b0f9d1e6a3c58f2b714"
END = b"--"
MAX_BOUNDARY = 70
"""Limit of characters (RFC 2046, 5.1.1)."""


def single_part(content_type: str, body: bytes) -> bytes:
    """Return the only part of a multipart body; any other body is returned as it is.

    Raises
    ------
    GlutsegError
        ``pacs-answer-invalid`` for a truncated body, or one without or with several parts.
    """
    header = Message()
    header["Content-Type"] = content_type
    if header.get_content_maintype() != "multipart":
        return body
    boundary = header.get_param("boundary")
    if not isinstance(boundary, str) or not 0 < len(boundary) <= MAX_BOUNDARY or not boundary.isascii():
        raise _invalid("a multipart body without a boundary")
    delimiter = b"\r\n--" + boundary.encode()
    _, *pieces = (b"\r\n" + body).split(delimiter)
    if not pieces or not pieces[-1].startswith(END):
        raise _invalid("a truncated multipart body")
    if len(pieces) != 2:
        raise _invalid(f"{len(pieces) - 1} parts instead of one")
    _, gap, content = pieces[0].partition(b"\r\n\r\n")
    if not gap:
        raise _invalid("a part whose header does not end")
    return content


def join_parts(parts: Sequence[bytes]) -> tuple[str, bytes]:
    """Join DICOM files to a multipart body; return (content type, body)."""
    head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    body = b"".join(head + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()
    return f'multipart/related; type="application/dicom"; boundary="{BOUNDARY}"', body


def _invalid(message: str) -> GlutsegError:
    return GlutsegError("pacs-answer-invalid", message)
