"""Many studies, one after the other."""

from glutseg.batch.run import RunSummary, run

__all__ = ["RunSummary", "run"]
