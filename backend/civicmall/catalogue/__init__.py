"""The catalogue: service items, whom they are for, and the rules and laws that say so."""

from .catalogue import AtHome, Catalogue, Entry
from .errors import BadContent, NoSuchItem
from .evaluate import NO, YES, Answer, Atom, Node, answer, evidence
from .explain import day
from .known import Known, Unknown
from .models import (
    AppLink,
    Attribute,
    AttributeType,
    Bearing,
    DepartmentView,
    Item,
    ItemGuide,
    ItemView,
    Named,
    Source,
    Stage,
    StageView,
)
from .routes import router
from .rules import Rule
from .service import from_content, load, snapshot
from .views import Links, department_views, item_guide, item_view, links, source, stage_views

routers = [router]

__all__ = [
    "NO", "YES", "Answer", "AppLink", "AtHome", "Atom", "Attribute", "AttributeType", "BadContent", "Bearing", "Catalogue",
    "DepartmentView", "Entry", "Item", "ItemGuide", "ItemView", "Known", "Links", "Named",
    "NoSuchItem", "Node", "Rule", "Source", "Stage", "StageView", "Unknown", "answer",
    "day", "department_views", "evidence", "from_content", "item_guide", "item_view", "links", "load", "routers",
    "snapshot", "source", "stage_views",
]  # fmt: skip
