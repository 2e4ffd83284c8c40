"""Rows of a table with their types, for programs."""

from __future__ import annotations

import io
from collections.abc import Sequence

from glutseg.errors import require_extra
from glutseg.output.columns import Cell, Column, Row
from glutseg.output.text import plain


def typed_cells(columns: Sequence[Column[Row]], rows: Sequence[Row]) -> dict[str, list[Cell]]:
    """The cells of every column, None where unknown; texts as they are: no spreadsheet runs them here."""
    return {column.name: [_clean(column.value(row)) for row in rows] for column in columns}


def to_parquet(columns: Sequence[Column[Row]], rows: Sequence[Row]) -> bytes:
    """A Parquet file of the rows.

    Raises
    ------
    GlutsegError
        ``extra-missing`` where pyarrow is not installed.
    """
    require_extra("parquet", "pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {str: pa.string(), float: pa.float64(), int: pa.int64()}
    schema = pa.schema([(column.name, types[column.kind]) for column in columns])
    content = io.BytesIO()
    pq.write_table(pa.table(typed_cells(columns, rows), schema=schema), content)
    return content.getvalue()


def _clean(cell: Cell) -> Cell:
    return plain(cell) if isinstance(cell, str) else cell
