"""Validators: schemas judged without a database."""

from __future__ import annotations

import threading
from typing import Any

import brant
import pytest

PERSON: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string", "minLength": 1}, "age": {"type": "integer", "minimum": 0}, "mail": {"format": "email"}},
    "required": ["name"],
    "additionalProperties": False,
}


def test_texts_and_values() -> None:
    person = brant.Validator(PERSON)
    assert person.accepts('{"name": "Ann"}') and person.accepts(b'{"name": "Ann"}') and person.accepts({"name": "Ann", "age": 7})
    assert not person.accepts("[]") and not person.accepts({"age": 1})
    report = person.report({"name": "", "age": -1})
    assert not report and [violation.instance for violation in report.violations] == ["/name", "/age"]
    assert person.report({"name": "Ann"}).violations == []
    assert not brant.Validator(False).accepts(1)


def test_formats_and_modules() -> None:
    assert not brant.Validator(PERSON).accepts({"name": "Ann", "mail": "no address"})
    assert brant.Validator(PERSON, formats="annotate").accepts({"name": "Ann", "mail": "no address"})
    module = {"$id": "people", "$defs": {"PersonNode": PERSON, "KnowsEdge": {"properties": {"since": {"type": "integer"}}}}}
    assert brant.Validator(module=module, node_type="Person").accepts({"name": "Ann"})
    assert not brant.Validator(module=module, edge_type="Knows").accepts({"since": "then"})


def test_faults() -> None:
    person = brant.Validator(PERSON)
    with pytest.raises(brant.InvalidJson):
        person.accepts('{"name": ')
    with pytest.raises(brant.InvalidJson):
        person.report('{"name": 1, "name": 2}')
    with pytest.raises(brant.Limit):
        person.accepts("[" * 600 + "]" * 600)
    with pytest.raises(brant.Validation):
        brant.Validator({"type": "strin"})
    with pytest.raises(brant.Invalid):
        brant.Validator()
    with pytest.raises(brant.Invalid):
        brant.Validator(module={"$id": "m", "$defs": {"ANode": {}}}, node_type="B")


def test_threads() -> None:
    person = brant.Validator(PERSON)
    wrong: list[int] = []

    def work() -> None:
        for i in range(3000):
            if person.accepts(f'{{"name": "{i}", "age": {i % 3 - 1}}}') != (i % 3 != 0):
                wrong.append(i)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
