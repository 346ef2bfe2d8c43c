"""Identity: accounts, organizations, their members, invitations and API keys, and who has a key.

In files of role "single" and "system" (a hub's); in a tenant's file all of it raises Misuse. What changes something is recorded in the audit log, in the same
transaction, and so needs a key ring with an active key of purpose "audit" (NotFound without); tokens need one of purpose "pepper" besides.

`actor`, wherever it stands: who acts, an account's id, or ``{"type": .., "id": .., "reason": ..}``. Without one the program itself does, which no rule of organizations
binds; an account must be active and have the right to do what it does (Denied). On a session it is the session's identity, to which only a reason may be added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypedDict, TypeVar, cast, final

from . import _native
from ._clock import Moment, Seconds, milliseconds, moment
from ._common import LEFT, PAGE, given, paged, texts
from ._json import decode
from .records import Json, Page, known
from .secrets import _quietly

if TYPE_CHECKING:
    from .database import Database

R = TypeVar("R")

AccessLevel = Literal["user", "service", "admin"]
Level = Literal["viewer", "member", "admin", "owner"]


class ActorFields(TypedDict, total=False):
    """Who acts, and why. The type is "account" where only an id is given."""

    type: Literal["account", "api_key", "agent", "service", "system"]
    id: str
    reason: str


Actor = str | ActorFields


def acting(actor: Actor | None) -> Json:
    """The member `actor`, if there is one."""
    if actor is None:
        return {}
    return {"actor": {"id": actor} if isinstance(actor, str) else dict(actor)}


# ---- records --------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Account:
    """Somebody, or a service. `email` is in its normalised form. One that is not "active" has no rights, and its keys do not work."""

    id: str
    email: str
    name: str | None
    access_level: AccessLevel
    status: Literal["active", "inactive"]
    metadata: Json
    created_at: int
    updated_at: int


@dataclass(slots=True)
class Organization:
    """A tenant. Only while it is "active" is anybody a member of it as far as rights go."""

    id: str
    slug: str
    name: str
    owner_id: str
    status: Literal["active", "suspended", "deleting", "deleted"]
    metadata: Json
    created_at: int
    updated_at: int


@dataclass(slots=True)
class Member:
    """The membership of an account in an organization, which is the authority on what it may do there."""

    id: str
    org_id: str
    account_id: str
    level: Level
    status: Literal["active", "suspended"]
    metadata: Json
    created_at: int
    updated_at: int


@dataclass(slots=True)
class Invitation:
    """Who has its token and the account of its email becomes a member. One that is "pending" and whose `expires_at` has passed is over."""

    id: str
    org_id: str
    kid: str
    email: str
    level: Level
    pepper_version: int
    invited_by: str | None
    account_id: str | None
    status: Literal["pending", "accepted", "rejected", "cancelled"]
    expires_at: int
    metadata: Json
    created_at: int
    updated_at: int


@dataclass(slots=True)
class ApiKey:
    """An API key: it acts for its owner, in one organization or for the account by itself. Its token is not here: that is shown once."""

    id: str
    kid: str
    type: str
    scheme: Literal["brant1", "legacy-sha256"]
    pepper_version: int
    owner_id: str
    org_id: str | None
    name: str
    scopes: list[str]
    expires_at: int | None
    revoked_at: int | None
    last_used_at: int | None
    rotated_from: str | None
    metadata: Json
    created_at: int
    updated_at: int


@final
class Token:
    """A token that was just made: hand `reveal()` to whoever it is for; it is stored nowhere. repr, str and format are "[token]"; copying, pickling and encoding as JSON
    are TypeErrors. Methods that take a token take this or its text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Its text, "brant_key_..."."""
        return self._text

    def __repr__(self) -> str:
        return "[token]"

    def __format__(self, spec: str) -> str:
        return format("[token]", spec)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a token is neither copied nor pickled; reveal() gives its text")


def token_text(token: str | Token) -> str:
    return token.reveal() if isinstance(token, Token) else token


@dataclass(slots=True)
class Invited:
    """An invitation that was made, with its token."""

    invitation: Invitation
    token: Token


@dataclass(slots=True)
class Accepted:
    """An invitation that was accepted, and the membership that it made."""

    member: Member
    invitation: Invitation


@dataclass(slots=True)
class NewKey:
    """An API key that was made, with its token. `previous` is the one in whose place it came, by `ApiKeys.rotate`."""

    key: ApiKey
    token: Token
    previous: ApiKey | None = None


@dataclass(slots=True)
class Verified:
    """Whose a key is and what it may now: `scopes`, without what `denies` overlap."""

    key: ApiKey
    account: Account
    organization: Organization | None
    level: Level | None
    scopes: list[str]
    denies: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Authenticated:
    """As `Verified`, with the identity of a session for whoever has the key: ``db.session(found.identity)``."""

    identity: Json
    key: ApiKey
    account: Account
    organization: Organization | None
    level: Level | None
    scopes: list[str]
    denies: list[str] = field(default_factory=list)


@dataclass(slots=True)
class AccountDeleted:
    """How many keys and memberships went with an account."""

    api_keys: int
    members: int


def verified(kind: type[R], members: Json) -> R:
    """A `Verified`, or `Authenticated`."""
    organization = members["organization"]
    parts = {
        "key": known(ApiKey, members["key"]),
        "account": known(Account, members["account"]),
        "organization": None if organization is None else known(Organization, organization),
    }
    return known(kind, {**members, **parts})


# ---- the nouns ------------------------------------------------------------------------------------------------------------


class Rows:
    """What they have in common."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    def __repr__(self) -> str:
        return f"<brant.{type(self).__name__} of {self._database!r}>"

    def _one(self, kind: type[R], function: _native.Operation, members: Json) -> R:
        return known(kind, self._database._call(function, members))

    def _page(self, kind: type[R], function: _native.Operation, filter: Json, limit: int | None, cursor: str | None) -> Page[R]:
        members = given(limit=limit, cursor=cursor)
        if filter:
            members["filter"] = filter
        answer = self._database._call(function, members)
        return Page([known(kind, item) for item in answer["items"]], answer["cursor"])


def chosen(**members: Any) -> Json:
    """The members that are not `LEFT`: None is a value."""
    return {name: value for name, value in members.items() if value is not LEFT}


class Accounts(Rows):
    """The accounts of a file, as ``db.accounts``; iterate it for all, in order of their making."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Account]:
        return paged(lambda cursor: self.list(limit=PAGE, cursor=cursor))

    def create(
        self,
        email: str,
        *,
        name: str | None = None,
        access_level: AccessLevel | None = None,
        id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        actor: Actor | None = None,
    ) -> Account:
        """Make one. The email is kept, and unique, in lower case with its domain in the DNS's form ("bücher.example" is "xn--bcher-kva.example"). `access_level`
        "user" (default), "service", or "admin", who may do everything. `id`: a UUID. Exists: an account has this email or id. Invalid: it is no email."""
        members = {"email": email} | given(name=name, access_level=access_level, id=id, metadata=metadata)
        return self._one(Account, _native.brant_account_create, members | acting(actor))

    def get(self, id: str) -> Account:
        """NotFound."""
        return self._one(Account, _native.brant_account_get, {"id": id})

    def find(self, email: str) -> Account:
        """By email, however it is written. NotFound; Invalid: it is none."""
        return self._one(Account, _native.brant_account_find, {"email": email})

    def list(
        self,
        *,
        status: Literal["active", "inactive"] | None = None,
        access_level: AccessLevel | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Account]:
        """A page (100)."""
        return self._page(Account, _native.brant_account_list, given(status=status, access_level=access_level), limit, cursor)

    def update(
        self,
        id: str,
        *,
        email: str | None = None,
        name: str | None = LEFT,
        access_level: AccessLevel | None = None,
        metadata: Mapping[str, Any] | None = None,
        actor: Actor | None = None,
    ) -> Account:
        """Change what is given; `name` None takes it away. NotFound; Exists; Denied: the actor is another account without access level "admin"."""
        members = given(id=id, email=email, access_level=access_level, metadata=metadata) | chosen(name=name)
        return self._one(Account, _native.brant_account_update, members | acting(actor))

    def deactivate(self, id: str, *, actor: Actor | None = None) -> Account:
        """Its keys and memberships count for nothing until `reactivate`. Constraint: it is the last active owner of an organization. NotFound; Denied."""
        return self._one(Account, _native.brant_account_deactivate, {"id": id} | acting(actor))

    def reactivate(self, id: str, *, actor: Actor | None = None) -> Account:
        """NotFound; Denied: the actor is an account without access level "admin"."""
        return self._one(Account, _native.brant_account_reactivate, {"id": id} | acting(actor))

    def delete(self, id: str, *, actor: Actor | None = None) -> AccountDeleted:
        """Its keys and memberships go with it. Constraint: it owns an organization, or is the last active owner of one. NotFound; Denied."""
        return self._one(AccountDeleted, _native.brant_account_delete, {"id": id} | acting(actor))


class Organizations(Rows):
    """The organizations of a file, as ``db.organizations``; iterate it for all. In a hub each has a file of its own, made at its first use."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Organization]:
        return paged(lambda cursor: self.list(limit=PAGE, cursor=cursor))

    def create(
        self,
        slug: str,
        name: str,
        *,
        owner_id: str | None = None,
        id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        actor: Actor | None = None,
    ) -> Organization:
        """Make one; its owner, by default the actor, becomes a member of level "owner". `slug`: letters, digits, hyphens, 63 at most, kept in lower case, unique. Exists;
        Invalid; NotFound, Conflict: the owner is no account, or not active; Denied: the owner is not the actor."""
        members = {"slug": slug, "name": name} | given(owner_id=owner_id, id=id, metadata=metadata)
        return self._one(Organization, _native.brant_organization_create, members | acting(actor))

    def get(self, id: str | None = None, *, slug: str | None = None) -> Organization:
        """By one of them. NotFound."""
        return self._one(Organization, _native.brant_organization_get, given(id=id, slug=slug))

    def list(
        self,
        *,
        status: Literal["active", "suspended", "deleting"] | None = None,
        owner_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Organization]:
        """A page (100)."""
        return self._page(Organization, _native.brant_organization_list, given(status=status, owner_id=owner_id), limit, cursor)

    def update(
        self,
        id: str,
        *,
        slug: str | None = None,
        name: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        actor: Actor | None = None,
    ) -> Organization:
        """Change what is given. NotFound; Exists; Denied: the actor is no admin or owner of it; Conflict: it is being deleted."""
        members = given(id=id, slug=slug, name=name, metadata=metadata)
        return self._one(Organization, _native.brant_organization_update, members | acting(actor))

    def transfer(self, id: str, to: str, *, actor: Actor | None = None) -> Organization:
        """Make another active member its owner; the one before stays one of level "owner". NotFound; Conflict: `to` is no active member; Denied."""
        return self._one(Organization, _native.brant_organization_transfer, {"id": id, "to": to} | acting(actor))

    def suspend(self, id: str, *, actor: Actor | None = None) -> Organization:
        """Until `resume` nobody is a member of it, and a hub gives no handle of its file. NotFound; Denied; Conflict: it is being deleted."""
        return self._one(Organization, _native.brant_organization_suspend, {"id": id} | acting(actor))

    def resume(self, id: str, *, actor: Actor | None = None) -> Organization:
        """NotFound; Denied; Constraint: none of its owners is active."""
        return self._one(Organization, _native.brant_organization_resume, {"id": id} | acting(actor))

    def delete(self, id: str, *, actor: Actor | None = None) -> Organization:
        """With its members, invitations and keys, and in a hub its file, which is "deleting" then. NotFound; Denied: the actor is no owner of it."""
        return self._one(Organization, _native.brant_organization_delete, {"id": id} | acting(actor))


class Members(Rows):
    """Who belongs to which organization, as ``db.members``; iterate it for all.

    Whoever acts must be an admin or owner there; only an owner makes, changes, suspends or removes an owner, and nobody gives a level above their own (Denied). An
    organization always has an active owner (Constraint).
    """

    __slots__ = ()

    def __iter__(self) -> Iterator[Member]:
        return paged(lambda cursor: self.list(limit=PAGE, cursor=cursor))

    def add(self, org_id: str, account_id: str, level: Level | None = None, *, actor: Actor | None = None) -> Member:
        """`level` "member" by default. NotFound; Exists; Denied; Conflict: the account is not active, or the organization is being deleted."""
        members = given(org_id=org_id, account_id=account_id, level=level)
        return self._one(Member, _native.brant_member_add, members | acting(actor))

    def get(self, org_id: str, account_id: str) -> Member:
        """NotFound."""
        return self._one(Member, _native.brant_member_get, {"org_id": org_id, "account_id": account_id})

    def list(
        self,
        *,
        org_id: str | None = None,
        account_id: str | None = None,
        level: Level | None = None,
        status: Literal["active", "suspended"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Member]:
        """A page (100)."""
        filter = given(org_id=org_id, account_id=account_id, level=level, status=status)
        return self._page(Member, _native.brant_member_list, filter, limit, cursor)

    def set_level(self, org_id: str, account_id: str, level: Level, *, actor: Actor | None = None) -> Member:
        """NotFound; Denied; Constraint: it is the last active owner, or the organization's `owner_id`."""
        members = {"org_id": org_id, "account_id": account_id, "level": level}
        return self._one(Member, _native.brant_member_set_level, members | acting(actor))

    def suspend(self, org_id: str, account_id: str, *, actor: Actor | None = None) -> Member:
        """It counts for nothing until `resume`. As `set_level`."""
        return self._one(Member, _native.brant_member_suspend, {"org_id": org_id, "account_id": account_id} | acting(actor))

    def resume(self, org_id: str, account_id: str, *, actor: Actor | None = None) -> Member:
        """As `set_level`."""
        return self._one(Member, _native.brant_member_resume, {"org_id": org_id, "account_id": account_id} | acting(actor))

    def remove(self, org_id: str, account_id: str, *, actor: Actor | None = None) -> None:
        """As `set_level`."""
        self._database._call(_native.brant_member_remove, {"org_id": org_id, "account_id": account_id} | acting(actor))

    def leave(self, org_id: str, account_id: str | None = None, *, actor: Actor | None = None) -> None:
        """What every member may for itself; `account_id` is the actor's by default. As `set_level`."""
        self._database._call(_native.brant_member_leave, given(org_id=org_id, account_id=account_id) | acting(actor))


class Invitations(Rows):
    """Invitations to organizations, as ``db.invitations``; iterate it for all. Needs a key ring with a pepper (NotFound)."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Invitation]:
        return paged(lambda cursor: self.list(limit=PAGE, cursor=cursor))

    def create(
        self,
        org_id: str,
        email: str,
        level: Level | None = None,
        *,
        expires_at: Moment | None = None,
        ttl: Seconds | None = None,
        metadata: Mapping[str, Any] | None = None,
        actor: Actor | None = None,
    ) -> Invited:
        """Make one, with its token, to be sent to that email. It is over at `expires_at`, or in `ttl` seconds (a week). Exists: one for that email is pending there, or its
        account is a member already; Denied: the actor may not make members of this level; Conflict: the organization is not active; NotFound; Invalid."""
        members = given(
            org_id=org_id, email=email, level=level, expires_at=moment(expires_at), ttl=milliseconds(ttl), metadata=metadata
        )  # fmt: skip
        answer = self._database._call(_native.brant_invitation_create, members | acting(actor))
        return Invited(known(Invitation, answer["invitation"]), Token(answer["token"]))

    def get(self, id: str) -> Invitation:
        """NotFound."""
        return self._one(Invitation, _native.brant_invitation_get, {"id": id})

    def list(
        self,
        *,
        org_id: str | None = None,
        email: str | None = None,
        status: Literal["pending", "accepted", "rejected", "cancelled"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Invitation]:
        """A page (100). `email`: as it is stored, normalised."""
        return self._page(Invitation, _native.brant_invitation_list, given(org_id=org_id, email=email, status=status), limit, cursor)

    def accept(self, token: str | Token, account_id: str | None = None, *, actor: Actor | None = None) -> Accepted:
        """Become a member: an account, by default the actor's, whose email is the invitation's (Denied). Auth: no invitation has this token; Conflict: it is
        settled already; Stale: it is over; Exists: the account is a member."""
        members = given(token=token_text(token), account_id=account_id) | acting(actor)
        del token
        answer = _quietly(self._database, _native.brant_invitation_accept, members)
        return Accepted(known(Member, answer["member"]), known(Invitation, answer["invitation"]))

    def reject(self, token: str | Token, *, actor: Actor | None = None) -> Invitation:
        """By whoever has the token. Auth; Conflict; Stale."""
        members = {"token": token_text(token)} | acting(actor)
        del token
        return known(Invitation, _quietly(self._database, _native.brant_invitation_reject, members))

    def cancel(self, id: str, *, actor: Actor | None = None) -> Invitation:
        """NotFound; Conflict: it is settled already; Denied."""
        return self._one(Invitation, _native.brant_invitation_cancel, {"id": id} | acting(actor))


class ApiKeys(Rows):
    """API keys, as ``db.api_keys``; iterate it for all. A key may what its scopes name and its owner holds when it is used. Needs a key ring with a pepper (NotFound)."""

    __slots__ = ()

    def __iter__(self) -> Iterator[ApiKey]:
        return paged(lambda cursor: self.list(limit=PAGE, cursor=cursor))

    def create(
        self,
        name: str,
        scopes: Iterable[str],
        *,
        owner_id: str | None = None,
        org_id: str | None = None,
        type: str | None = None,
        expires_at: Moment | None = None,
        metadata: Mapping[str, Any] | None = None,
        actor: Actor | None = None,
    ) -> NewKey:
        """Make one, for its owner, by default the actor, in an organization or for the account by itself. Its token, "brant_<type>_...", is shown now and never again.
        Denied: the actor may not make keys of this account, or with one of the scopes; Conflict: owner or organization are not active; NotFound; Invalid."""
        members = given(
            name=name, scopes=texts(scopes), owner_id=owner_id, org_id=org_id, type=type, expires_at=moment(expires_at), metadata=metadata
        )  # fmt: skip
        return self._new(_native.brant_api_key_create, members | acting(actor))

    def _new(self, function: _native.Operation, members: Json) -> NewKey:
        answer = self._database._call(function, members)
        previous = answer.get("previous")
        return NewKey(known(ApiKey, answer["key"]), Token(answer["token"]), None if previous is None else known(ApiKey, previous))

    def get(self, id: str) -> ApiKey:
        """NotFound."""
        return self._one(ApiKey, _native.brant_api_key_get, {"id": id})

    def list(
        self,
        *,
        owner_id: str | None = None,
        org_id: str | None = LEFT,
        type: str | None = None,
        scheme: Literal["brant1", "legacy-sha256"] | None = None,
        active: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[ApiKey]:
        """A page (100). `org_id` None: those of accounts by themselves. `active`: neither revoked nor expired."""
        filter = given(owner_id=owner_id, type=type, scheme=scheme, active=active) | chosen(org_id=org_id)
        return self._page(ApiKey, _native.brant_api_key_list, filter, limit, cursor)

    def verify(self, token: str | Token) -> Verified:
        """Whose it is and what it may now. Auth, with one message, for whatever is wrong with it."""
        members: Json = {"token": token_text(token)}
        del token
        return verified(Verified, _quietly(self._database, _native.brant_api_key_verify, members))

    def rotate(self, id: str, *, overlap: Seconds | None = None, actor: Actor | None = None) -> NewKey:
        """A new key in its place, with another token; the old one works for `overlap` seconds (a day) more. Conflict: it was rotated, revoked, or has expired. NotFound;
        Denied."""
        return self._new(_native.brant_api_key_rotate, given(id=id, overlap=milliseconds(overlap)) | acting(actor))

    def revoke(self, id: str, *, actor: Actor | None = None) -> ApiKey:
        """For ever: no verification by any process that begins after this returned finds it valid. NotFound; Denied."""
        return self._one(ApiKey, _native.brant_api_key_revoke, {"id": id} | acting(actor))

    def import_(
        self,
        name: str,
        scopes: Iterable[str],
        hash: str,
        *,
        owner_id: str | None = None,
        org_id: str | None = None,
        type: str | None = None,
        expires_at: Moment | None = None,
        metadata: Mapping[str, Any] | None = None,
        actor: Actor | None = None,
    ) -> ApiKey:
        """Take over a key of another system by the SHA-256 of its token, in hexadecimal; it works until it is rotated or revoked. Exists. As `create`."""
        members = given(
            name=name, scopes=texts(scopes), hash=hash, owner_id=owner_id, org_id=org_id, type=type, expires_at=moment(expires_at), metadata=metadata
        )  # fmt: skip
        return self._one(ApiKey, _native.brant_api_key_import, members | acting(actor))


def authenticate(database: Database, token: str | Token) -> Authenticated:
    members: Json = {"token": token_text(token)}
    del token
    return verified(Authenticated, _quietly(database, _native.brant_auth_authenticate, members))


def identity_schemas() -> dict[str, dict[str, Json]]:
    """JSON Schemas (2020-12) of the rows of "accounts", "organizations", "members", "invitations", "api_keys" and "audit_logs": each has "select", of a row, "insert", of
    what makes one, and "update", of what changes one."""
    return cast("dict[str, dict[str, Json]]", decode(_native.brant_identity_schemas(None, "{}"))["tables"])
