"""An operation's input that knows what it is answered with: what `Database.call` takes beside a name."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar

R = TypeVar("R")


class Returns(Generic[R]):
    """The input of `operation`, answered with an R; see `brant.schemas`."""

    operation: ClassVar[str]

    def _members(self) -> Any:
        """The input as the registry has it."""
        raise NotImplementedError

    def _answered(self, answer: Any) -> R:
        raise NotImplementedError
