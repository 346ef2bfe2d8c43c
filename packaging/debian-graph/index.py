"""The machine's Debian package index as nodes and edges.

Sources, the first that there is: apt's lists, read through apt's own helper, which knows their compression; dpkg's status; the small
index beside this file, which is made up. What is installed comes from dpkg's status in any case.
Formats: deb822 and "Declaring relationships between packages" in the Debian Policy Manual, chapters 5 and 7.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any, Iterator

HERE = Path(__file__).resolve().parent
LISTS = Path("/var/lib/apt/lists")
HELPER = Path("/usr/lib/apt/apt-helper")
STATUS = Path("/var/lib/dpkg/status")
EXTENDED = Path("/var/lib/apt/extended_states")
SMALL = HERE / "small-index"
MADE_UP = "the small index made for this example"

RELATIONS = {
    "Depends": "Depends",
    "Pre-Depends": "PreDepends",
    "Recommends": "Recommends",
    "Suggests": "Suggests",
    "Enhances": "Enhances",
    "Conflicts": "Conflicts",
    "Breaks": "Breaks",
    "Replaces": "Replaces",
    "Provides": "Provides",
}
WANTED = {*RELATIONS, "Package", "Version", "Section", "Priority", "Installed-Size", "Essential", "Description", "Status", "Auto-Installed"}
RELATION = re.compile(r"\s*([^\s(:\[]+)(?::([a-z0-9-]+))?\s*(?:\(\s*(<<|<=|=|>=|>>|<|>)\s*([^)\s]+)\s*\))?")


def stanzas(text: str) -> Iterator[dict[str, str]]:
    """deb822 paragraphs, only the fields that are used; continuation lines are joined where they matter."""
    for paragraph in text.split("\n\n"):
        fields: dict[str, str] = {}
        last = None
        for line in paragraph.split("\n"):
            if line[:1] in (" ", "\t"):
                if last in RELATIONS:
                    fields[last] += line
                continue
            name, colon, value = line.partition(":")
            last = name if colon and name in WANTED else None
            if last:
                fields[last] = value.strip()
        if "Package" in fields:
            yield fields


def order(character: str) -> int:
    if character == "~":
        return -1
    return ord(character) if character.isalpha() else ord(character) + 256


def compare_part(a: str, b: str) -> int:
    """deb-version(7): non-digits by the modified order, digits by value, in turn."""
    while a or b:
        x, y = re.match(r"\D*", a).group(), re.match(r"\D*", b).group()  # type: ignore[union-attr]
        left, right = [order(c) for c in x] + [0], [order(c) for c in y] + [0]
        if left != right:
            return -1 if left < right else 1
        a, b = a[len(x) :], b[len(y) :]
        x, y = re.match(r"\d*", a).group(), re.match(r"\d*", b).group()  # type: ignore[union-attr]
        if int(x or 0) != int(y or 0):
            return -1 if int(x or 0) < int(y or 0) else 1
        a, b = a[len(x) :], b[len(y) :]
    return 0


def compare_versions(a: str, b: str) -> int:
    def split(version: str) -> tuple[int, str, str]:
        epoch, colon, rest = version.partition(":")
        upstream, dash, revision = (rest if colon else version).rpartition("-")
        return int(epoch) if colon else 0, upstream if dash else revision, revision if dash else "0"

    x, y = split(a), split(b)
    if x[0] != y[0]:
        return -1 if x[0] < y[0] else 1
    return compare_part(x[1], y[1]) or compare_part(x[2], y[2])


def sources(small: bool) -> tuple[str, list[str]]:
    """What the index is, in words, and its texts."""
    if small:
        return MADE_UP, [SMALL.read_text()]
    lists = sorted(LISTS.glob("*_Packages*"))
    if lists and HELPER.exists():
        texts = [subprocess.run([HELPER, "cat-file", path], check=True, capture_output=True, text=True).stdout for path in lists]
        return f"{len(lists)} package lists of apt", texts
    if STATUS.exists() and STATUS.stat().st_size:
        return "dpkg's status", [STATUS.read_text()]
    return MADE_UP, [SMALL.read_text()]


def clauses(value: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The names that a relation field mentions, each with where and how."""
    for group, alternatives in enumerate(value.split(",")):
        names = alternatives.split("|")
        for name in names:
            found = RELATION.match(name)
            if not found:
                continue
            clause: dict[str, Any] = {"group": group, "alternatives": len(names)}
            if found[3]:
                clause["relation"] = {"<": "<=", ">": ">="}.get(found[3], found[3])  # the two deprecated forms
                clause["version"] = found[4]
            if found[2]:
                clause["architecture"] = found[2]
            yield found[1], clause


class Index:
    """`packages`: name -> attributes; `edges`: (source, type, target) -> clauses; `virtual`: names that are no package's."""

    def __init__(self, kind: str, texts: list[str], status: str, automatic: set[str]) -> None:
        self.kind = kind
        self.packages: dict[str, dict[str, Any]] = {}
        self.edges: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        installed = {f["Package"]: f for f in stanzas(status) if f.get("Status", "").endswith(" installed")}
        for text in texts:
            for fields in stanzas(text):
                self.add(fields)
        for name, fields in installed.items():
            # What is installed and in no list is a package too.
            self.add(fields)
            self.packages[name]["installed"] = True
            self.packages[name]["manual"] = name not in automatic
        self.virtual = sorted({target for _, _, target in self.edges} - self.packages.keys())

    def add(self, fields: dict[str, str]) -> None:
        name, version = fields["Package"], fields.get("Version", "")
        if not version:
            return
        known = self.packages.get(name)
        if known is None or compare_versions(version, known["version"]) > 0:
            self.packages[name] = self.attributes(fields, version)
        for field, edge_type in RELATIONS.items():
            value = fields.get(field)
            if not value:
                continue
            # Versions of one package from several lists: each names its own relations, and all of them are kept.
            for target, clause in clauses(value):
                found = self.edges.setdefault((name, edge_type, target), [])
                if clause not in found:
                    found.append(clause)

    @staticmethod
    def attributes(fields: dict[str, str], version: str) -> dict[str, Any]:
        attributes: dict[str, Any] = {"version": version, "installed": False}
        for field, member in (("Section", "section"), ("Priority", "priority"), ("Description", "summary")):
            if fields.get(field):
                attributes[member] = fields[field]
        if fields.get("Installed-Size", "").isdigit():
            attributes["installed_size"] = int(fields["Installed-Size"])
        if fields.get("Essential") == "yes":
            attributes["essential"] = True
        return attributes

    def nodes(self) -> Iterator[dict[str, Any]]:
        for name, attributes in self.packages.items():
            yield {"key": name, "type": "Package", "attributes": attributes}
        for name in self.virtual:
            yield {"key": name, "type": "Virtual"}

    def relations(self) -> Iterator[dict[str, Any]]:
        for (source, edge_type, target), found in self.edges.items():
            yield {"source": source, "target": target, "type": edge_type, "attributes": {"clauses": found}}


def read(small: bool = False) -> Index:
    """The index of this machine, or the small one when there is none or it is asked for."""
    kind, texts = sources(small)
    made_up = kind == MADE_UP
    status = texts[0] if made_up else STATUS.read_text() if STATUS.exists() else ""
    automatic = set()
    if EXTENDED.exists() and not made_up:
        automatic = {f["Package"] for f in stanzas(EXTENDED.read_text()) if f.get("Auto-Installed") == "1"}
    if made_up:
        automatic = {f["Package"] for f in stanzas(status) if f.get("Auto-Installed") == "1"}
    return Index(kind, texts, status, automatic)


