-- Spread a migrated CivicMall over the workers of a Citus cluster. Run once, on the coordinator, as the
-- owner of the tables, while no server runs:
--
--     psql "$DATABASE_URL" -v ON_ERROR_STOP=1 --single-transaction -f deploy/citus/distribute.sql
--
-- Rows that are there move along. A later migration that makes a table adds its line here; why each
-- table lies where it does is in docs/adr/0030-distribution.md.

set citus.shard_count = 64;

-- Whatever grows with citizens: by bucket, side by side, so that a request touches one shard.
select create_distributed_table('kernel.outbox', 'bucket', colocate_with => 'none');
select create_distributed_table('cases.case', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('cases.event', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('cases.material', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('cases.supplement', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('gateway.call', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('gateway.nonce', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.attribute', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('gateway.sub', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.audit', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.audit_anchor', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.audit_head', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.audit_reading', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.attempt', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.assertion', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.auth_code', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.citizen', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.attribute_off', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.code', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.consent', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.dispute', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.deletion', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.counter_code', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.face_check', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.delegation', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.delegation_held', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.enterprise', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.grant_', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.id_number', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.life_event', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.known_device', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.lookup', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.par', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.passkey', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.passkey_answered', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.passkey_id', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.phone', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.reading', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.reading_objection', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.sandbox_face', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.sandbox_message', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.session', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.spent', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.tries', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.upstream_link', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('identity.upstream_subject', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('inbox.message', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('kernel.idempotency', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('payments.channel_payment', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('payments.charge', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('payments.insurer_account', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('payments.insurer_deduction', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('payments.insurer_fault', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('payments.insurer_refund', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('payments.ledger_bucket', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('payments.line', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('payments.mandate', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('payments.mandate_debit', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('payments.orders', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('payments.payout', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('payments.payout_total', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('payments.posting', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('payments.reconciled', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('payments.refund', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('payments.sandbox_agreement', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('payments.sandbox_payment', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('payments.sandbox_return', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('payments.split', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('payments.split_refund', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('payments.statement_gap', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('payments.statement_row', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('ratings.rating', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('ratings.rectification', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('ratings.step', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('recommend.feedback', 'bucket', colocate_with => 'kernel.outbox');
select create_distributed_table('recommend.settings', 'bucket', colocate_with => 'kernel.outbox');

-- What desks look at, fed by events: by shop.
select create_distributed_table('payments.desk_payment', 'shop', colocate_with => 'none');
select create_distributed_table('cases.desk_case', 'shop', colocate_with => 'payments.desk_payment');
select create_distributed_table('identity.desk_dispute', 'shop', colocate_with => 'payments.desk_payment');
select create_distributed_table('payments.desk_refund', 'shop', colocate_with => 'payments.desk_payment');
select create_distributed_table('ratings.desk_rating', 'shop', colocate_with => 'payments.desk_payment');
select create_distributed_table('ratings.desk_rectification', 'shop', colocate_with => 'payments.desk_payment');
select create_distributed_table('ratings.month', 'shop', colocate_with => 'payments.desk_payment');

-- The ledger's entries as desks page through them: by account.
select create_distributed_table('payments.desk_entry', 'account', colocate_with => 'none');

-- Small, and read by every request: a copy on each worker.
select create_reference_table('catalogue.item');
select create_reference_table('catalogue.item_past');
select create_reference_table('identity.client');
select create_reference_table('identity.client_secret');
select create_reference_table('identity.signing_key');
select create_reference_table('kernel.city');
select create_reference_table('shops.version');

-- Written by staff and jobs, joined by no citizen's request: on the coordinator.
select citus_add_local_table_to_metadata('identity.audit_day');
select citus_add_local_table_to_metadata('identity.desk_reading_objection');
select citus_add_local_table_to_metadata('identity.factor_reset');
select citus_add_local_table_to_metadata('identity.staff');
select citus_add_local_table_to_metadata('identity.staff_enrolment');
select citus_add_local_table_to_metadata('identity.staff_recovery');
select citus_add_local_table_to_metadata('identity.staff_ticket');
select citus_add_local_table_to_metadata('identity.staff_totp');
select citus_add_local_table_to_metadata('identity.staff_tries');
select citus_add_local_table_to_metadata('payments.ledger_day');
select citus_add_local_table_to_metadata('payments.statement');
select citus_add_local_table_to_metadata('payments.statement_bad');
select citus_add_local_table_to_metadata('payments.ticket');
select citus_add_local_table_to_metadata('releases.release');
select citus_add_local_table_to_metadata('releases.step');
