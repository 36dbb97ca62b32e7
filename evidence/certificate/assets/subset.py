"""Cuts the committed font out of Debian's fonts-noto-cjk.

Usage: subset.py NotoSerifCJK-Regular.ttc OUT.otf   (needs PyPI fonttools)
"""

import sys

from fontTools import subset
from fontTools.ttLib import TTCollection

SIMPLIFIED_CHINESE = "Noto Serif CJK SC"


def characters():
    """GB 2312 complete (6,763 ideographs, rows 1-3), ASCII, Latin-1, and the signs that documents need."""
    for row in [0xA1, 0xA2, 0xA3, *range(0xB0, 0xF8)]:
        for cell in range(0xA1, 0xFF):
            try:
                yield bytes([row, cell]).decode("gb2312")
            except UnicodeDecodeError:
                pass
    yield from map(chr, range(0x20, 0x7F))
    yield from (chr(code) for code in range(0xA1, 0x100) if code != 0xAD)
    yield from "〇—–‘’“”…·•№℃≤≥"


def main(source, out):
    fonts = TTCollection(source).fonts
    font = next(f for f in fonts if f["name"].getDebugName(1) == SIMPLIFIED_CHINESE)
    options = subset.Options()
    options.hinting = False
    options.layout_features = []
    options.name_IDs = ["*"]
    options.drop_tables += ["GPOS", "GSUB", "GDEF", "BASE", "vhea", "vmtx", "VORG"]
    options.notdef_outline = True
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(characters()))
    subsetter.subset(font)
    subset.save_font(font, out, options)


main(*sys.argv[1:])
