"""A handle of the C library, driven by the conformance agent: one JSON line a call."""

import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("BRANT_BUILD", ROOT / "build" / "dev"))


class Refused(Exception):
    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code = error["code"]
        self.message = error["message"]
        self.detail = error.get("detail") or {}


class Agent:
    def __init__(self, path):
        self.process = subprocess.Popen([BUILD / "bin" / "conformance_c"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.number = 0
        self.send("open", {"path": str(path), "options": {}})

    def send(self, name, arguments):
        self.number += 1
        line = {"id": self.number, "object": "db", "name": name, "arguments": arguments}
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the agent ended in {name}")
        answer = json.loads(answer)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["result"]

    def call(self, operation, **members):
        return self.send("call_text", {"name": operation, "text": json.dumps(members)})

    def export(self, **members):
        """The whole document, of pages."""
        text, cursor = [], None
        while True:
            page = self.call("graphs.export", **members, **({"cursor": cursor} if cursor else {}))
            text.append(page["text"])
            cursor = page["cursor"]
            if cursor is None:
                return "".join(text)

    def close(self):
        self.process.stdin.close()
        self.process.wait(300)

    def kill(self):
        self.process.kill()
        self.process.wait(300)
