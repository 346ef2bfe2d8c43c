#!/usr/bin/env python3
"""Compare brant's email domains with the idna package: compare.py PROGRAM SDIST [COUNT [SEED]].

PROGRAM is built of normalize.c; SDIST is the package's source folder, which has Unicode's IdnaTestV2 vectors; COUNT random domains (100000)
are compared too. Where both refuse, or both give the same, they agree. What is known to differ is counted by its reason.
"""

import random
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from pathlib import Path

import idna
from idna import idnadata

POINTS = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]
SCRIPTS = [
    (0x61, 0x7A), (0x30, 0x39), (0x2D, 0x2E), (0x41, 0x5A), (0xC0, 0x17F), (0x300, 0x345), (0x370, 0x3FF), (0x400, 0x45F), (0x5D0, 0x5F4), (0x600, 0x6FF),
    (0x900, 0x97F), (0xE00, 0xE5B), (0x1100, 0x11FF), (0x1E00, 0x1FFF), (0x2000, 0x206F), (0x200C, 0x200D), (0x2100, 0x214F), (0x3000, 0x30FF),
    (0x4E00, 0x4E80), (0xAC00, 0xAC80), (0xFB00, 0xFB4F), (0xFE70, 0xFEFF), (0xFF00, 0xFFEF), (0x1F600, 0x1F64F), (0x1D400, 0x1D7FF),
]


def ours(program, domains):
    """Of each the normalised form, or what begins with an exclamation mark."""
    lines = "".join(("a@" + domain).encode("utf-8", "surrogatepass").hex() + "\n" for domain in domains)
    answer = subprocess.run([program], input=lines, capture_output=True, text=True, check=True).stdout.split("\n")[:-1]
    assert len(answer) == len(domains)
    return [line if line.startswith("!") else line[2:] for line in answer]


def theirs(domain):
    try:
        return idna.encode(domain, uts46=True, std3_rules=True).decode()
    except UnicodeError as error:
        return f"!{error}"


def decode(label):
    """What it stands for; itself when it is no A-label."""
    try:
        return label[4:].encode().decode("punycode") if label.lower().startswith("xn--") else label
    except UnicodeError:
        return label


def known(domain, ours, theirs):
    """Why the two may differ, or None."""
    try:
        labels = idna.uts46_remap(domain, True).split(".")
    except UnicodeError:
        labels = domain.lower().split(".")
    decoded = [decode(label) for label in labels]
    if any(unicodedata.category(point) == "Cn" for text in [domain, *decoded] for point in text):
        return "assigned after Python's Unicode"
    if ours.startswith("!"):
        if len(labels) < 2 or not all(labels) or labels[-1].isascii() and labels[-1].isdigit():
            return "no two labels, an empty one at the end, or a number last"
        if len(theirs) == 253:
            return "too long for an address"
        if any(unicodedata.bidirectional(point) in ("R", "AL", "AN") for label in decoded for point in label):
            for label in decoded:
                try:
                    idna.check_bidi(label, check_ltr=True)
                except idna.IDNABidiError:
                    return "another label is from right to left"
    elif any(label.isascii() and label[2:4] == "--" and not label.startswith("xn--") for label in labels):
        return "hyphens in places three and four of an ASCII label"
    return None


def compare(name, domains, got, wanted):
    reasons, wrong = Counter(), []
    for domain, one, other in zip(domains, got, wanted, strict=True):
        if one == other:
            reasons["the same"] += 1
        elif one.startswith("!") and other.startswith("!"):
            reasons["refused by both"] += 1
        else:
            reason = known(domain, one, other)
            reasons[reason or "WRONG"] += 1
            if not reason:
                wrong.append((domain, one, other))
    print(f"{name}: {len(domains)}:", ", ".join(f"{count} {reason}" for reason, count in reasons.most_common()))
    for domain, one, other in wrong[:20]:
        print(f"  {domain!a}: {one!a}, not {other!a}")
    return len(wrong)


def points(program):
    """Each code point by itself; what Python does not know yet, by the package's classes."""
    domains = [f"a{chr(point)}b.example" for point in POINTS]
    wrong = compare("code points", domains, got := ours(program, domains), [theirs(domain) for domain in domains])
    valid = {point for span in idnadata.codepoint_classes["PVALID"] for point in range(span >> 32, span & 0xFFFFFFFF)}
    newer = Counter()
    for point, answer in zip(POINTS, got, strict=True):
        if unicodedata.category(chr(point)) == "Cn":
            try:
                allowed = all(ord(one) in valid for one in idna.uts46_remap(chr(point)))
            except UnicodeError:
                allowed = False
            newer["refused" if answer.startswith("!") else "taken", "valid" if allowed else "not valid"] += 1
    print("code points that Python does not know, to us and to the package:", dict(newer))
    return wrong + newer["taken", "not valid"]


def vectors(program, source):
    """Of the package's tests, which are made from IdnaTestV2.txt."""
    text = (source / "tests/test_idna_uts46.py").read_text()
    cases = {}
    for match in re.finditer(r"assertEqual\(idna\.encode\((.*), uts46=True, strict=True\), (b.*)\)", text):
        cases[eval(match[1])] = eval(match[2]).decode()
    for match in re.finditer(r"assertRaises\(idna\.IDNAError, idna\.encode, (.*), strict=True\)", text):
        cases.setdefault(eval(match[1]), None)
    # A case that is refused is so without the mapping: what it is with it, the package says.
    domains = [domain for domain in cases if "@" not in domain]
    wanted = [cases[domain] or theirs(domain) for domain in domains]
    wrong = compare("vectors", domains, ours(program, domains), wanted)
    # Alone, most are one label.
    longer = [f"{domain}.example" for domain in domains]
    return wrong + compare("vectors before .example", longer, ours(program, longer), [theirs(domain) for domain in longer])


def random_domain(source):
    parts = source.sample(SCRIPTS, source.randint(1, 3))
    mixed = "".join(chr(source.randint(*source.choice(parts))) for _ in range(source.randint(1, 12)))
    if source.random() < 0.1:
        mixed = "xn--" + "".join(source.choice("abcdefghijklmnopqrstuvwxyz0123456789-") for _ in range(source.randint(1, 10)))
    elif source.random() < 0.2:
        try:
            mixed = ("xn--" if source.random() < 0.7 else "XN--") + mixed.encode("punycode").decode()
        except UnicodeError:
            pass
    return source.choice(("%s.example", "%s.example", "a.%s", "%s.xn--4dbrk0ce")) % mixed


def main():
    program, source = sys.argv[1], Path(sys.argv[2])
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 100000
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    chance = random.Random(seed)
    print(f"idna {idna.__version__}, its Unicode {idnadata.__version__}, Python's {unicodedata.unidata_version}, seed {seed}")
    domains = [domain for domain in (random_domain(chance) for _ in range(count)) if "@" not in domain]
    wrong = [vectors(program, source), points(program), compare("random", domains, ours(program, domains), [theirs(domain) for domain in domains])]
    failed = sum(count > 0 for count in wrong)
    print(f"{sum(wrong)} domains are wrong")
    print(f"{len(wrong) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
