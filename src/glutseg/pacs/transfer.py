"""Requests and answers, all of them bounded: bytes, seconds, attempts, and to whom credentials go."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError

from glutseg.errors import GlutsegError
from glutseg.pacs.address import is_local
from glutseg.pacs.credentials import credentials
from glutseg.pacs.model import NoAccessError, NotFoundError, Server, UnreachableError
from glutseg.pacs.within import TooSlowError, within

AGAIN = (429, 502, 503, 504)
"""Answers of a server that is busy or on its way up."""
REDIRECTS = (301, 302, 303, 307, 308)
MAX_REDIRECTS = 3
MAX_JSON_BYTES = 64 * 2**20
"""Metadata of about 5000 slices with all their private elements."""
CHUNK_BYTES = 2**16
JSON_KINDS = ("application/dicom+json", "application/json")


@dataclass
class Answer:
    """A whole answer, in the form that dicomweb-client expects of one (it sets ``encoding``)."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes
    encoding: str = "utf-8"

    @property
    def kind(self) -> str:
        """Its media type without parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def raise_for_status(self) -> None:
        """Nothing to do: a bad status does not get so far."""

    def json(self) -> Any:
        """What it says.

        Raises
        ------
        GlutsegError
            ``pacs-answer-invalid``.
        """
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            raise GlutsegError("pacs-answer-invalid", "what it sent as JSON cannot be read") from None


class Line:
    """A connection to one server; nothing it does reaches another.

    Raises
    ------
    GlutsegError
        Every request: ``pacs-refused`` (401, 403), ``pacs-gone`` (404, 410), ``pacs-failed`` (another bad
        status), ``pacs-unreachable`` (no connection, no whole answer, or busy, after all attempts),
        ``pacs-untrusted``, ``pacs-redirected``, ``pacs-answer-invalid``.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._auth = credentials(server)
        self._session = _session(server)
        self.is_more_announced = False
        """Whether the last answer of a search said that there are more results (PS3.18, 8.3.4.4)."""

    def get(self, url: str, **_: object) -> Answer:
        """JSON, as `dicomweb_client.DICOMwebClient` asks a session for it; its own headers are not sent."""
        answer = self.fetch(_as_servers_read(url), JSON_KINDS[0], JSON_KINDS, MAX_JSON_BYTES)
        self.is_more_announced = answer.headers.get("Warning", "").startswith("299")
        return answer

    def fetch(self, url: str, accept: str, kinds: tuple[str, ...], limit_bytes: int) -> Answer:
        """What is at a URL of the server; empty for 204."""
        answer = self._patiently("GET", url, {"Accept": accept}, None, limit_bytes)
        _check_status(answer)
        if answer.status_code == HTTPStatus.NO_CONTENT:
            return answer
        _check_kind(answer, kinds)
        return answer

    def post(self, url: str, body: bytes, content_type: str) -> Answer:
        """Send and hear; 202 and 409, which say what of it was refused, are answers as well."""
        headers = {"Accept": JSON_KINDS[0], "Content-Type": content_type}
        answer = self._patiently("POST", url, headers, body, MAX_JSON_BYTES)
        if answer.status_code != HTTPStatus.CONFLICT:
            _check_status(answer)
        return answer

    def _patiently(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, limit_bytes: int
    ) -> Answer:
        patience = self._server.patience
        end = time.monotonic() + patience.total_s
        wait_s = patience.first_wait_s
        for attempt in range(1, patience.attempts + 1):
            asked_s = 0.0
            try:
                left_s = min(patience.request_s, max(0.1, end - time.monotonic()))
                answer = within(left_s, lambda: self._redirected(method, url, headers, body, limit_bytes))
                if answer.status_code not in AGAIN:
                    return answer
                reason, asked_s = f"it answers {answer.status_code}", _retry_after_s(answer)
            except _BrokenError as error:
                reason = str(error)
            except TooSlowError:  # its connection is still in the hands of a thread
                self._session = _session(self._server)
                raise UnreachableError("pacs-unreachable", "an answer took too long as a whole") from None
            pause_s = min(max(wait_s, asked_s), patience.longest_wait_s)
            if attempt == patience.attempts or time.monotonic() + pause_s > end:
                break
            time.sleep(pause_s)
            wait_s *= 2
        raise UnreachableError("pacs-unreachable", f"{reason}, after {attempt} attempts")

    def _redirected(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, limit_bytes: int
    ) -> Answer:
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._once(method, url, headers, body, limit_bytes)
            if answer.status_code not in REDIRECTS:
                return answer
            target = urljoin(url, answer.headers.get("Location", ""))
            if method != "GET" or _place(target) != _place(self._server.url):
                raise NoAccessError("pacs-redirected", "the request was sent elsewhere, and not followed")
            url = target
        raise NoAccessError("pacs-redirected", f"more than {MAX_REDIRECTS} redirects")

    def _once(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, limit_bytes: int
    ) -> Answer:
        patience = self._server.patience
        try:
            with self._session.request(
                method,
                url,
                headers=headers | {"Accept-Encoding": "identity"},
                data=body,
                auth=self._auth,
                stream=True,
                allow_redirects=False,
                timeout=(patience.connect_s, patience.read_s),
            ) as response:
                is_wanted = response.ok or response.status_code == HTTPStatus.CONFLICT
                content = _body(response, limit_bytes, patience.request_s) if is_wanted else b""
                return Answer(response.status_code, response.headers, content)
        except requests.exceptions.SSLError:
            raise NoAccessError("pacs-untrusted", "its certificate is not trusted, or not its own") from None
        except requests.Timeout:
            raise _BrokenError("no answer in time") from None
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, HTTPError):
            raise _BrokenError("there is no connection, or it broke off") from None
        except (requests.RequestException, ValueError):
            raise GlutsegError("pacs-answer-invalid", "it does not speak HTTP as it should") from None
        except OSError:
            raise _BrokenError("the system has no connection for it") from None


class _BrokenError(Exception):
    """No whole answer; the next attempt may have one."""


def _session(server: Server) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # requests would look for a netrc and proxies by rules of its own
    session.verify = server.ca or True
    session.headers["User-Agent"] = f"glutseg/{version('glutseg')}"
    if not is_local(server):
        session.proxies.update(get_environ_proxies(server.url))
    return session


def _body(response: requests.Response, limit_bytes: int, limit_s: float) -> bytes:
    """The body as it was sent; one that would have to be unpacked was not asked for."""
    if response.headers.get("Content-Encoding", "identity").lower() not in ("identity", ""):
        raise GlutsegError("pacs-answer-invalid", "it sent a packed answer that was not asked for")
    end = time.monotonic() + limit_s
    parts, n_bytes = [], 0
    for part in response.iter_content(CHUNK_BYTES):
        parts.append(part)
        n_bytes += len(part)
        if n_bytes > limit_bytes:
            raise GlutsegError("pacs-answer-invalid", f"an answer is longer than {limit_bytes} bytes")
        if time.monotonic() > end:  # nobody waits for it any more
            raise _BrokenError("no whole answer in time")
    return b"".join(parts)


def _check_status(answer: Answer) -> None:
    status = answer.status_code
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise NoAccessError("pacs-refused", f"it answers {status}")
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise NotFoundError("pacs-gone", f"it answers {status}")
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        raise GlutsegError("pacs-failed", f"it answers {status}")


def _check_kind(answer: Answer, kinds: tuple[str, ...]) -> None:
    if not answer.content:
        raise GlutsegError("pacs-answer-invalid", "it sent nothing")
    if answer.kind not in kinds:
        is_page = answer.kind in ("text/html", "application/xhtml+xml")
        found = "a web page" if is_page else "something else"
        raise GlutsegError("pacs-answer-invalid", f"it sent {found} and not {kinds[0]}")


def _as_servers_read(url: str) -> str:
    """A search with its wildcards as they are, which a URL allows, and ``%20`` for ``+``.

    dicomweb-client writes ``%2A`` for ``*``, which Orthanc's plug-in does not read back: it finds nothing.
    """
    for written, meant in (("%2A", "*"), ("%3F", "?"), ("%2C", ","), ("+", "%20")):
        url = url.replace(written, meant)
    return url


def _retry_after_s(answer: Answer) -> float:
    """In seconds; a date, which the standard allows too, counts as none."""
    text = answer.headers.get("Retry-After", "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0.0


def _place(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
        return parts.scheme, parts.hostname or "", port
    except ValueError:
        return "", "", None
