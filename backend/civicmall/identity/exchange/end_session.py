"""Logout on a client's wish (OpenID Connect RP-Initiated Logout 1.0): what is asked, and by whom.

Anybody can send a browser here, so a session ends only by its own ID token or by the citizen's word
on a page; and the browser goes on only to an address that the client registered, to the letter.
"""

from __future__ import annotations

from typing import Any, Final

from joserfc.errors import JoseError
from msgspec import Struct

from civicmall.identity.models import Caller
from civicmall.identity.provider import clients
from civicmall.identity.provider.errors import OAuthError
from civicmall.identity.provider.forms import Form
from civicmall.identity.provider.models import Client
from civicmall.identity.provider.subjects import sid
from civicmall.identity.signing import ALGORITHMS, OtherType
from civicmall.identity.tokens import Tokens
from civicmall.kernel.house import House

from . import rules

ID_TOKEN: Final = "JWT"  # noqa: S105 (a type)


class Leaving(Struct, frozen=True):
    """A wish to sign out, understood. `client` is None where none was named."""

    client: Client | None = None
    back_to: str = ""
    """Where the browser goes afterwards, with `state`; empty: nowhere."""
    session: str = ""
    """The `sid` of the ID token that came."""
    form: dict[str, str] = {}
    """The wish as a page repeats it, without the hint."""

    def is_of(self, house: House, caller: Caller) -> bool:
        """Whether the ID token is of this very session: then nobody needs to be asked."""
        if self.client is None or not self.session:
            return False
        return sid(house, self.client, caller.session_id) == self.session


async def understand(house: House, tokens: Tokens, form: Form) -> Leaving:
    """What a request asks for. Raises OAuthError: then the browser goes nowhere."""
    hint = _hinted(house, tokens, form.get("id_token_hint"))
    named = form.get("client_id") or hint.get("aud", "")
    if hint and named != hint["aud"]:
        raise OAuthError("invalid_request", "id_token_hint is not this client's")
    client = await clients.find(house.db, named) if named else None
    if named and client is None:
        raise OAuthError("invalid_request", "there is no such client")
    uri, back_to = form.get("post_logout_redirect_uri"), ""
    if uri is not None:
        if client is None or uri not in client.post_logout_redirect_uris:
            raise OAuthError("invalid_request", "post_logout_redirect_uri is not registered")
        added = {"state": form["state"]} if "state" in form else {}
        back_to = rules.with_query(uri, added) if added else uri
    repeated = {
        name: form[name] for name in ("post_logout_redirect_uri", "state") if name in form
    } | ({"client_id": named} if named else {})
    return Leaving(client, back_to, hint.get("sid", ""), repeated)


def _hinted(house: House, tokens: Tokens, hint: str | None) -> dict[str, str]:
    """Client and session of an ID token of ours; it may be over (section 2), but not changed."""
    if hint is None:
        return {}
    refused = OAuthError("invalid_request", "id_token_hint is no ID token of this server")
    try:
        claims: dict[str, Any] = tokens.signing.read(hint, ID_TOKEN, ALGORITHMS)
    except (JoseError, OtherType, ValueError, TypeError) as error:
        raise refused from error
    said = {name: claims.get(name) for name in ("iss", "aud", "sid")}
    if said["iss"] != house.settings.public_url or not all(
        isinstance(v, str) for v in said.values()
    ):
        raise refused
    return {"aud": str(said["aud"]), "sid": str(said["sid"])}
