"""A run that can be exported, made once per test."""

import pytest
from export_runs import ExportRun, make_export_run


@pytest.fixture
def export_run(tmp_path) -> ExportRun:
    return make_export_run(tmp_path)
