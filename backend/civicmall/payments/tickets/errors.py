"""What can go wrong at the tickets' desk."""

from civicmall.kernel.errors import Problem


class NoSuchTicket(Problem):
    """No ticket of this id."""

    type, status, title = "/problems/no-such-ticket", 404, "There is no such ticket."


class TicketResolved(Problem):
    """Somebody, or the system, was quicker; the ticket says who."""

    type, status, title = "/problems/ticket-resolved", 409, "This ticket is resolved already."


class ReturnWaits(Problem):
    """Its money's way back waits for another operator, who finds it by this ticket; `refund_id`
    says which refund is to be approved or declined first.
    """

    type, status, title = (
        "/problems/return-waits",
        409,
        "The return of this money waits to be approved or declined first.",
    )
