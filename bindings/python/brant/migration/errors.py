"""What a migration raises besides brant's own errors."""

from __future__ import annotations


class MigrationError(Exception):
    """It cannot go on; the text says why and where, on one line."""
