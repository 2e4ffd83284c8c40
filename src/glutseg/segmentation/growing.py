"""OsiriX's four growing regions: ITK's connected filters with OsiriX's parameters and defaults.

As in OsiriX there is one seed, the pixels are float, the image is three-dimensional even where it is
a single slice, and neighbours share a face. Both matter for ``confidence``: on integers ITK truncates
the window, and a single slice counts as often as the first neighbourhood is thick.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Geometry, Mask

Hu = Annotated[float, Field(allow_inf_nan=False, ge=-32768, le=32767)]
Radius = Annotated[int, Field(ge=0, le=20)]

REVERSED = "bounds_reversed"


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Bounds(_Settings):
    lower_hu: Hu
    upper_hu: Hu
    """Both ends belong to the region."""

    @model_validator(mode="after")
    def _ordered(self) -> _Bounds:
        if self.lower_hu > self.upper_hu:
            words = "lower {lower} HU is above upper {upper} HU"
            raise PydanticCustomError(REVERSED, words, {"lower": self.lower_hu, "upper": self.upper_hu})
        return self


class Interval(_Settings):
    """Connected pixels within the seed's value ± half the interval."""

    method: Literal["interval"] = "interval"
    interval_hu: Annotated[float, Field(ge=0, le=65536, allow_inf_nan=False)] = 100.0


class Bounds(_Bounds):
    """Connected pixels between two values."""

    method: Literal["bounds"] = "bounds"


class Neighborhood(_Bounds):
    """Connected pixels whose whole neighbourhood, a box, lies between two values."""

    method: Literal["neighborhood"] = "neighborhood"
    radius_px: Radius = 2
    """Half-width of the box along x, y and z."""


class Confidence(_Settings):
    """Connected pixels within mean ± multiplier x SD of the region, found anew in each iteration."""

    method: Literal["confidence"] = "confidence"
    multiplier: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = 2.5
    iterations: Annotated[int, Field(ge=0, le=1000)] = 5
    initial_radius_px: Annotated[int, Field(ge=1, le=20)] = 2
    """Half-width of the box around the seed that gives the first mean and SD; a pixel has no SD."""


GrowSettings = Annotated[Interval | Bounds | Neighborhood | Confidence, Field(discriminator="method")]
"""What to grow by. Defaults are those of OsiriX's window (ITKSegmentation3DController)."""

_ADAPTER: TypeAdapter[GrowSettings] = TypeAdapter(GrowSettings)


class Seed(NamedTuple):
    """A pixel of the stored image; all three count from 0.

    ``z`` is the slice in the order of the mask files: ascending along the slices' normal.
    """

    x: int
    y: int
    z: int


def parse_settings(method: str, **parameters: float | None) -> GrowSettings:
    """Check the parameters of a method; None stands for one that was not given.

    Raises
    ------
    GlutsegError
        ``bounds-missing``, ``bounds-reversed``; ``growing-invalid`` for an unknown method, a parameter
        of another method or a value out of range.
    """
    given = {name: value for name, value in parameters.items() if value is not None}
    try:
        return _ADAPTER.validate_python({"method": method, **given})
    except ValidationError as error:
        first = error.errors()[0]
        code = {"missing": "bounds-missing", REVERSED: "bounds-reversed"}.get(
            first["type"], "growing-invalid"
        )
        raise GlutsegError(code, "; ".join(_in_words(e, method) for e in error.errors())) from error


def _in_words(error: Any, method: str) -> str:
    name = str(error["loc"][-1]) if error["loc"] else ""
    words = {
        "missing": f"{method} needs {name}",
        "extra_forbidden": f"{method} has no {name}",
        "union_tag_invalid": f"no method {method!r}; there are interval, bounds, neighborhood, confidence",
        REVERSED: error["msg"],
    }
    return str(words.get(error["type"], f"{name}: {error['msg']}, got {error['input']!r}"))


def parse_seed(text: str) -> tuple[int, ...]:
    """The numbers of ``X,Y`` or ``X,Y,Z``.

    Raises
    ------
    GlutsegError
        ``seed-invalid`` when the text is neither.
    """
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) not in (2, 3):
        raise GlutsegError("seed-invalid", f"expected X,Y or X,Y,Z in whole pixels, got {text!r}")
    return numbers


def place_seed(xyz: Sequence[int], geometry: Geometry, z_mm: float | None = None) -> Seed:
    """The seed on a grid, from x, y and one of: z, a height, nothing where there is only one slice.

    Parameters
    ----------
    xyz : (x, y) or (x, y, z), pixels from 0
    z_mm : LPS height; the slice whose middle is nearest to it is taken

    Raises
    ------
    GlutsegError
        ``seed-invalid`` without exactly one word about the slice, ``seed-outside``.
    """
    n_slices = geometry.shape[0]
    if len(xyz) not in (2, 3):
        raise GlutsegError("seed-invalid", f"a seed has two or three numbers, got {len(xyz)}")
    if len(xyz) == 3:
        if z_mm is not None:
            raise GlutsegError("seed-invalid", "the slice is given twice, by the seed's Z and by z in mm")
        z = xyz[2]
    elif z_mm is not None:
        z = _slice_at(z_mm, geometry)
    elif n_slices == 1:
        z = 0
    else:
        raise GlutsegError("seed-invalid", f"the series has {n_slices} slices and the seed names none")
    seed = Seed(int(xyz[0]), int(xyz[1]), int(z))
    for name, index, size in zip("xyz", seed, geometry.shape[::-1], strict=True):
        if not 0 <= index < size:
            raise GlutsegError("seed-outside", f"{name} = {index}, the image has 0 to {size - 1}")
    return seed


def _slice_at(z_mm: float, geometry: Geometry) -> int:
    if not np.isfinite(z_mm):
        raise GlutsegError("seed-invalid", f"z = {z_mm} mm is no height")
    if not geometry.is_axial:
        raise GlutsegError("seed-invalid", "a height in mm names no slice of a series that is not axial")
    return geometry.nearest_slice(z_mm)


def grow_region(
    volume: CtImage,
    seed: Seed,
    settings: GrowSettings,
    *,
    is_3d: bool = False,
) -> Mask:
    """Grow one region from one seed, as OsiriX does.

    Parameters
    ----------
    volume : CT, in the order in which it is stored
    seed : its value, the raw pixel, is the middle of ``interval``: noise there moves the window
    settings : the method and its parameters
    is_3d : through the whole series; otherwise within the seed's slice

    Returns
    -------
    Mask
        1 inside, 0 outside, on the grid of ``volume``. Empty where the seed itself does not qualify.

    Raises
    ------
    GlutsegError
        ``seed-outside``.
    """
    seed = place_seed(seed, volume.geometry)
    used = slice(None) if is_3d else slice(seed.z, seed.z + 1)
    labels = np.zeros(volume.hu.shape, np.uint8)
    labels[used] = _filtered(
        volume.hu[used].astype(np.float32), seed if is_3d else Seed(*seed[:2], 0), settings
    )
    return Mask.on(volume, labels)


def _filtered(pixels: npt.NDArray[np.float32], seed: Seed, settings: GrowSettings) -> Any:
    """ITK's answer (z, y, x); spacing and direction have no part in it."""
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(pixels)
    seeds = [tuple(seed)]
    match settings:
        case Interval(interval_hu=interval):
            middle = float(pixels[seed.z, seed.y, seed.x])
            found = sitk.ConnectedThreshold(image, seeds, middle - interval / 2, middle + interval / 2, 1)
        case Bounds():
            found = sitk.ConnectedThreshold(image, seeds, settings.lower_hu, settings.upper_hu, 1)
        case Neighborhood(radius_px=r):
            found = sitk.NeighborhoodConnected(
                image, seeds, settings.lower_hu, settings.upper_hu, (r, r, r), 1
            )
        case Confidence():
            found = sitk.ConfidenceConnected(
                image, seeds, settings.iterations, settings.multiplier, settings.initial_radius_px, 1
            )
    return sitk.GetArrayFromImage(found)
