"""Read the address of a server, which must not contain a password and should be encrypted."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from urllib.parse import urlsplit

from glutseg.errors import GlutsegError
from glutseg.pacs.model import Server

HTTPS_SCHEME, HTTP_SCHEME = "dicomweb+https", "dicomweb+http"


def is_address(text: str) -> bool:
    """Whether this is the address of a DICOMweb service and not a path."""
    return text.lower().startswith("dicomweb")


def read_address(text: str, *, ca: str = "", allow_http: bool = False) -> Server:
    """Parse ``dicomweb+https://HOST[:PORT]/ROOT``.

    Parameters
    ----------
    ca : file with trusted certificates; by default that of REQUESTS_CA_BUNDLE, if it is set
    allow_http : allow unencrypted connections to other hosts

    Raises
    ------
    GlutsegError
        ``pacs-address-invalid``, also if it contains a password, which is not repeated;
        ``pacs-insecure``; ``pacs-untrusted`` if ``ca`` does not exist.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise GlutsegError("pacs-address-invalid", "host or port cannot be read") from None
    if "@" in parts.netloc:
        raise GlutsegError("pacs-address-invalid", "it contains a user name or password")
    if parts.scheme not in (HTTPS_SCHEME, HTTP_SCHEME) or not host:
        raise GlutsegError("pacs-address-invalid", f"it does not begin with {HTTPS_SCHEME}:// and a host")
    if "?" in text or "#" in text or not (text.isascii() and text.isprintable()) or " " in text:
        raise GlutsegError("pacs-address-invalid", "it contains more than host, port and root")
    if parts.scheme == HTTP_SCHEME and not (_is_this_host(host) or allow_http):
        raise GlutsegError("pacs-insecure", "http would send images and passwords unencrypted", host)
    ca = ca or os.environ.get("REQUESTS_CA_BUNDLE", "")
    if ca and not Path(ca).exists():
        raise GlutsegError("pacs-untrusted", "the file of certificates does not exist", ca)
    shown = f"[{host}]" if ":" in host else host
    url = f"{parts.scheme.removeprefix('dicomweb+')}://{shown}{f':{port}' if port else ''}{parts.path}"
    return Server(url.rstrip("/"), ca)


def is_local(server: Server) -> bool:
    """Whether the server is on this host."""
    return _is_this_host(urlsplit(server.url).hostname or "")


def _is_this_host(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
