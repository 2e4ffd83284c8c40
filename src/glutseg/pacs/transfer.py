"""HTTP requests to one server with limits on bytes, time, attempts and redirects."""

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
from glutseg.pacs.model import NoAccessError, NotFoundError, NotOfferedError, Server, UnreachableError
from glutseg.pacs.time_limit import TimeLimitError, run_with_time_limit

RETRY_STATUSES = (429, 502, 503, 504)
"""Status codes of a server that is busy or starting."""
REDIRECTS = (301, 302, 303, 307, 308)
NOT_OFFERED = (405, 406, 501)
"""Status codes of a server that has no such resource, or not in this form."""
MAX_REDIRECTS = 3
MAX_JSON_BYTES = 64 * 2**20
"""Limit of JSON responses: metadata of about 5000 slices with all private elements."""
CHUNK_BYTES = 2**16
JSON_MEDIA_TYPES = ("application/dicom+json", "application/json")


@dataclass
class Response:
    """A complete response with the attributes that dicomweb-client expects (it sets ``encoding``)."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes
    encoding: str = "utf-8"

    @property
    def media_type(self) -> str:
        """The media type without parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def raise_for_status(self) -> None:
        """Do nothing, because `Connection` raises errors for bad statuses."""

    def json(self) -> Any:
        """Parse the content.

        Raises
        ------
        GlutsegError
            ``pacs-answer-invalid``.
        """
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            raise GlutsegError("pacs-answer-invalid", "its JSON cannot be read") from None


class Connection:
    """A connection to one server, which sends nothing to any other.

    Raises
    ------
    GlutsegError
        By every request: ``pacs-refused`` (401, 403), ``pacs-gone`` (404, 410), ``pacs-failed`` (another bad
        status), ``pacs-unreachable`` (no connection, incomplete response or busy, after all attempts),
        ``pacs-untrusted``, ``pacs-redirected``, ``pacs-answer-invalid``. When it is made:
        ``pacs-address-invalid``, ``pacs-credentials-unreadable``.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._auth = credentials(server)
        self._session = _session(server)
        try:
            self._origin = _web_origin(requests.Request("GET", server.url).prepare())
        except ValueError:
            raise GlutsegError("pacs-address-invalid", "its host cannot be read", server.url) from None
        self.has_more_results = False
        """Whether the last search response announced more results (PS3.18, 8.3.4.4)."""

    def get(self, url: str, **_: object) -> Response:
        """Request JSON; called by `dicomweb_client.DICOMwebClient`, whose headers are ignored."""
        response = self.fetch(_decode_wildcards(url), JSON_MEDIA_TYPES[0], JSON_MEDIA_TYPES, MAX_JSON_BYTES)
        self.has_more_results = response.headers.get("Warning", "").startswith("299")
        return response

    def fetch(self, url: str, accept: str, media_types: tuple[str, ...], limit_bytes: int) -> Response:
        """Request a URL of the server; the response is empty for 204."""
        response = self._with_retries("GET", url, {"Accept": accept}, None, limit_bytes)
        _check_status(response)
        if response.status_code == HTTPStatus.NO_CONTENT:
            return response
        _check_media_type(response, media_types)
        return response

    def post(self, url: str, body: bytes, content_type: str) -> Response:
        """Send a body; 202 and 409 are returned as well, because they say which objects were refused."""
        headers = {"Accept": JSON_MEDIA_TYPES[0], "Content-Type": content_type}
        response = self._with_retries("POST", url, headers, body, MAX_JSON_BYTES)
        if response.status_code != HTTPStatus.CONFLICT:
            _check_status(response)
        return response

    def _with_retries(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, limit_bytes: int
    ) -> Response:
        retry = self._server.retry
        end = time.monotonic() + retry.total_s
        wait_s = retry.first_wait_s
        for attempt in range(1, retry.attempts + 1):
            requested_s = 0.0
            try:
                left_s = min(retry.request_s, max(0.1, end - time.monotonic()))
                response = run_with_time_limit(
                    left_s, lambda: self._follow_redirects(method, url, headers, body, limit_bytes)
                )
                if response.status_code not in RETRY_STATUSES:
                    return response
                reason, requested_s = f"it answers {response.status_code}", _retry_after_s(response)
            except _RetryableError as error:
                reason = str(error)
            except TimeLimitError:  # a thread still uses its connection
                self._session = _session(self._server)
                raise UnreachableError("pacs-unreachable", "a response took too long") from None
            pause_s = min(max(wait_s, requested_s), retry.longest_wait_s)
            if attempt == retry.attempts or time.monotonic() + pause_s > end:
                break
            time.sleep(pause_s)
            wait_s *= 2
        raise UnreachableError("pacs-unreachable", f"{reason}, after {attempt} attempts")

    def _follow_redirects(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, limit_bytes: int
    ) -> Response:
        for _ in range(MAX_REDIRECTS + 1):
            response = self._request_once(method, url, headers, body, limit_bytes)
            if response.status_code not in REDIRECTS:
                return response
            if method != "GET":
                raise _redirected()
            try:
                url = urljoin(url, response.headers.get("Location", ""))
            except ValueError:
                raise _redirected() from None
        raise NoAccessError("pacs-redirected", f"more than {MAX_REDIRECTS} redirects")

    def _request_once(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, limit_bytes: int
    ) -> Response:
        retry = self._server.retry
        try:
            request = self._session.prepare_request(
                requests.Request(
                    method, url, headers | {"Accept-Encoding": "identity"}, data=body, auth=self._auth
                )
            )
            if _web_origin(request) != self._origin:
                raise _redirected()
            with self._session.send(
                request, stream=True, allow_redirects=False, timeout=(retry.connect_s, retry.read_s)
            ) as response:
                is_wanted = response.ok or response.status_code == HTTPStatus.CONFLICT
                content = _body(response, limit_bytes, retry.request_s) if is_wanted else b""
                return Response(response.status_code, response.headers, content)
        except requests.exceptions.SSLError:
            raise NoAccessError(
                "pacs-untrusted", "its certificate is not trusted, or belongs to another host"
            ) from None
        except requests.Timeout:
            raise _RetryableError("no response in time") from None
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, HTTPError):
            raise _RetryableError("there is no connection, or it was interrupted") from None
        except (requests.RequestException, ValueError):
            raise GlutsegError("pacs-answer-invalid", "its response is not valid HTTP") from None
        except OSError:
            raise _RetryableError("the system cannot open a connection") from None


class _RetryableError(Exception):
    """No complete response; the next attempt may succeed."""


def _session(server: Server) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # requests has other rules for netrc and proxies
    session.verify = server.ca or True
    session.headers["User-Agent"] = f"glutseg/{version('glutseg')}"
    if not is_local(server):
        session.proxies.update(get_environ_proxies(server.url))
    return session


def _body(response: requests.Response, limit_bytes: int, limit_s: float) -> bytes:
    """Read the body, which must not be compressed (Accept-Encoding is identity)."""
    if response.headers.get("Content-Encoding", "identity").lower() not in ("identity", ""):
        raise GlutsegError("pacs-answer-invalid", "it sent a compressed response, which was not requested")
    end = time.monotonic() + limit_s
    parts, n_bytes = [], 0
    for part in response.iter_content(CHUNK_BYTES):
        parts.append(part)
        n_bytes += len(part)
        if n_bytes > limit_bytes:
            raise GlutsegError("pacs-answer-invalid", f"a response is longer than {limit_bytes} bytes")
        if time.monotonic() > end:  # the caller has given up waiting
            raise _RetryableError("no complete response in time")
    return b"".join(parts)


def _check_status(response: Response) -> None:
    status = response.status_code
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise NoAccessError("pacs-refused", f"it answers {status}")
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise NotFoundError("pacs-gone", f"it answers {status}")
    if status in NOT_OFFERED:
        raise NotOfferedError("pacs-failed", f"it answers {status}")
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        raise GlutsegError("pacs-failed", f"it answers {status}")


def _check_media_type(response: Response, media_types: tuple[str, ...]) -> None:
    if not response.content:
        raise GlutsegError("pacs-answer-invalid", "its response is empty")
    if response.media_type not in media_types:
        is_page = response.media_type in ("text/html", "application/xhtml+xml")
        found = "a web page" if is_page else "another media type"
        raise GlutsegError("pacs-answer-invalid", f"it sent {found} instead of {media_types[0]}")


def _decode_wildcards(url: str) -> str:
    """Write the wildcards of a query literally, as URLs allow, and ``%20`` for ``+``.

    dicomweb-client writes ``%2A`` for ``*``, which Orthanc's plug-in does not decode, so it finds nothing.
    """
    for encoded, literal in (("%2A", "*"), ("%3F", "?"), ("%2C", ","), ("+", "%20")):
        url = url.replace(encoded, literal)
    return url


def _retry_after_s(response: Response) -> float:
    """Return the Retry-After header in seconds; 0 for a date, which the standard also allows."""
    text = response.headers.get("Retry-After", "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0.0


def _web_origin(request: requests.PreparedRequest) -> tuple[str, str, int | None]:
    r"""Return scheme, host and port that a request is sent to.

    Of the prepared request, because parsers disagree about addresses such as ``http://A\@B``: requests
    connects to the host in the address that it has normalised, whatever another parser finds before that.
    """
    parts = urlsplit(request.url or "")
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port


def _redirected() -> NoAccessError:
    return NoAccessError(
        "pacs-redirected", "the request was redirected to another server, which is not followed"
    )
