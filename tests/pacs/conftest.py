import os

import pytest

pytest.importorskip("requests", reason="the extra pacs is not installed")
pytest.importorskip("dicomweb_client", reason="the extra pacs is not installed")


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch):
    """Hide the credentials of the person who runs the tests."""
    for name in ("TOKEN", "USER", "PASSWORD"):
        monkeypatch.delenv(f"GLUTSEG_DICOMWEB_{name}", raising=False)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv("NETRC", os.devnull)
