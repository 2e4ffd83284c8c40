"""Write the generated tables of docs/ anew: python scripts/write_docs.py"""

from pathlib import Path

from glutseg.cli.documents import CLI_PAGES
from glutseg.exchange.osirix_table import EXCHANGE_PAGES
from glutseg.output.documents import GENERATED, refresh
from glutseg.review.documents import REVIEW_PAGES

DOCS = Path(__file__).resolve().parents[1] / "docs"

for name in (every := GENERATED | REVIEW_PAGES | EXCHANGE_PAGES | CLI_PAGES):
    path = DOCS / name
    path.write_text(refresh(name, path.read_text(encoding="utf-8"), every), encoding="utf-8")
