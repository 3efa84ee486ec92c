-- The shop's own schema is first in the search path, so names stand alone.
-- Select lists are the fields of the Structs in charges.py, in order.

-- name: payment
select payment_id, app, charge, number, amount_minor, booked_at
from charge_payment where payment_id = :payment_id;

-- name: in_force
select payment_id, app, charge, number, amount_minor, booked_at
from charge_payment where app = :app and charge = :charge and refunded_minor < amount_minor;

-- name: book
-- Of two payments of one charge that come at once, the second waits for the first and changes
-- nothing, unless that one went back in full meanwhile.
insert into charge_payment (payment_id, app, charge, number, amount_minor, paid_at, booked_at)
values (:payment_id, :app, :charge, :number, :amount_minor, :paid_at, :booked_at)
on conflict do nothing
returning payment_id, app, charge, number, amount_minor, booked_at;

-- name: refund
-- Never more than was paid, and each refund once: of two who come at once the second waits for
-- the payment, and then finds that it is too much or that the refund is there.
with paid as (
    select payment_id from charge_payment
    where payment_id = :payment_id and refunded_minor + :amount_minor::bigint <= amount_minor
    for update
), noted as (
    insert into charge_refund (refund_id, payment_id, amount_minor, refunded_at, noted_at)
    select :refund_id, payment_id, :amount_minor::bigint, :refunded_at, :noted_at from paid
    on conflict do nothing
    returning refund_id, payment_id, amount_minor, noted_at
), gone as (
    update charge_payment p set refunded_minor = p.refunded_minor + n.amount_minor
    from noted n where p.payment_id = n.payment_id
)
select refund_id, payment_id, amount_minor, noted_at from noted;

-- name: refunded
select refund_id, payment_id, amount_minor, noted_at
from charge_refund where refund_id = :refund_id;

-- name: plant
-- For a sandbox: charges that were ever paid stay as they are.
insert into charge_payment (payment_id, app, charge, number, amount_minor, paid_at, booked_at)
select n.payment_id, :app, n.charge, n.number, n.amount_minor, n.paid_at, n.paid_at
from unnest(:payment_ids::text[], :charges::text[], :numbers::text[], :amounts::bigint[],
            :paid_at::timestamptz[]) as n (payment_id, charge, number, amount_minor, paid_at)
where not exists (select from charge_payment p where p.app = :app and p.charge = n.charge)
on conflict do nothing;
