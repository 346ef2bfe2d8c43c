"""A PostgreSQL and a Redis of the tests' own: in a temporary folder, on a Unix socket and on loopback, stopped by their own process ids."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Servers:
    """Both, until `stop`."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="brant-migration-"))
        self._processes: list[subprocess.Popen[bytes]] = []
        self.postgres = self._start_postgres()
        self.redis = self._start_redis()

    def _as_user(self) -> list[str]:
        """PostgreSQL refuses to run as root."""
        if os.getuid() != 0:
            return []
        user = pwd.getpwnam("nobody")
        os.chown(self.folder, user.pw_uid, user.pw_gid)
        return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]

    def _start_postgres(self) -> str:
        binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        found = binaries[-1] if binaries else os.path.dirname(shutil.which("initdb") or "")
        if not found:
            raise RuntimeError("no PostgreSQL: run packaging/system")
        user = self._as_user()
        data = self.folder / "pg"
        # Paths above the temporary folder may be closed to the user: it is its working folder.
        subprocess.run([*user, f"{found}/initdb", "-D", str(data), "-U", "brant", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8"],
                       check=True, cwd=self.folder, stdout=subprocess.DEVNULL)  # fmt: skip
        self.postgres_version = subprocess.run([f"{found}/postgres", "--version"], check=True, capture_output=True, text=True, cwd="/").stdout.strip()

        def command(port: int) -> list[str]:
            return [*user, f"{found}/postgres", "-D", str(data), "-p", str(port), "-c", f"unix_socket_directories={self.folder}", "-c", "listen_addresses=127.0.0.1",
                    "-c", "fsync=off", "-c", "autovacuum=off"]  # fmt: skip

        def ready(port: int) -> bool:  # by its own socket: the port may be another's
            return subprocess.run([f"{found}/pg_isready", "-q", "-h", str(self.folder), "-p", str(port)], cwd="/").returncode == 0

        return f"host=127.0.0.1 port={self._start(command, ready)} user=brant dbname=postgres"

    def _start_redis(self) -> str:
        own = self.folder / "redis.sock"

        def command(port: int) -> list[str]:
            return [*self._as_user(), shutil.which("redis-server") or "redis-server", "--port", str(port), "--bind", "127.0.0.1", "--unixsocket", str(own), "--save", "",
                    "--appendonly", "no", "--dir", str(self.folder)]  # fmt: skip

        def ready(port: int) -> bool:
            return own.exists()  # which it makes after it has its port

        return f"redis://127.0.0.1:{self._start(command, ready)}/0"

    def _start(self, command: Callable[[int], list[str]], ready: Callable[[int], bool]) -> int:
        """The port of a server that is ready. Another program may be quicker to take a port that was free: then it is tried with another."""
        for _ in range(5):
            port = _free_port()
            with open(self.folder / f"{port}.log", "wb") as log:
                server = subprocess.Popen(command(port), cwd=self.folder, stdout=log, stderr=log)
            end = time.monotonic() + 120
            while server.poll() is None and time.monotonic() < end:
                if ready(port):
                    self._processes.append(server)
                    return port
                time.sleep(0.05)
            if server.poll() is None:
                server.kill()
            server.wait()
        raise RuntimeError((self.folder / f"{port}.log").read_text())

    def stop(self) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGINT if process is self._processes[0] else signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
