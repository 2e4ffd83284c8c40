"""Images from a PACS by DICOMweb, and results back to it: only for an address that the user gave.

Nothing that talks to a network is imported before it is needed (extra ``pacs``).
"""

from glutseg.pacs.address import is_address, read_address
from glutseg.pacs.model import Found, Origin, Patience, Question, RemoteSeries, Server

__all__ = ["Found", "Origin", "Patience", "Question", "RemoteSeries", "Server", "is_address", "read_address"]
