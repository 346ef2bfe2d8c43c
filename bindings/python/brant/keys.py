"""Keys and the key ring of a handle: what attributes that a graph type encrypts are sealed and opened with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypedDict, Union, final

from . import _native
from ._json import decode
from ._wiped import Text, base64url, escaped, faults, is_utf8, raise_first, utf8, write
from .errors import Closed, InvalidJson, Misuse, NotFound
from .records import Json, known

if TYPE_CHECKING:
    from .database import Database

Purpose = Literal["attribute", "pepper", "audit"]
KeyState = Literal["active", "decrypt_only", "disabled", "destroyed"]
Bytes = Union[bytes, bytearray, memoryview]


class Kdf(TypedDict, total=False):
    """How a key comes from a password, by Argon2id: `s` is a salt of 16 bytes in base64url, `t` passes, `m` bytes of memory, `alg` "argon2id13"."""

    alg: Literal["argon2id13"]
    s: str
    t: int
    m: int


class KeyFields(TypedDict, total=False):
    """A key of a ring as JSON has it, with the key as bytes or in base64url."""

    purpose: Purpose
    version: int
    state: KeyState
    algorithm: str
    key: str | Bytes
    password: str | Bytes
    kdf: Kdf


class RingFields(TypedDict, total=False):
    """A key ring as JSON has it: `padding` 0 or 2 to 4096, `kdf` the bounds ``{"least": {"t", "m"}, "most": {"t", "m"}}``, `legacy` ``{"iterations",
    "plaintext", "keys": [{"version", "password"}]}`` for envelopes of an older form."""

    keys: Iterable[Key | KeyFields]
    padding: int
    kdf: Mapping[str, Kdf]
    legacy: Mapping[str, Any]


@final
class Key:
    """A key for a ring: ``Key(version=2, key=b"32 bytes")``, or with a `password` that it comes from.

    `key` is 32 bytes, or these in base64url. `state`: "active" seals, one of each `purpose`; "decrypt_only" opens; "disabled" and "destroyed" do
    neither, and a destroyed one has no key. `password` is text of 1 to 1024 bytes; its key is derived when it is first needed, which takes about a
    second. `kdf` says how; without, the salt is random each time it is loaded, which does for attributes. With `key` and `kdf` it is what a
    password gave before (`derive_key`). `version`, `purpose`, `state`, `algorithm` and `kdf` can be read and set; a ring takes them as they are when it
    is attached. The ring's rules are checked then. InvalidJson: a password that is not UTF-8.

    The key itself is shown by nothing but `reveal`: not by repr, str or format; copying and pickling are TypeErrors. It is kept in memory
    that is overwritten by `wipe`, and when the object goes. What was given as str or bytes is the caller's, and Python cannot overwrite that: give a
    bytearray, and clear it.
    """

    __slots__ = ("_member", "_text", "algorithm", "kdf", "purpose", "state", "version")

    def __init__(
        self,
        *,
        version: int = 1,
        key: str | Bytes | None = None,
        password: str | Bytes | None = None,
        purpose: Purpose = "attribute",
        state: KeyState = "active",
        algorithm: str | None = None,
        kdf: Kdf | None = None,
    ) -> None:
        self.version = version
        self.purpose: Purpose = purpose
        self.state: KeyState = state
        self.algorithm = algorithm
        self.kdf = kdf
        self._text = Text()
        self._member = None if key is None and password is None else "password" if key is None else "key"
        # Raised where neither is in reach.
        found = faults(lambda: _take(self._text, password, key))
        del key, password
        if found:
            self.wipe()
        raise_first(found)

    def reveal(self) -> Json:
        """The entry of a ring with the key in plain, for the place where the application keeps its keys. Misuse: it was wiped."""
        self._check()
        entry: Json = {"purpose": self.purpose, "version": self.version, "state": self.state}
        entry |= {name: value for name in ("algorithm", "kdf") if (value := getattr(self, name)) is not None}
        if self._member is not None:
            entry[self._member] = bytes(self._text).decode()
        return entry

    def wipe(self) -> None:
        """Overwrite the key here; rings that have it keep it."""
        self._text.wipe()

    def _check(self) -> None:
        if self._text.wiped:
            raise Misuse("the key was wiped")

    def _write(self, out: Text) -> None:
        """As an entry of a ring."""
        self._check()
        mark = b"{"
        for name in ("purpose", "version", "state", "algorithm", "kdf"):
            value = getattr(self, name)
            if value is not None:
                out.add(mark)
                write(out, name)
                out.add(b":")
                write(out, value)
                mark = b","
        if self._member is not None:
            out.add(mark)
            write(out, self._member)
            out.add(b':"')
            out.add(escaped(self._text))
            out.add(b'"')
        out.add(b"}")

    def __repr__(self) -> str:
        return f"<brant.Key {self.purpose} {self.version} {self.state}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key is neither copied nor pickled; reveal() gives its entry of a ring")


def _take(out: Text, password: str | Bytes | None, key: str | Bytes | None) -> None:
    given = key if password is None else password
    name = "key" if password is None else "password"
    if key is not None and password is not None:
        raise TypeError("key and password exclude each other")
    if given is None:
        return
    if isinstance(given, str):
        out.add(utf8(given))
    elif not isinstance(given, (bytes, bytearray, memoryview)):
        raise TypeError(f"{name} must be str or bytes, not {type(given).__name__}")
    elif password is None:
        out.add(base64url(memoryview(given).cast("B")))
    elif is_utf8(memoryview(given).cast("B")):
        out.add(memoryview(given).cast("B"))
    else:
        raise InvalidJson("a password is UTF-8")


def generate_key(purpose: Purpose = "attribute", version: int = 1) -> Key:
    """A new key of 32 random bytes of the system. Io: there are none. Invalid: another purpose, or a version that is not 1 to 2**53-1."""
    text = Text()
    write(text, {"purpose": purpose, "version": version})
    return _made(decode(_native.brant_keyring_generate(None, text.data)))


def derive_key(
    password: str | Bytes, *, purpose: Purpose = "attribute", version: int = 1, kdf: Kdf | None = None
) -> Key:  # fmt: skip
    """The key of a password, for a ring that is not to hold the password: Argon2id with a random salt, 3 passes and 256 MiB, or as `kdf` says.

    Takes about a second, in which other threads go on: in asyncio ``await asyncio.to_thread(brant.derive_key, password)``. Store the entry
    that `Key.reveal` gives, or its `kdf`, with which the password gives the same key again. Invalid: the password is not 1 to 1024 bytes;
    InvalidJson: of UTF-8. Limit: `kdf` is too weak or too costly (t 2 to 16, m 19 MiB to 1 GiB). NoMemory.
    """
    answers: list[str] = []
    members: Json = {"purpose": purpose, "version": version, "kdf": kdf}
    text = Text()
    secret = Text()
    found = faults(lambda: _take(secret, password, None)) or faults(lambda: _derive(answers, text, secret, members))
    del password
    text.wipe()
    secret.wipe()
    raise_first(found)
    return _made(decode(answers.pop()))


def _derive(answers: list[str], text: Text, secret: Text, members: Json) -> None:
    text.add(b'{"password":"')
    text.add(escaped(secret))
    text.add(b'"')
    for name, value in members.items():
        if value is not None:
            text.add(b',"' + name.encode() + b'":')
            write(text, value)
    text.add(b"}")
    answers.append(_native.brant_keyring_derive(None, text.data))


def _made(entry: Json) -> Key:
    made = Key(**entry)
    entry.clear()
    return made


@dataclass(slots=True)
class KeyInfo:
    """What a ring has of a key: all but the key."""

    purpose: Purpose
    version: int
    state: KeyState
    algorithm: str
    kdf: Kdf | None = None


@dataclass(slots=True)
class KeyRingInfo:
    """What a handle's key ring is made of. No ring: no keys."""

    keys: list[KeyInfo]
    padding: int
    legacy: bool


def keyring_info(members: Json) -> KeyRingInfo:
    return KeyRingInfo([known(KeyInfo, item) for item in members["keys"]], members["padding"], members["legacy"])


class Attached:
    """A ring that a handle has. The handle keeps this and not the `KeyRing`, which keeps the handle."""

    __slots__ = ("entered",)

    def __init__(self) -> None:
        self.entered = False  # by a with block


@final
class KeyRing:
    """The key ring that `Database.keyring` attached. It has no copy of the keys: these are in guarded memory of the library.

    As a context manager it takes the ring away at the end of the block. `close` does so at any time; without either the ring stays until
    the handle closes, or another one is attached.
    """

    __slots__ = ("_attached", "_database")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._attached = Attached()

    @property
    def attached(self) -> bool:
        """Is it the handle's ring still?"""
        return self._database._ring is self._attached and not self._database.closed

    def close(self) -> None:
        """Take the ring away, and overwrite it. Nothing when it is not attached any more. Any thread; waits for the end of a running call, but not of a
        transaction."""
        database = self._database
        with database._lock:
            if database._ring is not self._attached:
                return
            try:
                database._unload_ring()
            except Closed:
                pass  # meanwhile, and wiped by that
            database._ring = None

    def __enter__(self) -> KeyRing:
        with self._database._lock:
            if not self.attached:
                raise Misuse("the key ring is not attached any more")
            if self._attached.entered:
                raise Misuse("the key ring is in a with block already")
            self._attached.entered = True
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<brant.KeyRing of {self._database!r}{'' if self.attached else ' detached'}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key ring is neither copied nor pickled")


def attach(database: Database, given: list[Any]) -> KeyRing:
    """Attach a ring to a handle. `given` is the text or the members, and is emptied, so that no frame below the caller keeps it."""
    ring = KeyRing(database)
    text = Text()
    found = faults(lambda: _attach(ring, text, given))
    text.wipe()
    given.clear()
    raise_first(found)
    return ring


def _attach(ring: KeyRing, text: Text, given: list[Any]) -> None:
    from .database import Database

    value = given[0]
    other = value if isinstance(value, Database) else None
    if isinstance(value, (bytearray, memoryview)):
        text.add(memoryview(value).cast("B"))
    elif not isinstance(value, (str, bytes)) and other is None:
        write(text, value)
    # In one order, so that two that copy crosswise do not wait for each other.
    handles = sorted({ring._database, other or ring._database}, key=id)
    with handles[0]._lock, handles[-1]._lock:
        database = ring._database
        if other is not None and other._ring is None and not other.closed:
            raise NotFound("the other handle has no key ring")
        if database._ring is not None and database._ring.entered:
            raise Misuse("the handle's key ring is that of a with block; one ring has the keys of all versions")
        if other is not None:
            database._copy_ring(other)
        else:
            database._load_ring(value if isinstance(value, (str, bytes)) else text.data)
        database._ring = ring._attached
