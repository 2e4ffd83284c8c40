"""The parts of the documentation of reviews that are written from the code."""

from glutseg.output.documents import Sections, columns_table
from glutseg.result import EXCLUSION_REASONS
from glutseg.review.reviews_table import REVIEWS


def reasons_table() -> str:
    """Key, words and code of every reason to exclude a case, as a Markdown table."""
    rows = [
        f"| {key} | {words} | `{code}` |" for key, (code, words) in enumerate(EXCLUSION_REASONS.items(), 1)
    ]
    return "\n".join(["| key | reason | code in the tables |", "|---|---|---|", *rows])


REVIEW_PAGES: dict[str, Sections] = {
    "how-to/viewer.md": {"reasons": reasons_table, "reviews": lambda: columns_table(REVIEWS)}
}
