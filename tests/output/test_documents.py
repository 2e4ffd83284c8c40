from pathlib import Path

import pytest

from glutseg.cli.documents import CLI_PAGES
from glutseg.errors import catalogue
from glutseg.exchange.osirix_table import EXCHANGE_PAGES
from glutseg.output.documents import GENERATED, refresh
from glutseg.output.schema import MEASUREMENTS
from glutseg.output.slice_tables import PROFILE
from glutseg.review.documents import REVIEW_PAGES

EVERY = GENERATED | REVIEW_PAGES | EXCHANGE_PAGES | CLI_PAGES
DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", EVERY)
def test_documents_are_as_the_code_says(name):
    text = (DOCS / name).read_text(encoding="utf-8")
    assert text == refresh(name, text, EVERY), "run: python scripts/write_docs.py"


def test_every_column_and_code_is_documented():
    output, flags = (
        (DOCS / name).read_text(encoding="utf-8") for name in ("reference/output.md", "reference/flags.md")
    )
    assert all(f"| `{c.name}` |" in output for c in (*MEASUREMENTS, *PROFILE))
    assert all(f"| `{code}` |" in flags for code in catalogue())


def test_a_document_without_its_marks_is_refused():
    with pytest.raises(ValueError, match="marks"):
        refresh("reference/flags.md", "# Flags\n")
