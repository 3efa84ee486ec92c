"""What the provider says of itself (OpenID Connect Discovery 1.0, RFC 8414, RFC 9126, RFC 9207)."""

from __future__ import annotations

from typing import Any

from civicmall.kernel.house import House

from . import keys
from .models import OIDC, SCOPES
from .rules import LEVELS, PROMPTS
from .token import GRANTS


def metadata(house: House) -> dict[str, Any]:
    """The document at `/.well-known/openid-configuration`."""
    issuer = house.settings.public_url
    methods = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
    return {
        "issuer": issuer,
        "authorization_endpoint": issuer + "/oauth/authorize",
        "pushed_authorization_request_endpoint": issuer + "/oauth/par",
        "token_endpoint": issuer + "/oauth/token",
        "userinfo_endpoint": issuer + "/oauth/userinfo",
        "introspection_endpoint": issuer + "/oauth/introspect",
        "revocation_endpoint": issuer + "/oauth/revoke",
        "end_session_endpoint": issuer + "/oauth/logout",
        "jwks_uri": issuer + "/.well-known/jwks.json",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": sorted(GRANTS),
        "acr_values_supported": list(LEVELS),
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["ES256", "RS256"],
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": list(keys.OFFERED),
        "introspection_endpoint_auth_methods_supported": methods[:-1],
        "introspection_endpoint_auth_signing_alg_values_supported": list(keys.OFFERED),
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": list(keys.OFFERED),
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": sorted(PROMPTS),
        "claims_supported": [
            "iss", "sub", "aud", "azp", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash",
            *OIDC.values(), "phone_number_verified",
        ],
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "require_request_uri_registration": False,
        "require_pushed_authorization_requests": False,
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "ui_locales_supported": ["zh-CN", "en"],
    }  # fmt: skip
