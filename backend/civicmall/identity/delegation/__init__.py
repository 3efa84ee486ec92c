"""Acting for others: a child, a relative, an enterprise; exactly as far as it was given."""

from __future__ import annotations

from .errors import (
    ActorUnproven,
    BadDelegation,
    DelegationEnded,
    DelegationWaits,
    NoSuchDelegation,
    NotEndable,
    OfAge,
    RelationUnproven,
    TooManyDelegations,
)
from .models import ChildAsk, Delegation, Delegations, EnterpriseAsk, Invitation
from .proving import child, enterprise, grown, watch
from .rules import EVERYTHING
from .service import accept, act, acting, agents, begun, end, invite, lives_s, mine
from .views import names, principal_name

__all__ = [
    "EVERYTHING", "ActorUnproven", "BadDelegation", "ChildAsk", "Delegation", "DelegationEnded", "DelegationWaits",
    "Delegations", "EnterpriseAsk", "Invitation", "NoSuchDelegation", "NotEndable", "OfAge", "RelationUnproven",
    "TooManyDelegations", "accept", "act", "acting", "agents", "begun", "child", "end", "enterprise", "grown", "invite", "lives_s", "mine",
    "names", "principal_name", "watch",
]  # fmt: skip
