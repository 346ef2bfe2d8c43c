"""Runs the conformance suite's scenarios on files that hold a migrated deployment, in place of empty ones."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

CONFORMANCE = Path(__file__).parent.parent / "conformance"


def _driver() -> Any:
    spec = importlib.util.spec_from_file_location("brant_conformance_driver", CONFORMANCE / "driver.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


driver: Any = _driver()


def run(base_file: Path, base_hub: Path, names: list[str], log: Path) -> dict[str, str | None]:
    """What became of each test of these scenario files: None, or the fault."""

    class OnMigrated(driver.Run):  # type: ignore[misc]
        def open(self, identifier: str, arguments: dict[str, Any]) -> Any:
            kind, file, options = self.paths[identifier]
            fresh = self.folder / (file if kind == "hub" else f"{file}.db")
            if file != ":memory:" and options.get("role", "single") == "single" and not fresh.exists() and not options.get("adopt") and "path" not in arguments:
                shutil.copytree(base_hub, fresh) if kind == "hub" else shutil.copy(base_file, fresh)
            return super().open(identifier, arguments)

    results: dict[str, str | None] = {}
    for name in names:
        path = CONFORMANCE / "scenarios" / f"{name}.json"
        scenario = driver.json.loads(path.read_text())
        driver.check_scenario(scenario, False)
        with open(log, "ab") as stream:
            agent = driver.Agent("python", driver.agent_command("python"), stream)
            for test in scenario["tests"]:
                folder = Path(tempfile.mkdtemp(prefix="brant-migrated-"))
                fault: str | None = None
                try:
                    driver.run_test(scenario, test, lambda _, agent=agent: agent, "python", folder, OnMigrated)
                except (driver.Mismatch, driver.Refused, driver.Broken) as found:
                    fault = str(found)
                agent.receive(agent.send({"name": "reset", "arguments": {}}))
                results[f"{name}: {test['description']}"] = fault
                shutil.rmtree(folder, ignore_errors=True)
            agent.stop()
    return results

