"""Which texts of a header are words of the standard or a vendor's code, and which might name somebody.

Whoever fills in a header may write a name into any of its texts. What a run with pseudonyms writes holds
only texts that stand here.
"""

from __future__ import annotations

import re

from pydicom.config import IGNORE
from pydicom.uid import UID

from glutseg.dicom.kernel import PHILIPS
from glutseg.dicom.model import NIFTI_IMAGE, SeriesTags

KERNEL = re.compile(
    r"(?:[BCDHIJQSTUV][RFLVCPUY]?\d\d[FSHUMDA]?|FC\d\d(?:-[A-Z])?|\d\d)(?:\\\d)?", re.IGNORECASE | re.ASCII
)
"""Siemens (Br40d\\3), Canon (FC08-H), Hitachi (31)."""
KERNEL_WORDS = frozenset(
    (
        *PHILIPS,
        *("STANDARD", "STND", "SOFT", "DETAIL", "CHST", "BONE", "BONEPLUS", "EDGE", "LUNG", "ULTRA"),  # GE
        *("STD+", "SB", "SC", "SOFT TISSUE", "SHARP", "SMOOTH", "BODY"),
        *("B_SOFT_A", "B_SOFT_B", "B_SOFT_C", "B_SHARP_A", "B_SHARP_B", "B_SHARP_C"),  # United Imaging
    )
)

IMAGE_TYPES = frozenset(
    (
        *("ORIGINAL", "DERIVED", "MIXED", "PRIMARY", "SECONDARY"),
        *("AXIAL", "LOCALIZER", "VOLUME", "ANGIO", "FLUOROSCOPY", "PERFUSION", "REFORMATTED", "OTHER"),
        *("NONE", "MAXIMUM", "MINIMUM", "MEAN", "MEDIAN", "MPR", "CURVED MPR", "MIP", "MINIP", "AVERAGE"),
        *("PROJECTION IMAGE", "VRT", "VOLUME RENDERING", "SCREEN SAVE", "RESAMPLED", "REFORMAT", "CPR"),
        *(f"CT_SOM{n} {mode}" for n in (4, 5, 7) for mode in ("SPI", "SEQ", "TOP", "PROT", "MON")),
        *("SPI", "SEQ", "TOP", "ADD", "HELIX", "HELICAL"),
        *("CSA MPR", "CSAPARALLEL", "CSA RESAMPLED", "RT3D", "DUAL", "CENTERED", "STD", "GDC", "GSI", "AVE"),
        *(
            "MONO",
            "MONOENERGETIC",
            "DET_AB",
            "DIXON",
            "WATER",
            "FAT",
            "NORM",
            "ND",
            "SUBTRACTION",
            "FILTERED",
        ),
        *("BONE", "LUNG", "DIAGNOSTIC", "CT", "PET", "AC"),
    )
)
"""Values of Image Type: of the standard (PS3.3, C.8.2.1 and C.8.16), and those of the scanners' makers."""

MODALITIES = frozenset(
    (
        *("CR", "CT", "CTPROTOCOL", "DOC", "DX", "ECG", "ES", "FID", "IO", "IVUS", "KO", "M3D", "MG", "MR"),
        *("NM", "OT", "PLAN", "PR", "PT", "PX", "REG", "RF", "RG", "RTDOSE", "RTIMAGE", "RTPLAN", "RTRECORD"),
        *("RTSTRUCT", "RWV", "SEG", "SM", "SR", "TG", "US", "XA", "XC"),
    )
)
"""PS3.3, C.7.3.1.1.1."""

RESCALE_TYPES = frozenset(
    ("OD", "HU", "US", "MGML", "Z_EFF", "ED", "EDW", "HU_MOD", "PCT", "PROPCNT", "BQML")
)
"""PS3.3, C.11.1.1.2, and units of Positron Emission Tomography (C.8.9.1)."""

BODY_PARTS = frozenset(
    (
        *("PELVIS", "HIP", "ABDOMEN", "ABDOMENPELVIS", "CHESTABDPELVIS", "CHESTABDOMEN", "CHEST", "THORAX"),
        *("HEAD", "NECK", "HEADNECK", "BRAIN", "SKULL", "SINUS", "SPINE", "CSPINE", "TSPINE", "LSPINE"),
        *("SSPINE", "LSSPINE", "TLSPINE", "SHOULDER", "ARM", "ELBOW", "WRIST", "HAND", "THIGH", "FEMUR"),
        *("LEG", "KNEE", "CALF", "ANKLE", "FOOT", "EXTREMITY", "UP_EXM", "LOW_EXM", "HEART", "LIVER"),
        *("KIDNEY", "BLADDER", "PROSTATE", "COLON", "AORTA", "WHOLEBODY", "WHOLE BODY", "TRUNK", "BODY"),
        *("BECKEN", "HUEFTE", "ABD", "ABD PELVIS", "ABDOMEN PELVIS", "CHEST ABDOMEN PELVIS", "LOWER LIMB"),
    )
)
"""Of PS3.16, Annex L, those near a pelvis and the frequent ones, and what is often written for them."""


def is_known_kernel(name: str) -> bool:
    """Whether a Convolution Kernel is a code of one of the large vendors.

    >>> is_known_kernel("Br40d\\\\3"), is_known_kernel("FC08"), is_known_kernel("Jane Doe")
    (True, True, False)
    """
    return bool(KERNEL.fullmatch(name)) or name.upper() in KERNEL_WORDS


def free_texts(tags: SeriesTags) -> frozenset[str]:
    """The texts of a series that messages may show and that are none of the known words."""
    found = {
        *(word for word in tags.image_type if word not in IMAGE_TYPES),
        *({tags.modality} - MODALITIES),
        *({tags.rescale_type} - RESCALE_TYPES),
        *({tags.body_part} - BODY_PARTS),
        *(uid for uid in (tags.sop_class_uid, tags.transfer_syntax_uid) if not _is_known_uid(uid)),
        *(() if is_known_kernel(tags.kernel) else (tags.kernel,)),
    }
    return frozenset(found - {""})


def _is_known_uid(uid: str) -> bool:
    return uid in ("", NIFTI_IMAGE) or UID(uid, validation_mode=IGNORE).name != uid
