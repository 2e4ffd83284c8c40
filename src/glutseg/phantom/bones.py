"""The bones of a pelvis, drawn by hand in idealised anatomical proportions.

One half of the body: x to the side, y to the back, z to the head, in mm, with the origin midway between the
centres of the femoral heads. `Contours` are outlines at several heights, `Spheres` a chain of spheres
(x, y, z, radius). A bone is a dense shell of given thickness filled with marrow.
"""

from __future__ import annotations

from dataclasses import dataclass

Contours = dict[float, str]
Spheres = str

HEAD_CENTRE_MM = (88.0, 0.0, 0.0)
HEAD_RADIUS_MM = 24.0
JOINT_SPACE_MM = 3.0
SOCKET_PLATE_MM = 2.0
"""Thickness of the dense bone under the cartilage of the acetabulum."""
TUBEROSITY_TIP_Z_MM = -76.0
SYMPHYSIS_MM = (12.0, -46.0, -14.0, 8.0)
"""Sphere of the pubic body; its top is the top of the symphysis."""
TROCHANTER_TIP_MM = (142.0, 24.0, -6.0, 10.0)
LESSER_TROCHANTER_MM = (114.0, 23.0, -58.0, 10.0)


@dataclass(frozen=True)
class Bone:
    """A bone of one side or, with ``midline``, in the middle (then half an outline, front to back)."""

    shape: Contours | Spheres
    shell_mm: float
    midline: bool = False
    marrow: str = "marrow"


def sphere(xyz_radius_mm: tuple[float, float, float, float]) -> str:
    """Return a sphere in the text format of `Spheres`."""
    return ",".join(f"{v:g}" for v in xyz_radius_mm)


# order of the points: front tip, outer side, rear tip, inner side
HIP: Contours = {
    TUBEROSITY_TIP_Z_MM: "46,20 48,21 50,23 52,26 53,29 52,31 50,31 48,29 46,27 45,25 44,22 45,20",
    -60: "36,8 46,14 56,18 64,24 66,32 62,37 54,37 48,34 42,26 38,20 34,14 33,9",
    -42: "48,12 58,10 68,14 75,18 80,24 76,34 68,44 60,47 56,40 53,30 50,22 47,16",
    -24: "58,4 66,2 72,3 78,6 80,16 79,30 72,38 62,40 55,36 54,24 54,14 55,8",
    -12: "60,-20 67,-22 74,-14 80,0 87,12 90,22 76,36 58,48 54,34 55,18 55,4 56,-10",
    0: "60,-36 72,-36 80,-28 88,-10 94,14 98,22 72,40 52,52 55,30 56,10 55,-10 53,-28",
    11: "60,-34 78,-33 94,-24 106,-10 106,12 97,24 67,45 56,46 57,27 57,8 55,-12 54,-28",
    24: "60,-27 86,-30 104,-20 110,-2 105,12 88,26 67,38 59,35 60,20 59,6 57,-10 55,-22",
    39: "98,-44 105,-39 106,-14 100,8 89,22 77,32 66,34 61,25 61,10 64,-6 74,-20 90,-34",
    54: "102,-46 108,-40 104,-14 90,16 72,42 54,66 42,75 40,67 52,44 68,18 82,-8 96,-32",
    81: "118,-50 124,-42 117,-14 105,10 84,36 62,64 38,89 29,83 31,70 50,46 66,26 92,4",
    108: "122,-40 130,-34 129,-8 119,17 98,36 64,60 44,86 38,80 40,62 60,42 88,28 110,8",
    135: "129,-6 134,4 124,20 107,34 89,48 72,59 55,64 56,56 72,46 87,36 104,22 120,6",
    152: "113,26 113,30 109,34 103,38 97,42 91,45 86,45 88,40 94,35 100,31 105,27 109,25",
}

SACRUM: Contours = {
    -23: "0,64 3,64 5,65 6,67 6,69 5,71 4,72 2,73 0,73",
    -8: "0,67 6,67 9,69 11,71 11,74 9,77 6,79 3,80 0,80",
    8: "0,69 9,69 15,71 19,73 19,76 15,79 9,81 4,82 0,82",
    24: "0,69 14,69 24,71 31,72 33,75 31,78 22,80 10,83 0,84",
    39: "0,62 14,63 28,68 38,68 42,70 38,75 26,79 12,83 0,86",
    54: "0,44 14,45 28,51 38,59 41,66 36,74 24,79 10,83 0,89",
    66: "0,26 16,27 32,31 50,38 54,45 44,58 30,71 12,77 0,87",
    81: "0,7 18,9 26,20 46,25 62,28 52,47 31,64 12,66 0,84",
    96: "0,4 16,5 26,14 44,26 52,32 44,42 28,46 12,60 0,82",
    104: "0,4 15,5 24,14 30,26 30,34 25,40 16,42 8,44 0,46",
}

SPINAL_CANAL: Spheres = "0,43,190,9 0,44,106,9 0,50,81,7 0,70,52,4"

_L5 = "0,0 13,1 22,7 25,16 23,26 16,32 8,34 4,33 0,33"
_L5_WAIST = "0,3 12,4 20,9 22,16 20,25 15,30 8,32 4,31 0,31"
_DISC_GAP_MM = 8


def _vertebra(low_mm: float) -> Contours:
    return {low_mm: _L5, low_mm + 13: _L5_WAIST, low_mm + 26: _L5}


BONES: dict[str, Bone] = {
    "hip": Bone(HIP, 1.8),
    "pubis": Bone(f"68,-26,2,9 46,-42,-4,7 18,-46,-13,8 {sphere(SYMPHYSIS_MM)} 11,-41,-30,7.5", 1.6),
    "pubic-ramus": Bone("12,-38,-33,6.5 26,-16,-46,5.5 37,4,-58,6 44,18,-64,6", 1.5),
    "sacrum": Bone(SACRUM, 1.5, midline=True),
    "L5": Bone(_vertebra(106), 1.2, midline=True),
    "L4": Bone(_vertebra(106 + 26 + _DISC_GAP_MM), 1.2, midline=True),
    "L3": Bone(_vertebra(106 + 2 * (26 + _DISC_GAP_MM)), 1.2, midline=True),
    "arch-5": Bone("17,32,124,5 17,46,116,5.5 9,54,114,4.5 0,60,112,4.5", 1.2),
    "arch-4": Bone("17,32,158,5 17,46,150,5.5 9,54,148,4.5 0,60,146,4.5", 1.2),
    "spine-5": Bone("0.1,60,114,4.5 0.1,78,108,4.5", 1.2),
    "spine-4": Bone("0.1,60,148,4.5 0.1,80,142,4.5", 1.2),
    "transverse-5": Bone("20,28,124,6 34,38,120,5 44,44,118,4", 1.2),
    "transverse-4": Bone("20,28,158,5 44,38,158,3.5", 1.2),
}
FEMUR: dict[str, Bone] = {
    "head": Bone(sphere((*HEAD_CENTRE_MM, HEAD_RADIUS_MM)), 1.3, marrow="head-marrow"),
    "neck": Bone("88,0,0,16 106,4,-10,15 118,9,-17,15.5 129,14,-26,17", 1.8, marrow="head-marrow"),
    "trochanter": Bone(f"{sphere(TROCHANTER_TIP_MM)} 146,17,-22,12 141,16,-40,14", 1.6),
    "trochanter-crest": Bone("133,30,-9,7 135,28,-26,8 124,26,-44,8", 1.6),
    "lesser-trochanter": Bone(f"{sphere(LESSER_TROCHANTER_MM)} 124,17,-48,12", 2.0),
    "upper-shaft": Bone("129,14,-26,17 132,15,-42,19 132,12,-62,17", 3.0),
    "shaft": Bone("132,12,-62,16.5 131,10,-85,15 130,6,-150,14.5", 6.0, marrow="fatty-marrow"),
}
