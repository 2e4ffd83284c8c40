"""glutseg: gluteus maximus area on pelvic CT, from a DICOM folder to a table.

A folder to results, and every stage on its own::

    import glutseg

    run = glutseg.run_folder("export/", "out/")    # as `glutseg run`
    run.frame()                                    # measurements.csv as a pandas table
    run.mask("PATIENT-1-0123456789").to_sitk()     # outlines with their geometry

    case = glutseg.measure_study("export/patient-1")
    for flag in case.flags:
        print(flag, flag.message, flag.remedy)

    image = glutseg.load("export/patient-1")       # HU with geometry
    level = glutseg.find_level(image)              # slice index, z in mm
    found = glutseg.segment(image, level)          # mask, expected error and quality flags
    sides = glutseg.measure(image, found, level)   # areas in mm², densities in HU
    glutseg.plot_overlay(image, found, level)

OsiriX's growing region from a seed (x, y, z)::

    region = glutseg.grow(image, (180, 310, 42), "interval", interval_hu=100)
    print(region.readout.area_mm2, region.readout.mean_hu)

What is named here is what scripts may rely on (docs/reference/api.md); all else may change without notice.
Names are loaded when first used, so that importing glutseg is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from glutseg.version import __version__

if TYPE_CHECKING:
    from glutseg.api.cases import measure_mask, measure_study
    from glutseg.api.comparing import compare_groups, compare_raters
    from glutseg.api.pictures import plot_overlay
    from glutseg.api.runs import Run, read_run, run_folder
    from glutseg.api.stages import find_level, grow, load, measure, segment
    from glutseg.case import Case
    from glutseg.errors import GlutsegError
    from glutseg.image import CtImage, Mask
    from glutseg.protocol import load_protocol

_HOME = {
    "Case": "case",
    "CtImage": "image",
    "GlutsegError": "errors",
    "Mask": "image",
    "Run": "api.runs",
    "compare_groups": "api.comparing",
    "compare_raters": "api.comparing",
    "find_level": "api.stages",
    "grow": "api.stages",
    "load": "api.stages",
    "load_protocol": "protocol",
    "measure": "api.stages",
    "measure_mask": "api.cases",
    "measure_study": "api.cases",
    "plot_overlay": "api.pictures",
    "read_run": "api.runs",
    "run_folder": "api.runs",
    "segment": "api.stages",
}
_GONE = {
    "CaseResult": "it is in glutseg.result",
    "Flag": "it is in glutseg.errors",
    "Geometry": "it is in glutseg.geometry",
    "LevelFound": "it is glutseg.result.Level",
    "Protocol": "it is in glutseg.protocol",
    "SideMeasurement": "it is glutseg.result.SliceMeasurement",
    "Volume": "it is CtImage",
    "measure_folder": "use run_folder, or measure_study for each study",
    "to_frame": "use run_folder(...).frame()",
}
"""Names of 0.1 and where they went."""

__all__ = [
    "Case",
    "CtImage",
    "GlutsegError",
    "Mask",
    "Run",
    "__version__",
    "compare_groups",
    "compare_raters",
    "find_level",
    "grow",
    "load",
    "load_protocol",
    "measure",
    "measure_mask",
    "measure_study",
    "plot_overlay",
    "read_run",
    "run_folder",
    "segment",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        hint = f": {_GONE[name]}" if name in _GONE else ""
        msg = f"module 'glutseg' has no attribute {name!r}{hint}"
        raise AttributeError(msg)
    return getattr(import_module(f"glutseg.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
