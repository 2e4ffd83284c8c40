from .gluteus import segment
from .outliners import AUTOMATIC, OUTLINERS, GivenMaskOutliner, Outliner, named_outliner
from .outlines import OutlineQuality, Outlines
from .peak import peak_level

__all__ = [
    "AUTOMATIC",
    "OUTLINERS",
    "GivenMaskOutliner",
    "OutlineQuality",
    "Outliner",
    "Outlines",
    "named_outliner",
    "peak_level",
    "segment",
]
