"""What the methods paragraph needs of the records of `glutseg study` and `glutseg agree`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

Text = Annotated[str, Field(max_length=500)]
Model = TypeVar("Model", bound=BaseModel)


class Question(BaseModel):
    """As `glutseg.study.sample.Question`."""

    covariates: list[Text] = []
    correlates: list[Text] = []


class StudyValue(BaseModel):
    """What was compared."""

    words: Text


class RankTest(BaseModel):
    """How its p was found; records of earlier versions do not say."""

    method: Text = ""


class Compared(BaseModel):
    """Patients in both groups."""

    n_first: int
    n_second: int
    mann_whitney: RankTest = RankTest()


class Resampled(BaseModel):
    """Intervals by bootstrap; ``note`` says why there are none."""

    resamples: int
    note: Text = ""


class Fitted(BaseModel):
    """A linear model, and how its standard errors were made."""

    name: Text
    errors: Text = ""


class Tests(BaseModel):
    """The tests whose p values were adjusted together."""

    tests: list[Any] = []


class Sensitivity(BaseModel):
    """Comparisons under other choices."""

    outcomes: list[Any] = []


class StudyRecord(BaseModel):
    """study.json."""

    question: Question
    value: StudyValue
    groups: tuple[Text, Text]
    comparison: Compared
    bootstrap: Resampled | None = None
    models: list[Fitted] = []
    sides: dict[str, Any] | None = None
    multiple_testing: Tests = Tests()
    sensitivity: Sensitivity = Sensitivity()
    libraries: dict[Text, Text] = {}


class AgreementRow(BaseModel):
    """A row of agreement.csv."""

    raters: Text
    quantity: Text
    n_raters: int
    n: int
    bias_mm2: float | None = None
    limit_lower_mm2: float | None = None
    limit_upper_mm2: float | None = None
    icc_agreement: float | None = None
    icc_agreement_low: float | None = None
    icc_agreement_high: float | None = None
    n_outlines: int = 0
    dice_median: float | None = None
    dice_min: float | None = None


class Note(BaseModel):
    """A note on the comparison."""

    code: Text


class AgreementRecord(BaseModel):
    """agreement.json."""

    agreement: list[AgreementRow]
    notes: list[Note] = []


def read_as(kind: type[Model], record: Mapping[str, Any] | None) -> Model | None:
    """The record as its model; None where there is none, or where it does not hold what the model needs."""
    if record is None:
        return None
    try:
        return kind.model_validate(record)
    except ValidationError:
        return None
