"""Images from a PACS by DICOMweb, and results back to it, only at an address given by the user.

Libraries for network access (extra ``pacs``) are imported only when they are needed.
"""

from glutseg.pacs.address import is_address, read_address
from glutseg.pacs.model import PacsQuery, RemoteSeries, RemoteStudy, RetryPolicy, SearchResult, Server

__all__ = [
    "PacsQuery",
    "RemoteSeries",
    "RemoteStudy",
    "RetryPolicy",
    "SearchResult",
    "Server",
    "is_address",
    "read_address",
]
