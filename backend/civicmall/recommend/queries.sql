-- name: memory(bucket, citizen_id)^
-- record_class: Memory
-- Everything the home remembers of one citizen, in one round trip.
select coalesce((select s.recommend from recommend.settings s
                 where s.bucket = :bucket and s.citizen_id = :citizen_id), true) as recommend,
       coalesce((select jsonb_agg(jsonb_build_object(
                            'item', f.item, 'action', f.action,
                            'given_on', f.given_on, 'until', f.until))
                 from recommend.feedback f
                 where f.bucket = :bucket and f.citizen_id = :citizen_id),
                '[]'::jsonb) as feedback;

-- name: give_feedback(bucket, citizen_id, item, action, given_on, until)^
-- record_class: Feedback
insert into recommend.feedback (bucket, citizen_id, item, action, given_on, until)
values (:bucket, :citizen_id, :item, :action, :given_on, :until)
on conflict (bucket, citizen_id, item) do update
set action = excluded.action, given_on = excluded.given_on, until = excluded.until
returning item, action, given_on, until;

-- name: take_back_feedback(bucket, citizen_id, item)$
delete from recommend.feedback
where bucket = :bucket and citizen_id = :citizen_id and item = :item
returning true;

-- name: change_settings(bucket, citizen_id, recommend)^
-- record_class: Settings
insert into recommend.settings (bucket, citizen_id, recommend)
values (:bucket, :citizen_id, :recommend)
on conflict (bucket, citizen_id) do update set recommend = excluded.recommend
returning recommend;

-- name: export_feedback(bucket, citizen_id, after, most)
select item as key, item, action, given_on, until from recommend.feedback
where bucket = :bucket and citizen_id = :citizen_id and (:after::text is null or item > :after::text)
order by item limit :most;

-- name: export_settings(bucket, citizen_id, after, most)
select 'settings' as key, recommend from recommend.settings
where bucket = :bucket and citizen_id = :citizen_id and :after::text is null limit :most;

-- name: erase(bucket, citizen_id)!
with said as (
    delete from recommend.feedback where bucket = :bucket and citizen_id = :citizen_id
)
delete from recommend.settings where bucket = :bucket and citizen_id = :citizen_id;
