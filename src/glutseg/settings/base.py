"""What all settings have in common: frozen, checked, and each value with its unit and meaning."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """The settings of one algorithm; a key that does not exist is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)


def _ascending(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] >= bounds[1]:
        msg = f"must be [low, high] with low < high, got {list(bounds)}"
        raise ValueError(msg)
    return bounds


Length = Annotated[float, Field(gt=0, le=300)]
Offset = Annotated[float, Field(ge=-300, le=300)]
Range = Annotated[tuple[Offset, Offset], AfterValidator(_ascending)]
Share = Annotated[float, Field(ge=0, le=1)]
Ratio = Annotated[float, Field(ge=1, le=100)]
Percent = Annotated[float, Field(gt=0, le=100)]
Weight = Annotated[float, Field(ge=0, le=10)]
Count = Annotated[int, Field(ge=0, le=10_000)]
Angle = Annotated[float, Field(ge=-90, le=90)]
Area = Annotated[float, Field(ge=0, le=1_000_000)]
AreaRange = Annotated[tuple[Area, Area], AfterValidator(_ascending)]
Volume = Annotated[float, Field(ge=0, le=1_000_000)]
Slope = Annotated[float, Field(gt=0, le=1000)]
Hu = Annotated[int, Field(ge=-1024, le=32767)]
HuRange = Annotated[tuple[Hu, Hu], AfterValidator(_ascending)]
MeanHuRange = Annotated[
    tuple[Annotated[float, Field(ge=-1024, le=3071)], Annotated[float, Field(ge=-1024, le=3071)]],
    AfterValidator(_ascending),
]
