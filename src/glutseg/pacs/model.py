"""A server, queries and search results, without passwords and patients' names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from glutseg import dicom
from glutseg.errors import GlutsegError


class NoAccessError(GlutsegError):
    """The server gives no access or is not trusted, so every other request would fail as well."""


class NotFoundError(GlutsegError):
    """The server does not have what was requested."""


class NotOfferedError(GlutsegError):
    """The server does not know this kind of request."""


class UnreachableError(GlutsegError):
    """The server could not be reached, or its response took too long."""


@dataclass(frozen=True)
class RetryPolicy:
    """Time limits and number of attempts for requests.

    Attributes
    ----------
    connect_s, read_s : time limits for a connection, and between two bytes
    request_s : time limit for a whole response
    attempts : largest number of attempts for one request
    first_wait_s, longest_wait_s : before the next attempt; doubled each time, or as the server says
    total_s : time limit for one request with all attempts
    """

    connect_s: float = 10.0
    read_s: float = 60.0
    request_s: float = 300.0
    attempts: int = 6
    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0
    total_s: float = 600.0


@dataclass(frozen=True)
class Server:
    """A DICOMweb service.

    Attributes
    ----------
    url : https://HOST[:PORT]/ROOT without a slash at the end
    ca : file with trusted certificates; "" for those of the system
    """

    url: str
    ca: str = ""
    retry: RetryPolicy = field(default_factory=RetryPolicy)

    @property
    def address(self) -> str:
        """The address as the user writes it."""
        return f"dicomweb+{self.url}"


@dataclass(frozen=True)
class PacsQuery:
    """A server and the query to send to it: keyword to value, as from `glutseg.pacs.query.parse_query`."""

    server: Server
    query: Mapping[str, str]


@dataclass(frozen=True)
class RemoteSeries:
    """A series from a search result; ``n_images`` is 0 if the server does not state it."""

    series_uid: str
    modality: str
    description: str = ""
    n_images: int = 0

    @property
    def may_be_ct(self) -> bool:
        return self.modality in ("CT", "")


@dataclass(frozen=True)
class RemoteStudy:
    """A study on a server; ``series`` is None if the server did not list them in the search."""

    server: Server
    study_uid: str
    patient_id: str
    study_date: str = ""
    series: tuple[RemoteSeries, ...] | None = None


@dataclass(frozen=True)
class SearchResult:
    """Studies found on a server: as an index like that of a folder, and by study UID."""

    server: Server
    index: dicom.Index
    remote_studies: Mapping[str, RemoteStudy]
