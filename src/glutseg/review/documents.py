"""The part of the documentation of reviews that is written from the code."""

from glutseg.output.documents import Sections, columns_table
from glutseg.review.reviews_table import REVIEWS

REVIEW_PAGES: dict[str, Sections] = {"how-to/viewer.md": {"reviews": lambda: columns_table(REVIEWS)}}
