"""glutseg: gluteus maximus area on pelvic CT, from a DICOM folder to a table.

A folder to results, and every stage on its own::

    import glutseg

    for case in glutseg.measure_folder("export/"):
        print(case.patient_id, case.status, case.measurements)

    volume = glutseg.load("export/patient-1")      # Volume: HU with geometry
    level = glutseg.find_level(volume)             # slice index, z in mm
    mask = glutseg.segment(volume, level)          # Mask: 1 left, 2 right
    sides = glutseg.measure(volume, mask, level)   # areas in mm², densities in HU

OsiriX's growing region from a seed (x, y, z)::

    region = glutseg.grow(volume, (180, 310, 42), "interval", interval_hu=100)
    print(region.readout.area_mm2, region.readout.mean_hu)

Names are loaded when first used, so that importing glutseg is quick.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glutseg.api import find_level, grow, load, measure, measure_folder, segment
    from glutseg.errors import GlutsegError
    from glutseg.protocol import Protocol, load_protocol
    from glutseg.result import CaseResult
    from glutseg.volume import Geometry, Mask, Volume

__version__ = version("glutseg")

_HOME = {
    "find_level": "api",
    "grow": "api",
    "load": "api",
    "measure": "api",
    "measure_folder": "api",
    "segment": "api",
    "GlutsegError": "errors",
    "Protocol": "protocol",
    "load_protocol": "protocol",
    "CaseResult": "result",
    "Geometry": "volume",
    "Mask": "volume",
    "Volume": "volume",
}

__all__ = [
    "CaseResult",
    "Geometry",
    "GlutsegError",
    "Mask",
    "Protocol",
    "Volume",
    "__version__",
    "find_level",
    "grow",
    "load",
    "load_protocol",
    "measure",
    "measure_folder",
    "segment",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        msg = f"module 'glutseg' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"glutseg.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
