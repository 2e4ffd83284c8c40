import pytest
from report_runs import make_full_run


@pytest.fixture(scope="session")
def full_run(tmp_path_factory):
    """Where it lies; a test that changes it takes a copy."""
    return make_full_run(tmp_path_factory.mktemp("full") / "out")
