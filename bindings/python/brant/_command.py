"""The command ``brant`` of this package: a native program, which installers put where an environment's programs are."""

from __future__ import annotations

import os
import shutil
import sys
from importlib import metadata
from pathlib import Path
from typing import NoReturn

from .errors import Unsupported


def command_path() -> str:
    """Where the program is. Raises :class:`brant.Unsupported` where there is none, as in a package that was built without it."""
    package = Path(__file__).parent
    found = []
    try:
        # What the installer wrote down, wherever it was told to put it.
        distribution = metadata.distribution("brant")
        if Path(str(distribution.locate_file("brant"))).resolve() == package.resolve():
            found = [Path(str(file.locate())) for file in distribution.files or [] if file.name in ("brant", "brant.exe")]
    except metadata.PackageNotFoundError:
        pass
    # `pip install --target` writes down another place than that where it puts them.
    for path in [*found, package.parent / "bin" / "brant"]:
        if path.is_file() and path.parent.name in ("bin", "Scripts") and os.access(path, os.X_OK):
            return str(path.resolve())
    if elsewhere := shutil.which("brant"):
        return elsewhere
    raise Unsupported("the command brant is not installed with this package")


def execute(arguments: list[str]) -> NoReturn:
    """Become the program."""
    path = command_path()
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(path, ["brant", *arguments])
