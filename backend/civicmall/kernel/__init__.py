"""What every room stands on: configuration, database, errors, ids, time, secrets, events.

Rooms import its modules by name (`from civicmall.kernel import sql, ids`); there is no facade.
"""
