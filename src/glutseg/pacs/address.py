"""The address of a server, as the user gives it: without a password, and encrypted."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from urllib.parse import urlsplit

from glutseg.errors import GlutsegError
from glutseg.pacs.model import Server

SECURE, OPEN = "dicomweb+https", "dicomweb+http"


def is_address(text: str) -> bool:
    """Whether this is meant as the address of a DICOMweb service and not as a path."""
    return text.lower().startswith("dicomweb")


def read_address(text: str, *, ca: str = "", allow_http: bool = False) -> Server:
    """``dicomweb+https://HOST[:PORT]/ROOT`` as a server.

    Parameters
    ----------
    ca : file with certificates to trust; by default the one that REQUESTS_CA_BUNDLE names, if any
    allow_http : also without encryption to another host than this one

    Raises
    ------
    GlutsegError
        ``pacs-address-invalid``, also for one with a password in it, which is not repeated;
        ``pacs-insecure``.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise GlutsegError("pacs-address-invalid", "host or port cannot be read") from None
    if "@" in parts.netloc:
        raise GlutsegError("pacs-address-invalid", "there is a user name or password in it")
    if parts.scheme not in (SECURE, OPEN) or not host:
        raise GlutsegError("pacs-address-invalid", f"it does not begin with {SECURE}:// and a host")
    if "?" in text or "#" in text or not (text.isascii() and text.isprintable()) or " " in text:
        raise GlutsegError("pacs-address-invalid", "there is more in it than host, port and root")
    if parts.scheme == OPEN and not (_is_this_host(host) or allow_http):
        raise GlutsegError("pacs-insecure", "http would send images and passwords in the clear", host)
    ca = ca or os.environ.get("REQUESTS_CA_BUNDLE", "")
    if ca and not Path(ca).exists():
        raise GlutsegError("pacs-untrusted", "there is no such file of certificates", ca)
    shown = f"[{host}]" if ":" in host else host
    url = f"{parts.scheme.removeprefix('dicomweb+')}://{shown}{f':{port}' if port else ''}{parts.path}"
    return Server(url.rstrip("/"), ca)


def is_local(server: Server) -> bool:
    """Whether the server is on this very host."""
    return _is_this_host(urlsplit(server.url).hostname or "")


def _is_this_host(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
