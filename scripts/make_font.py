"""Make src/glutseg/output/DejaVuSans.ttf, the letters of overlays, from the font that comes with matplotlib.

It holds Latin, Greek and Cyrillic with punctuation, arrows and signs of mathematics: a seventh of the whole.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import matplotlib as mpl
from fontTools import subset

SOURCE = Path(mpl.get_data_path()) / "fonts" / "ttf"
TARGET = Path(__file__).resolve().parents[1] / "src" / "glutseg" / "output"
BLOCKS = (
    (0x0020, 0x007E),
    (0x00A0, 0x024F),  # Latin-1, Latin Extended-A and -B
    (0x02C6, 0x02DD),
    (0x0370, 0x045F),  # Greek, Cyrillic
    (0x0490, 0x0491),
    (0x1E00, 0x1EFF),  # Latin with two accents, as in Vietnamese
    (0x2010, 0x2044),
    (0x2070, 0x209C),  # raised and lowered digits
    (0x20AC, 0x20AC),
    (0x2100, 0x2122),
    (0x2190, 0x2195),
    (0x2200, 0x2265),
)


def main() -> None:
    options = subset.Options(
        hinting=False,  # a third of the bytes; FreeType hints letters by itself
        layout_features=[],
        legacy_kern=True,
        name_IDs=["*"],
        notdef_outline=True,
        drop_tables=[*subset.Options().drop_tables, "FFTM"],
    )
    font = subset.load_font(SOURCE / "DejaVuSans.ttf", options)
    letters = subset.Subsetter(options)
    letters.populate(unicodes=[code for first, last in BLOCKS for code in range(first, last + 1)])
    letters.subset(font)
    subset.save_font(font, TARGET / "DejaVuSans.ttf", options)
    shutil.copyfile(SOURCE / "LICENSE_DEJAVU", TARGET / "DejaVuSans.LICENSE.txt")


if __name__ == "__main__":
    main()
