#!/usr/bin/env python3
"""From JSON text to verdict in Python: brant.Validator beside json.loads and jsonschema-rs, the same schema and document (document.json)."""

from __future__ import annotations

import json
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import Callable

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "bindings" / "python"))

import brant  # noqa: E402
import jsonschema_rs  # noqa: E402

ROUNDS, CALLS = 31, 5000


def microseconds(call: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(CALLS):
            call()
        times.append((time.perf_counter() - start) / CALLS * 1e6)
    return statistics.median(times)


def main() -> None:
    both = json.loads((HERE / "document.json").read_text())
    text = json.dumps(both["document"], separators=(",", ":"))
    ours, theirs = brant.Validator(both["schema"]), jsonschema_rs.validator_for(both["schema"])
    if not (ours.accepts(text) and theirs.is_valid(json.loads(text))):
        sys.exit("the document is not accepted")
    if ours.accepts(text.replace("12988", "-1")) or theirs.is_valid(json.loads(text.replace("12988", "-1"))):
        sys.exit("a wrong document is accepted")
    print(f"Python {platform.python_version()}, brant {brant.version()}, jsonschema-rs {jsonschema_rs.__version__ if hasattr(jsonschema_rs, '__version__') else ''}; {len(text)} bytes")
    loads = json.loads
    print(f"text to verdict, brant                       {microseconds(lambda: ours.accepts(text)):6.2f} us")
    print(f"text to verdict, json.loads + jsonschema-rs  {microseconds(lambda: theirs.is_valid(loads(text))):6.2f} us")
    print(f"  of which json.loads                        {microseconds(lambda: loads(text)):6.2f} us")


if __name__ == "__main__":
    main()
