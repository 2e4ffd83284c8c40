"""Masks that other programs wrote once (scripts/write_foreign_masks.py), kept in written_by_others."""

from pathlib import Path

WRITTEN = Path(__file__).parent / "written_by_others"
FILES = [
    ("dcmqi", "SEG, binary", "dcmqi.seg.dcm"),
    ("dcmjs (OHIF)", "SEG, binary", "dcmjs.seg.dcm"),
    ("plastimatch 1.9.4", "RTSTRUCT", "plastimatch.rtstruct.dcm"),
    ("rt-utils", "RTSTRUCT", "rt-utils.rtstruct.dcm"),
    ("slicerio 1.4.0", "NRRD of 3D Slicer", "slicerio.seg.nrrd"),
]
"""Program, format and name of each file."""
