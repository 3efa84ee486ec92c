"""Verbs of passkeys, the same for citizens and staff."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from civicmall.identity import audit, devices, people
from civicmall.identity.errors import ActingNotAllowed, SignInAgain
from civicmall.identity.events import SafetyNews
from civicmall.identity.limits import Origin
from civicmall.identity.models import Caller, CitizenRow, Staff, TokenPair
from civicmall.identity.rules import mask
from civicmall.identity.staff import accounts
from civicmall.identity.staff.standing import standing
from civicmall.identity.tokens import Tokens
from civicmall.kernel import ids, logs, outbox
from civicmall.kernel.db import Db
from civicmall.kernel.errors import NotFound
from civicmall.kernel.house import House

from . import rules
from .checking import asserted, attested
from .errors import (
    CeremonyOver,
    NoSuchPasskey,
    PasskeyKnown,
    PasskeyRefused,
    PasskeySetAside,
    PasskeysNotOffered,
    TooManyPasskeys,
)
from .models import (
    AddAsked,
    CreationOptions,
    KeyKind,
    KeyRow,
    Kind,
    Passkey,
    PasskeyAdd,
    PasskeyRef,
    PasskeyRow,
    PasskeySignIn,
    PasskeyUser,
    RelyingParty,
    RequestOptions,
    SignInAsked,
)
from .queries import q

log = logs.get("identity")
NAME = "identity.passkey.name"
Owner = Caller | Staff


def offered(house: House) -> bool:
    """Whether passkeys can be used at this installation's public address."""
    return rules.party(house.settings.public_url) is not None


def where(house: House) -> str:
    """Where passkeys can be used: an installation at an address of this machine has them by name.
    Empty where they can't be.
    """
    found = rules.party(house.settings.public_url)
    return found.origins[0] if found else ""


def _party(house: House) -> rules.Party:
    if (found := rules.party(house.settings.public_url)) is None:
        raise PasskeysNotOffered
    return found


def options(house: House, kind: Kind, browser: str = "") -> SignInAsked:
    """What to sign in order to sign in. Writes nothing: the ceremony is kept, sealed, by whoever asked.
    A page says the cookie of its `browser`; what a program holds is a secret of its own. Raises
    PasskeysNotOffered.
    """
    party = _party(house)
    asked = rules.Asked(
        secrets.token_bytes(32),
        "sign_in",
        kind,
        house.clock.now() + timedelta(seconds=rules.SIGN_IN_S),
        browser=rules.browser_of(browser),
    )
    return SignInAsked(
        rules.sealed(house.keys, asked),
        rules.SIGN_IN_S,
        RequestOptions(rules.text_of(asked.challenge), party.id, rules.SIGN_IN_S * 1000),
    )


async def finish(
    house: House,
    tokens: Tokens,
    kind: Kind,
    said: PasskeySignIn,
    *,
    browser: str = "",
    origin: Origin | None = None,
) -> TokenPair:
    """A passkey's answer becomes a session; `origin` is where it came from.

    Raises CeremonyOver, PasskeyRefused, PasskeySetAside, PasskeysNotOffered.
    """
    party = _party(house)
    asked = rules.opened(house.keys, said.ceremony, house.clock.now())
    if (
        asked is None
        or (asked.what, asked.kind) != ("sign_in", kind)
        or not secrets.compare_digest(asked.browser, rules.browser_of(browser))
    ):
        raise CeremonyOver
    key = await _find(house.db, kind, said)
    found = asserted(
        party, asked.challenge, said.credential, key.public_key, eligible=key.backup_eligible
    )
    await _answer(house.db, asked)
    if key.set_aside or await _use(house, key, found.sign_count, backed_up=found.backed_up):
        raise PasskeySetAside
    return await _open(house, tokens, key, said.device, origin, synced=found.backed_up)


async def _find(db: Db, kind: Kind, said: PasskeySignIn) -> KeyRow:
    """The passkey that answers: its user handle leads to the bucket. Raises PasskeyRefused."""
    try:
        handle = rules.bytes_of(said.credential.response.user_handle)
        credential_id = rules.bytes_of(said.credential.id)
    except ValueError as error:
        raise PasskeyRefused from error
    found: KeyRow | None = await q.find(
        db, bucket=handle[0], handle=handle, credential_id=credential_id, kind=kind
    )
    if found is None:
        raise PasskeyRefused
    return found


async def _answer(db: Db, asked: rules.Asked) -> None:
    """Spend a challenge. Raises CeremonyOver where it was spent before."""
    fresh = await q.answer(
        db, bucket=asked.challenge[0], challenge=asked.challenge, expires_at=asked.until
    )
    if fresh is None:
        raise CeremonyOver


async def _use(house: House, key: KeyRow, sign_count: int, *, backed_up: bool) -> bool:
    """Note that a passkey was used; whether it is set aside for its counter. Raises PasskeyRefused."""
    aside: bool | None = await q.use(
        house.db,
        bucket=ids.bucket_of(key.id),
        id=key.id,
        sign_count=sign_count,
        backed_up=backed_up,
        **_news(key.owner, "passkey_set_aside"),
    )
    if aside is None:
        raise PasskeyRefused
    if aside:
        house.hint()
        log.warning("passkey.set_aside", id=str(key.id))
        if key.kind == "citizen":
            await audit.note(house, key.owner, "passkey_set_aside")
    return aside


async def _open(
    house: House,
    tokens: Tokens,
    key: KeyRow,
    device: str,
    origin: Origin | None,
    *,
    synced: bool,
) -> TokenPair:
    at = origin and devices.place(house, key.owner, device, origin.address, origin.device)
    amr = rules.amr(synced=synced)
    if key.kind == "citizen":
        citizen: CitizenRow = await people.row(house.db, key.owner)
        session = await devices.open_session(house.db, key.owner, "citizen", device, amr=amr, at=at)
        house.hint()
        return tokens.issue(Caller(key.owner, session, citizen.level), 0)
    session = await devices.open_session(house.db, key.owner, "staff", device, amr=amr, at=at)
    person = await standing(house, key.owner, session)
    if person is None:  # the account was closed
        raise PasskeyRefused
    log.info("staff.signed_in", staff=str(key.owner), amr=amr)
    return tokens.issue(person, 0)


async def add_options(house: House, who: Owner) -> AddAsked:
    """What to make a passkey with. Raises SignInAgain, PasskeysNotOffered."""
    party = _party(house)
    owner, kind = _owner(who)
    await _may_add(house, who)
    rows: list[PasskeyRow] = await q.mine(house.db, bucket=ids.bucket_of(owner), owner=owner)
    asked = rules.Asked(
        secrets.token_bytes(32),
        "add",
        kind,
        house.clock.now() + timedelta(seconds=rules.ADD_S),
        owner,
        who.session_id,
    )
    shown = await _shown_as(house, who)
    return AddAsked(
        rules.sealed(house.keys, asked),
        rules.ADD_S,
        CreationOptions(
            rp=RelyingParty(party.id, "CivicMall"),
            user=PasskeyUser(rules.text_of(rules.handle(house.keys, owner)), shown, shown),
            challenge=rules.text_of(asked.challenge),
            pub_key_cred_params=[KeyKind(one) for one in rules.ALGORITHMS],
            timeout=rules.ADD_S * 1000,
            exclude_credentials=[
                PasskeyRef(rules.text_of(row.credential_id), row.transports) for row in rows
            ],
        ),
    )


async def _shown_as(house: House, who: Owner) -> str:
    """What a device shows beside a passkey: staff's name, a citizen's masked phone."""
    if isinstance(who, Staff):
        return who.name
    row = await people.row(house.db, who.citizen_id)
    if row.phone is None:
        raise NotFound
    return mask(house.keys.open(row.phone, people.PHONE), 3, 4)


async def add(house: House, who: Owner, said: PasskeyAdd) -> Passkey:
    """Keep a new passkey; without a name it is called by its day.

    Raises SignInAgain, CeremonyOver, PasskeyNotTaken, PasskeyKnown, TooManyPasskeys,
    PasskeysNotOffered.
    """
    party = _party(house)
    owner, kind = _owner(who)
    await _may_add(house, who)
    asked = rules.opened(house.keys, said.ceremony, house.clock.now())
    if asked is None or (asked.what, asked.kind, asked.owner, asked.session) != (
        "add", kind, owner, who.session_id,
    ):  # fmt: skip
        raise CeremonyOver
    made = attested(party, asked.challenge, said.credential)
    await _answer(house.db, asked)
    digest = hashlib.sha256(made.credential_id).digest()
    if await _claimed_by(house.db, digest, owner) != owner:
        raise PasskeyKnown
    name = said.name.strip() or house.clock.today().isoformat()
    passkey = ids.new(ids.bucket_of(owner))
    first = isinstance(who, Staff) and who.enrolling
    found = await q.add(
        house.db,
        bucket=ids.bucket_of(owner),
        id=passkey,
        owner=owner,
        kind=kind,
        handle=rules.handle(house.keys, owner),
        credential_id=made.credential_id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        backup_eligible=made.backup_eligible,
        backed_up=made.backed_up,
        transports=rules.known_transports(said.credential.response.transports),
        name=house.keys.seal(name, NAME),
        first=first,
        **_news(owner, "passkey_added"),
    )
    if found["created_at"] is None:
        if first or not found["room"]:
            await _release(house.db, digest, owner)
            if first:  # a factor came in this instant, which this session has not shown
                raise SignInAgain
            raise TooManyPasskeys(most=rules.MOST)
        raise PasskeyKnown
    house.hint()
    if kind == "citizen":
        await audit.note(house, owner, "passkey_added")
    return Passkey(passkey, name, found["created_at"], None, made.backed_up, set_aside=False)


async def proved(house: House, tokens: Tokens, staff: Staff, device: str = "") -> TokenPair | None:
    """Staff who have just added their first second factor have shown it too: their session goes on as
    another that says so. Those from before are over, also what somebody else opened with the password
    alone. None where it said so already.
    """
    before = await devices.signed_in(house.db, staff.session_id)
    if before is None or "mfa" in before.amr:
        return None
    session = await devices.open_session(
        house.db, staff.staff_id, "staff", device, amr=[*before.amr, "hwk", "mfa"]
    )
    person = await standing(house, staff.staff_id, session)
    await accounts.end_sessions(house, tokens, staff.staff_id, but=session)
    return None if person is None else tokens.issue(person, 0)


async def _may_add(house: House, who: Owner) -> None:
    """That somebody signed in just now, and has shown the second factor that there is, if there is one
    by now. Raises SignInAgain.
    """
    await devices.signed_in_recently(house.db, who.session_id)
    if isinstance(who, Staff) and await standing(house, who.staff_id, who.session_id) is None:
        raise SignInAgain


async def _claimed_by(db: Db, digest: bytes, owner: UUID) -> UUID | None:
    ask: dict[str, Any] = {"bucket": digest[0], "hash": digest, "owner": owner}
    found: UUID | None = await q.claim(db, **ask)
    if found is None:  # lost a race and read too early: whoever won is there now
        found = await q.claim(db, **ask)
    return found


async def _release(db: Db, digest: bytes, owner: UUID) -> None:
    await q.release(db, bucket=digest[0], hash=digest, owner=owner)


async def mine(house: House, owner: UUID) -> list[Passkey]:
    """The owner's passkeys, oldest first."""
    rows: list[PasskeyRow] = await q.mine(house.db, bucket=ids.bucket_of(owner), owner=owner)
    return [_shown(house, row) for row in rows]


def _shown(house: House, row: PasskeyRow) -> Passkey:
    return Passkey(
        id=row.id,
        name=house.keys.open(row.name, NAME),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        synced=row.backed_up,
        set_aside=row.set_aside,
    )


async def rename(house: House, owner: UUID, passkey: UUID, name: str) -> Passkey:
    """Call a passkey something else. Raises NoSuchPasskey."""
    row: PasskeyRow | None = await q.rename(
        house.db,
        bucket=ids.bucket_of(owner),
        owner=owner,
        id=passkey,
        name=house.keys.seal(name.strip() or house.clock.today().isoformat(), NAME),
    )
    if row is None:
        raise NoSuchPasskey
    return _shown(house, row)


async def remove(house: House, who: Owner, passkey: UUID) -> None:
    """Take a passkey away: it opens nothing any more. Raises SignInAgain, NoSuchPasskey."""
    owner, kind = _owner(who)
    await devices.signed_in_recently(house.db, who.session_id)
    credential_id: bytes | None = await q.remove(
        house.db,
        bucket=ids.bucket_of(owner),
        owner=owner,
        id=passkey,
        **_news(owner, "passkey_removed"),
    )
    if credential_id is None:
        raise NoSuchPasskey
    house.hint()
    if kind == "citizen":
        await audit.note(house, owner, "passkey_removed")
    await _release(house.db, hashlib.sha256(credential_id).digest(), owner)


async def release(db: Db, owner: UUID, credential_ids: Iterable[bytes]) -> None:
    """Passkeys of somebody's are gone: whoever has these may register them."""
    for credential_id in credential_ids:
        await _release(db, hashlib.sha256(credential_id).digest(), owner)


async def forget(house: House) -> None:
    """Challenges that are over can't be answered again."""
    await q.forget_answered(house.db)


def _owner(who: Owner) -> tuple[UUID, Kind]:
    """Whose passkeys these are: never those of somebody whom one only acts for. Raises ActingNotAllowed."""
    if isinstance(who, Staff):
        return who.staff_id, "staff"
    if who.actor is not None or who.acting or who.app:
        raise ActingNotAllowed(missing="self")
    return who.citizen_id, "citizen"


def _news(owner: UUID, what: Any) -> dict[str, Any]:
    """What a statement that tells a citizen needs."""
    kind, body = outbox.row(SafetyNews(owner, what))
    return {"event_id": ids.new(ids.bucket_of(owner)), "news": kind, "body": body}
