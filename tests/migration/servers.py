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
        port = _free_port()
        with open(self.folder / "pg.log", "wb") as log:
            server = subprocess.Popen(
                [*user, f"{found}/postgres", "-D", str(data), "-p", str(port), "-c", f"unix_socket_directories={self.folder}", "-c", "listen_addresses=127.0.0.1",
                 "-c", "fsync=off", "-c", "autovacuum=off"], cwd=self.folder, stdout=log, stderr=log)  # fmt: skip
        self._processes.append(server)
        self.postgres_version = subprocess.run([f"{found}/postgres", "--version"], check=True, capture_output=True, text=True, cwd="/").stdout.strip()
        for _ in range(200):
            ready = subprocess.run([f"{found}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)], cwd="/").returncode
            if ready == 0:
                return f"host=127.0.0.1 port={port} user=brant dbname=postgres"
            if server.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError((self.folder / "pg.log").read_text())

    def _start_redis(self) -> str:
        port = _free_port()
        with open(self.folder / "redis.log", "wb") as log:
            server = subprocess.Popen(
                [*self._as_user(), shutil.which("redis-server") or "redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(self.folder)],
                cwd=self.folder, stdout=log, stderr=log)  # fmt: skip
        self._processes.append(server)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return f"redis://127.0.0.1:{port}/0"
            except OSError:
                if server.poll() is not None:
                    break
                time.sleep(0.05)
        raise RuntimeError((self.folder / "redis.log").read_text())

    def stop(self) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGINT if process is self._processes[0] else signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
