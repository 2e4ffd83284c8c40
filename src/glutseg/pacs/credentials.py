"""Credentials from the environment or a netrc file, sent to one server only and never shown."""

from __future__ import annotations

import netrc
import os
from pathlib import Path
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth

from glutseg.errors import GlutsegError
from glutseg.pacs.model import Server

TOKEN, USER, PASSWORD = "GLUTSEG_DICOMWEB_TOKEN", "GLUTSEG_DICOMWEB_USER", "GLUTSEG_DICOMWEB_PASSWORD"


class _Bearer(AuthBase):
    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token}"

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = self._header
        return request


def credentials(server: Server) -> AuthBase | None:
    """Return the token or user and password of the environment, else those of the netrc, else None.

    Raises
    ------
    GlutsegError
        ``pacs-credentials-unreadable``; the message never contains a credential.
    """
    token, user = os.environ.get(TOKEN, ""), os.environ.get(USER, "")
    if token:
        return _Bearer(_checked(token, TOKEN))
    if user:
        password = _checked(os.environ.get(PASSWORD, ""), PASSWORD)
        return HTTPBasicAuth(_checked(user, USER).encode(), password.encode())
    return _from_netrc(urlsplit(server.url).hostname or "")


def _from_netrc(host: str) -> AuthBase | None:
    configured = os.environ.get("NETRC", "")
    path = Path(configured) if configured else Path.home() / ".netrc"
    if not configured and not path.exists():
        return None
    try:
        entry = netrc.netrc(str(path)).authenticators(host)
    except (OSError, netrc.NetrcParseError, UnicodeError):  # its message may hold a password
        raise GlutsegError("pacs-credentials-unreadable", "the netrc cannot be read", str(path)) from None
    if entry is None:
        return None
    user, _, password = entry
    return HTTPBasicAuth(_checked(user, "netrc").encode(), _checked(password or "", "netrc").encode())


def _checked(secret: str, where: str) -> str:
    """Raise an error for text that no HTTP header can hold; a library's error would quote it."""
    if not secret.isprintable():
        raise GlutsegError("pacs-credentials-unreadable", "it holds line breaks or control characters", where)
    return secret
