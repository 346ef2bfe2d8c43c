#!/usr/bin/env python3
"""Print core/src/identity/idna_table.h, what utf8proc has not of the Unicode Character Database: tables.py FOLDER, which has the database (UCD.zip)."""

import re
import sys
from pathlib import Path

HEAD = """/*
 * identity/idna_table.h: what IDNA's rules of context ask for and utf8proc does not have, of Unicode {version}. Written by tests/identity/tables.py; for
 * idna.c alone.
 */
#ifndef BRANT__IDENTITY_IDNA_TABLE_H
#define BRANT__IDENTITY_IDNA_TABLE_H

#include "base/base.h"

/* Code points that are of one kind. Tables are in order. */
typedef struct point_span {{
    int32_t first;
    int32_t last;
    char kind;
}} point_span;
"""


def read(path):
    """{code point: value} of a file of the database."""
    found = {}
    for line in path.read_text().splitlines():
        match = re.match(r"([0-9A-F]+)(?:\.\.([0-9A-F]+))?\s*;\s*(\w+)", line)
        if match:
            first, last, value = match.groups()
            found.update(dict.fromkeys(range(int(first, 16), int(last or first, 16) + 1), value))
    return found


def table(name, kinds):
    print(f"static const point_span {name}[] = {{")
    first = previous = None
    for point in [*sorted(kinds), -1]:
        if previous is not None and (point != previous + 1 or kinds[point] != kinds[previous]):
            print(f"{{0x{first:04X}, 0x{previous:04X}, '{kinds[previous]}'}},")
            first = None
        first = point if first is None else first
        previous = point
    print("};\n")


def main():
    folder = Path(sys.argv[1])
    category = read(folder / "extracted/DerivedGeneralCategory.txt")
    joining = read(folder / "extracted/DerivedJoiningType.txt")
    # By default marks and format characters are transparent, others of no type; C (causing) is of use to no rule.
    default = {point: "T" if value in ("Mn", "Me", "Cf") else "U" for point, value in category.items() if value != "Cn"}
    types = {point: joining.get(point, "U").replace("C", "U") for point in default}
    kinds = {"Greek": "G", "Hebrew": "H", "Han": "J", "Hiragana": "J", "Katakana": "J"}
    version = re.search(r"Scripts-([\d.]+)\.txt", (folder / "Scripts.txt").read_text())[1]

    print(HEAD.format(version=version))
    print("/* Joining_Type: 'D' dual, 'L' left, 'R' right, 'T' transparent, 'U' none. Not here: marks and format characters of type T, and others of type U. */")
    table("joining_types", {point: kind for point, kind in types.items() if kind != default[point]})
    print("/* Script: 'G' Greek, 'H' Hebrew, 'J' those of Japanese: Han, Hiragana, Katakana. */")
    table("scripts", {point: kinds[value] for point, value in read(folder / "Scripts.txt").items() if value in kinds})
    print("#endif")


if __name__ == "__main__":
    main()
