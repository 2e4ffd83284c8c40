"""A server, what it was asked, and what it has. Nothing here holds a password or a patient's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from glutseg import dicom
from glutseg.errors import GlutsegError


class NoAccessError(GlutsegError):
    """The server gives no access, or must not be trusted: every other request would meet the same."""


class NotFoundError(GlutsegError):
    """The server does not have what was asked for."""


class UnreachableError(GlutsegError):
    """The server could not be reached, or its answer took too long."""


@dataclass(frozen=True)
class Patience:
    """How long a server is waited for, and how often it is asked again.

    Attributes
    ----------
    connect_s, read_s : without a connection, without a byte
    request_s : for one answer as a whole, however slowly it drips
    attempts : at most, of one request
    first_wait_s, longest_wait_s : before it is asked again; doubled each time, or as the server says
    total_s : for one request with all that is asked again
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
    url : https://HOST[:PORT]/ROOT without a slash at its end
    ca : file with certificates of the authorities that are trusted; "" for those of the system
    """

    url: str
    ca: str = ""
    patience: Patience = field(default_factory=Patience)

    @property
    def address(self) -> str:
        """As the user writes it."""
        return f"dicomweb+{self.url}"


@dataclass(frozen=True)
class Question:
    """What to ask a server for: keyword to value, as `glutseg.pacs.query.parse_query` gives it."""

    server: Server
    query: Mapping[str, str]


@dataclass(frozen=True)
class RemoteSeries:
    """A series as the search tells it; ``n_images`` is 0 where the server does not say."""

    series_uid: str
    modality: str
    description: str = ""
    n_images: int = 0

    @property
    def may_be_ct(self) -> bool:
        return self.modality in ("CT", "")


@dataclass(frozen=True)
class Origin:
    """Where a study's images are to be had.

    ``series`` is None where the server did not list them when it was asked first.
    """

    server: Server
    study_uid: str
    patient_id: str
    study_date: str = ""
    series: tuple[RemoteSeries, ...] | None = None


@dataclass(frozen=True)
class Found:
    """What a search found: studies as an index of a folder has them, and by UID where each is."""

    server: Server
    index: dicom.Index
    origins: Mapping[str, Origin]
