"""Write the generated tables of docs/ anew: python scripts/write_docs.py"""

from pathlib import Path

from glutseg.output.documents import GENERATED, refresh

DOCS = Path(__file__).resolve().parents[1] / "docs"

for name in GENERATED:
    path = DOCS / name
    path.write_text(refresh(name, path.read_text(encoding="utf-8")), encoding="utf-8")
