"""glutseg: gluteus maximus area on pelvic CT, from a DICOM folder to a table.

A folder to results, and every stage on its own::

    import glutseg

    run = glutseg.run_folder("export/", "out/")    # as `glutseg run`
    run.frame()                                    # measurements.csv as a pandas table
    run.mask("PATIENT-1-0123456789").to_sitk()     # outlines with their geometry

    case = glutseg.measure_study("export/patient-1")
    for flag in case.result.flags:
        print(flag, flag.message, flag.remedy)

    volume = glutseg.load("export/patient-1")      # CtImage: HU with geometry
    level = glutseg.find_level(volume)             # slice index, z in mm
    mask = glutseg.segment(volume, level)          # Mask: 1 left, 2 right
    sides = glutseg.measure(volume, mask, level)   # areas in mm², densities in HU
    glutseg.plot_overlay(volume, mask, level)

OsiriX's growing region from a seed (x, y, z)::

    region = glutseg.grow(volume, (180, 310, 42), "interval", interval_hu=100)
    print(region.readout.area_mm2, region.readout.mean_hu)

What is named here is what scripts may rely on (docs/reference/api.md); all else may change without notice.
Names are loaded when first used, so that importing glutseg is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from glutseg.version import __version__

if TYPE_CHECKING:
    from glutseg.api.cases import measure_folder, measure_mask, measure_study
    from glutseg.api.comparing import compare_groups, compare_raters
    from glutseg.api.pictures import plot_overlay
    from glutseg.api.runs import Run, read_run, run_folder, to_frame
    from glutseg.api.stages import find_level, grow, load, measure, segment
    from glutseg.case import Case
    from glutseg.errors import Flag, GlutsegError
    from glutseg.image import CtImage, Geometry, Mask
    from glutseg.protocol import Protocol, load_protocol
    from glutseg.result import CaseResult, Level, SliceMeasurement

_HOME = {
    "Run": "api.runs",
    "compare_groups": "api.comparing",
    "compare_raters": "api.comparing",
    "find_level": "api.stages",
    "grow": "api.stages",
    "load": "api.stages",
    "measure": "api.stages",
    "measure_folder": "api.cases",
    "measure_mask": "api.cases",
    "measure_study": "api.cases",
    "plot_overlay": "api.pictures",
    "read_run": "api.runs",
    "run_folder": "api.runs",
    "segment": "api.stages",
    "to_frame": "api.runs",
    "Case": "case",
    "Flag": "errors",
    "GlutsegError": "errors",
    "Protocol": "protocol",
    "load_protocol": "protocol",
    "CaseResult": "result",
    "Level": "result",
    "SliceMeasurement": "result",
    "Geometry": "volume",
    "Mask": "volume",
    "CtImage": "volume",
}

__all__ = [
    "Case",
    "CaseResult",
    "CtImage",
    "Flag",
    "Geometry",
    "GlutsegError",
    "Level",
    "Mask",
    "Protocol",
    "Run",
    "SliceMeasurement",
    "__version__",
    "compare_groups",
    "compare_raters",
    "find_level",
    "grow",
    "load",
    "load_protocol",
    "measure",
    "measure_folder",
    "measure_mask",
    "measure_study",
    "plot_overlay",
    "read_run",
    "run_folder",
    "segment",
    "to_frame",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        msg = f"module 'glutseg' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"glutseg.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
