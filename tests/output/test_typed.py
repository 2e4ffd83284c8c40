import csv
import io

import pyarrow.parquet as pq
import pytest

from glutseg.errors import GlutsegError
from glutseg.output.schema import MEASUREMENTS, CaseRow
from glutseg.output.tables import to_csv
from glutseg.output.typed import to_parquet
from glutseg.result import CaseResult

FAILED = CaseRow(
    CaseResult("P-0-1", "=P-0", "1.2.0", "", "failed", error_code="no-ct", error_message="only MR"), "test"
)


def test_parquet_holds_the_rows_of_the_csv_with_their_types(example):
    rows = [CaseRow(example.result, "test"), FAILED]
    table = pq.read_table(io.BytesIO(to_parquet(MEASUREMENTS, rows)))
    texts = csv.DictReader(io.StringIO(to_csv(MEASUREMENTS, rows), newline=""))
    for row, text in zip(table.to_pylist(), texts, strict=True):
        assert {name: "" if v is None else str(v) for name, v in row.items()} == {
            name: cell.removeprefix("'") for name, cell in text.items()
        }
    only_unknowns = pq.read_table(io.BytesIO(to_parquet(MEASUREMENTS, [FAILED])))
    assert only_unknowns.schema == table.schema


def test_without_pyarrow_it_is_said_what_is_missing(monkeypatch):
    monkeypatch.setattr("glutseg.errors.find_spec", lambda name: None)
    with pytest.raises(GlutsegError, match=r"extra-missing: pyarrow.*\[parquet\]"):
        to_parquet(MEASUREMENTS, [FAILED])
