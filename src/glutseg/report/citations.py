"""What the methods paragraph cites, by the words that it cites with."""

from __future__ import annotations

from glutseg.output.folder import PROGRAM
from glutseg.segmentation.totalsegmentator import TotalSegmentator

LEVELS = {
    "femoral-head-top": (
        "Homma et al., 2019",
        "Homma et al. Surg Radiol Anat 2019;41:109–115. doi:10.1007/s00276-018-2099-9 (level)",
    ),
    "greater-trochanter-tip": (
        "Yin et al., 2020",
        "Yin et al. Front Endocrinol 2020;11:503. doi:10.3389/fendo.2020.00503 (level)",
    ),
    "pubic-symphysis-top": ("Koda et al., 1991", "Koda et al. J Showa Med Assoc 1991;51:435 (level)"),
}
AUBREY = "Aubrey et al. Acta Physiol 2014;210:489–497. PMID 24393306 (HU ranges)"
LIBRARIES = (
    "Harris et al. Nature 2020;585:357–362 (NumPy)",
    "Virtanen et al. Nat Methods 2020;17:261–272 (SciPy)",
    "van der Walt et al. PeerJ 2014;2:e453 (scikit-image)",
    "Lowekamp et al. Front Neuroinform 2013;7:45 (SimpleITK)",
)
OUTLINERS: dict[str, tuple[str, ...]] = {
    PROGRAM: ("Çiçek et al. MICCAI 2016; LNCS 9901:424–432. doi:10.1007/978-3-319-46723-8_49 (3D U-Net)",),
    TotalSegmentator.name: (
        "Wasserthal et al. Radiol Artif Intell 2023;5:e230024. doi:10.1148/ryai.230024 (TotalSegmentator)",
        "Isensee et al. Nat Methods 2021;18:203–211 (nnU-Net)",
    ),
}
STUDY = (
    "Hedges. J Educ Stat 1981;6:107–128 (Hedges g)",
    "Holm. Scand J Stat 1979;6:65–70 (adjustment for several tests)",
    "Seabold and Perktold. Proc 9th Python in Science Conf 2010:92–96 (statsmodels)",
)
STUDY_METHODS = {
    "BCa": ("Efron, 1987", "Efron. J Am Stat Assoc 1987;82:171–185 (bootstrap intervals)"),
    "HC3": (
        "MacKinnon and White, 1985",
        "MacKinnon and White. J Econometrics 1985;29:305–325 (HC3 standard errors)",
    ),
    "CR2": (
        "Bell and McCaffrey, 2002",
        "Bell and McCaffrey. Survey Methodol 2002;28:169–181 (CR2 standard errors)",
    ),
}
"""Those that only some studies use."""
AGREEMENT = (
    "Bland and Altman. Stat Methods Med Res 1999;8:135–160 (limits of agreement)",
    "McGraw and Wong. Psychol Methods 1996;1:30–46 (intraclass correlation)",
)


def software(version: str) -> str:
    """The program itself, as CITATION.cff names it."""
    return (
        f"The glutseg developers. glutseg: gluteus maximus cross-sectional area on pelvic CT, "
        f"version {version} (software, Apache-2.0)"
    )
