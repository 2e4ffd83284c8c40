"""A synthetic pelvis CT whose gluteus maximus areas are known exactly.

>>> from glutseg.phantom import PhantomPatient, PhantomScan, render
>>> phantom = render(PhantomPatient(seed=3), PhantomScan(matrix=90, pixel_mm=5.0, z_range_mm=(20, 26)))
>>> phantom.volume.hu.shape
(3, 90, 90)
>>> 1500 < phantom.area_mm2("left", 24.0) < 6500
True
"""

from __future__ import annotations

from glutseg.phantom.cohort import CohortMember, cohort_members, write_cohort
from glutseg.phantom.dicom_files import write_dicom
from glutseg.phantom.patient import PhantomPatient, PhantomScan
from glutseg.phantom.render import Phantom, render
from glutseg.phantom.studies import (
    SAMPLE_PATIENTS,
    SAMPLE_SCAN,
    random_patients,
    truth_of,
    write_sample,
    write_studies,
)

__all__ = [
    "SAMPLE_PATIENTS",
    "SAMPLE_SCAN",
    "CohortMember",
    "Phantom",
    "PhantomPatient",
    "PhantomScan",
    "cohort_members",
    "random_patients",
    "render",
    "truth_of",
    "write_cohort",
    "write_dicom",
    "write_sample",
    "write_studies",
]
