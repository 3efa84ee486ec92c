"""`civicmall smoke`: the main job over HTTP, as a citizen, a department and an operator do it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

import httpx
from rich.console import Console

from civicmall import identity
from civicmall.kernel.clock import Clock
from shopkit.sandbox import Person, people

SHOP: Final = "utility_bills"
APPS: Final = ("water", "power", "gas", "heating")
WAIT_S: Final = 20.0
TRIES: Final = 40
"""Households that are looked at for a bill that nobody has paid yet."""


class Failed(Exception):
    """A step that did not do what it should; says what was seen instead."""


class Journey:
    """What one step leaves for the next."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=10, headers={"accept-language": "en"})
        self.staff = httpx.Client(base_url=url, timeout=10, headers={"accept-language": "en"})
        self.seen: dict[str, Any] = {}

    def ask(self, client: httpx.Client, method: str, path: str, **rest: Any) -> Any:
        """One request; its answer as data. Raises Failed with the problem it answered."""
        try:
            answer = client.request(method, path, **rest)
        except httpx.HTTPError as error:
            raise Failed(f"{method} {path}: {type(error).__name__}: {error}") from error
        if answer.is_error:
            raise Failed(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json() if answer.content else None

    def get(self, path: str) -> Any:
        """As the citizen."""
        return self.ask(self.http, "GET", path)

    def post(self, path: str, body: Any, *, key: bool = False) -> Any:
        """As the citizen; with `key` as a request that is made once."""
        headers = {"idempotency-key": uuid4().hex} if key else {}
        return self.ask(self.http, "POST", path, json=body, headers=headers)

    def until(self, look: Callable[[], Any], what: str) -> Any:
        """Look until there is something. Raises Failed when the time is over."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            if found := look():
                return found
            time.sleep(0.05)
        raise Failed(f"{what} within {WAIT_S:.0f} s")

    def step_alive(self) -> str:
        """The server answers and its database does."""
        self.ask(self.http, "GET", "/healthz")
        return f"readiness {self.get('/readyz')['status']}"

    def step_catalogue(self) -> str:
        """Anybody can look services up."""
        found = self.get("/v1/catalogue/items?limit=100")
        if not found["items"]:
            raise Failed("the catalogue is empty")
        return f"{len(found['items'])} services on the first page"

    def step_sign_in(self) -> str:
        """A phone and its code; name and number against the register; consent to the shop."""
        everybody = people(Clock().today())
        for person in random.sample(everybody, min(TRIES, len(everybody))):
            self._sign_in(person)
            if self._owed():
                return f"{person.key}, level 2, consent given"
        raise Failed(f"{TRIES} households and none owes anything")

    def _sign_in(self, person: Person) -> None:
        self.http.headers.pop("authorization", None)
        self.post("/v1/sign-in/codes", {"phone": person.phone})
        sent = self.get("/v1/sandbox/messages")["items"]
        text = next(message["text"] for message in sent if message["to"] == person.phone)
        code = "".join(filter(str.isdigit, text))
        pair = self.post("/v1/sign-in/tokens", {"phone": person.phone, "code": code})
        self._bearer(self.http, pair["access_token"])
        raised = self.post(
            "/v1/me/verification", {"name": person.name, "id_number": person.id_number}
        )
        self._bearer(self.http, raised["access_token"])
        for app in APPS:
            self.ask(
                self.http, "PUT", f"/v1/me/consents/{SHOP}/{app}", json={"claims": ["id_number"]}
            )

    @staticmethod
    def _bearer(client: httpx.Client, token: str) -> None:
        client.headers["authorization"] = f"Bearer {token}"

    def _owed(self) -> bool:
        for app in APPS:
            for bill in self.get(f"/v1/shops/{SHOP}/apps/{app}/bills")["items"]:
                if bill["state"] != "paid":
                    self.seen |= {"app": app, "bill": bill}
                    return True
        return False

    def step_home(self) -> str:
        """What life calls for now, and what is owed."""
        home = self.get("/v1/home")
        if not home["owed"]:
            raise Failed("the home shows nothing owed")
        return f"{len(home['cards'])} cards, {len(home['owed'])} bills"

    def step_bill(self) -> str:
        """A bill explains itself."""
        bill = self.seen["bill"]
        detail = self.get(f"/v1/shops/{SHOP}/apps/{self.seen['app']}/bills/{bill['id']}")
        total = sum(line["amount_minor"] for line in detail["lines"])
        if total != detail["bill"]["amount_minor"]:
            raise Failed(f"lines sum to {total}, not to the bill")
        return f"{detail['bill']['title']['en']}: {total / 100:.2f} yuan in {len(detail['lines'])} lines"

    def step_pay(self) -> str:
        """Order, cashier, signed callback, posting, shop, receipt."""
        charge = {"shop": SHOP, "app": self.seen["app"], "charge_id": self.seen["bill"]["id"]}
        order = self.post("/v1/orders", {"charges": [charge]}, key=True)
        cashier = self.post(f"/v1/orders/{order['id']}/pay", {"channel": "sandbox"})
        self.post(f"/v1/sandbox/cashier/{order['id']}", {"token": cashier["token"]})
        self.seen["order"] = order["id"]
        self.until(
            lambda: self.get(f"/v1/orders/{order['id']}")["state"] == "fulfilled",
            "the order was not fulfilled",
        )
        return f"order {order['id']} fulfilled"

    def step_receipt(self) -> str:
        """The department's own receipt."""
        receipt = self.get(f"/v1/orders/{self.seen['order']}/receipt")
        return ", ".join(line["number"] for line in receipt["lines"])

    def step_told(self) -> str:
        """A message in the inbox."""
        link = f"/orders/{self.seen['order']}"
        found = self.until(
            lambda: [m for m in self.get("/v1/inbox")["items"] if m["link"] == link],
            "no message came",
        )
        return str(found[0]["title"])

    def step_rate(self) -> str:
        """One star with a comment opens a ticket with a due date and a name."""
        self.seen["before"] = self.get(f"/v1/satisfaction/{SHOP}")["index"]
        rating = self.post(
            "/v1/ratings",
            {
                "subject": {"kind": "order", "id": self.seen["order"]},
                "stars": 1,
                "comment": "The tier on my bill was hard to understand.",
            },
            key=True,
        )
        self.seen["ticket"] = rating["id"]
        ticket = self.until(self._ticket, "no ticket was opened")
        return f"due {ticket['due']['on']}, {ticket['responsible']}"

    def _ticket(self) -> Any:
        answer = self.http.get(f"/v1/rectifications/{self.seen['ticket']}")
        return answer.json() if answer.is_success else None

    def _work_as(self, username: str) -> None:
        self.staff.headers.pop("authorization", None)
        pair = self.ask(
            self.staff, "POST", "/v1/staff/tokens",
            json={"username": username, "password": identity.sandbox.PASSWORD},
        )  # fmt: skip
        self._bearer(self.staff, pair["access_token"])

    def step_operator(self) -> str:
        """The operator sees the rating and the open ticket."""
        self._work_as("operator")
        self.until(
            lambda: any(
                t["id"] == self.seen["ticket"]
                for t in self.ask(
                    self.staff, "GET", f"/v1/desk/rectifications?shop={SHOP}&limit=100"
                )["items"]
            ),
            "the ticket is not on the operator's desk",
        )
        self.until(
            lambda: self.get(f"/v1/satisfaction/{SHOP}")["index"]["n"] > self.seen["before"]["n"],
            "the index did not move",
        )
        return "ticket on the desk, index moved"

    def step_department(self) -> str:
        """The department answers."""
        self._work_as(SHOP)
        self.ask(
            self.staff, "POST", f"/v1/desk/rectifications/{self.seen['ticket']}/answer",
            json={"kind": "fixed", "text": "We explain the tiers on every bill from now on."},
        )  # fmt: skip
        answered = self.until(
            lambda: (found := self._ticket()) and found["state"] != "open" and found,
            "the answer did not arrive",
        )
        return str(answered["state"])

    def step_confirm(self) -> str:
        """The citizen accepts and rates again; the satisfaction index moves."""
        rated = self.get(f"/v1/satisfaction/{SHOP}")["index"]
        self.post(f"/v1/rectifications/{self.seen['ticket']}/confirm", {"rating": {"stars": 5}})
        moved = self.until(
            lambda: (
                (now := self.get(f"/v1/satisfaction/{SHOP}")["index"])["mean"] != rated["mean"]
                and now
            ),
            "the index did not move",
        )
        return f"mean {rated['mean']:.2f} → {moved['mean']:.2f} of {moved['n']} ratings"


def journey(url: str, out: Console) -> int:
    """Every step in order, each with its time; 1 at the first that fails."""
    self = Journey(url)
    steps = [name for name in vars(Journey) if name.startswith("step_")]
    began = time.monotonic()
    for name in steps:
        at = time.monotonic()
        title = name.removeprefix("step_").replace("_", " ")
        try:
            said = getattr(self, name)()
        except Failed as error:
            out.print(f"[red]✗[/red] {title:10} {(time.monotonic() - at) * 1000:6.0f} ms  {error}")
            return 1
        out.print(f"[green]✓[/green] {title:10} {(time.monotonic() - at) * 1000:6.0f} ms  {said}")
    out.print(f"{len(steps)} steps in {time.monotonic() - began:.2f} s")
    return 0
