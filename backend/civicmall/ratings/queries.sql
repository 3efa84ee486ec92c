-- name: give(bucket, kind, subject_id, id, citizen_id, shop, app, pseudonym, levels, stars, tags, comment, now, bad, responsible, phone, today, due_on, provisional, event_id, type, body)^
-- record_class: RatingRow
-- The primary key, not a read before it, decides that a matter is rated once; a bad rating, its
-- ticket and the news of both are one write.
with rated as (
    insert into ratings.rating (bucket, kind, subject_id, id, citizen_id, shop, app, pseudonym,
                                levels, stars, tags, comment, given_at)
    values (:bucket, :kind, :subject_id, :id, :citizen_id, :shop, :app, :pseudonym, :levels, :stars,
            :tags, :comment, :now)
    on conflict (bucket, kind, subject_id) do nothing
    returning *
), opened as (
    insert into ratings.rectification (bucket, id, citizen_id, shop, app, state, turn, responsible,
                                       phone, opened_at, counted_from, due_on, provisional)
    select bucket, id, citizen_id, shop, app, 'open', 'department', :responsible::jsonb,
           :phone::text, given_at, :today::date, :due_on::date, :provisional::boolean
    from rated where :bad::boolean
    returning *
), step as (
    insert into ratings.step (bucket, rectification_id, no, id, at, actor, who, move, state, said, due_on)
    select bucket, id, 1, :event_id::uuid, opened_at, 'citizen', '', 'open', 'open', '', due_on
    from opened
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select bucket, :event_id::uuid, :type::text, :body::jsonb from rated
)
select r.id, r.kind, r.subject_id, r.citizen_id, r.shop, r.app, r.pseudonym, r.levels, r.stars,
       r.tags, r.comment, r.given_at, r.again_stars, r.again_tags, r.again_comment, r.again_at,
       r.excluded_at, r.version, o.state, o.due_on
from rated r left join opened o on o.id = r.id;

-- name: rating_of(bucket, kind, subject_id)^
-- record_class: RatingRow
select r.id, r.kind, r.subject_id, r.citizen_id, r.shop, r.app, r.pseudonym, r.levels, r.stars,
       r.tags, r.comment, r.given_at, r.again_stars, r.again_tags, r.again_comment, r.again_at,
       r.excluded_at, r.version, t.state, t.due_on
from ratings.rating r left join ratings.rectification t on t.bucket = r.bucket and t.id = r.id
where r.bucket = :bucket and r.kind = :kind and r.subject_id = :subject_id;

-- name: rating(bucket, id)^
-- record_class: RatingRow
select r.id, r.kind, r.subject_id, r.citizen_id, r.shop, r.app, r.pseudonym, r.levels, r.stars,
       r.tags, r.comment, r.given_at, r.again_stars, r.again_tags, r.again_comment, r.again_at,
       r.excluded_at, r.version, t.state, t.due_on
from ratings.rating r left join ratings.rectification t on t.bucket = r.bucket and t.id = r.id
where r.bucket = :bucket and r.id = :id;

-- name: my_ratings(bucket, citizen_id, before, most)
-- record_class: RatingRow
select r.id, r.kind, r.subject_id, r.citizen_id, r.shop, r.app, r.pseudonym, r.levels, r.stars,
       r.tags, r.comment, r.given_at, r.again_stars, r.again_tags, r.again_comment, r.again_at,
       r.excluded_at, r.version, t.state, t.due_on
from ratings.rating r left join ratings.rectification t on t.bucket = r.bucket and t.id = r.id
where r.bucket = :bucket and r.citizen_id = :citizen_id
  and (:before::uuid is null or r.id < :before::uuid)
order by r.id desc limit :most;

-- name: my_tickets(bucket, citizen_id, before, most)
-- record_class: MineRow
select t.id, t.shop, t.app, r.stars, t.state, t.turn, t.due_on, t.opened_at
from ratings.rectification t join ratings.rating r on r.bucket = t.bucket and r.id = t.id
where t.bucket = :bucket and t.citizen_id = :citizen_id
  and (:before::uuid is null or t.id < :before::uuid)
order by t.id desc limit :most;

-- name: ticket(bucket, id)^
-- record_class: TicketRow
select id, citizen_id, shop, app, state, turn, responsible, phone, opened_at, counted_from,
       paused_days, due_on, provisional, reopened, appeals, appealed_on, late, overdue_on,
       reminded_on, closed_at, version
from ratings.rectification where bucket = :bucket and id = :id;

-- name: steps(bucket, rectification_id, most)
-- record_class: StepRow
select id, no, at, actor, who, move, state, said, due_on from ratings.step
where bucket = :bucket and rectification_id = :rectification_id
order by no desc limit :most;

-- name: step(bucket, rectification_id, id)^
-- record_class: StepRow
select id, no, at, actor, who, move, state, said, due_on from ratings.step
where bucket = :bucket and rectification_id = :rectification_id and id = :id;

-- name: move(bucket, id, sources, move, state, turn, now, today, reopen_max, appeals_max, counted_from, paused_days, due_on, provisional, actor, staff_id, who, said, again_stars, again_tags, again_comment, event_id, type, body)$
-- One step of a ticket. Of two who act at once, the one that finds the state it needs wins; the
-- history, a second rating or an exclusion, and the news are in the same write. A deadline that
-- had passed when the step was made stays missed, whatever the new one is.
with moved as (
    update ratings.rectification
    set state = :state::text, turn = :turn::text, version = version + 1,
        late = late or (turn = 'department' and due_on < :today::date),
        reopened = reopened + (:move::text = 'reopen')::int,
        appeals = appeals + (:move::text = 'appeal')::int,
        appealed_on = case when :move::text = 'appeal' then :today::date else appealed_on end,
        counted_from = coalesce(:counted_from::date, counted_from),
        paused_days = coalesce(:paused_days::int, paused_days),
        due_on = coalesce(:due_on::date, due_on),
        provisional = coalesce(:provisional::boolean, provisional),
        overdue_on = case when :due_on::date is null then overdue_on end,
        closed_at = case when :turn::text = 'nobody' then :now::timestamptz end
    where bucket = :bucket and id = :id and state = any(:sources::text[])
      and (:move::text <> 'reopen' or reopened < :reopen_max::int)
      and (:move::text <> 'appeal' or appeals < :appeals_max::int)
    returning *
), rerated as (
    update ratings.rating r
    set again_stars = :again_stars::smallint, again_tags = :again_tags::text[],
        again_comment = :again_comment::text,
        again_at = case when :again_stars::smallint is not null then :now::timestamptz end,
        excluded_at = case when :move::text = 'uphold' then :now::timestamptz end,
        version = r.version + 1
    from moved m
    where r.bucket = :bucket and r.id = m.id
      and (:again_stars::smallint is not null or :move::text = 'uphold')
), step as (
    insert into ratings.step (bucket, rectification_id, no, id, at, actor, staff_id, who, move,
                              state, said, due_on)
    select bucket, id, version, :event_id::uuid, :now::timestamptz, :actor::text, :staff_id::uuid,
           :who::text, :move::text, state, :said::text, due_on
    from moved
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select bucket, :event_id::uuid, :type::text, :body::jsonb from moved
)
select version from moved;

-- name: note(bucket, id, move, now, today, version, due_on, provisional, actor, staff_id, who, event_id, type, body)$
-- What happens to a ticket that waits for its department without moving it: an operator reminds
-- (once a day), its day passes (told once per deadline), or the calendar moves its day.
with noted as (
    update ratings.rectification
    set version = version + 1, late = late or due_on < :today::date,
        reminded_on = case when :move::text = 'remind' then :today::date else reminded_on end,
        overdue_on = case when :move::text = 'overdue' then :today::date else overdue_on end,
        due_on = coalesce(:due_on::date, due_on),
        provisional = coalesce(:provisional::boolean, provisional)
    where bucket = :bucket and id = :id and turn = 'department'
      and (:version::int is null or version = :version::int)
      and case :move::text
          when 'remind' then reminded_on is distinct from :today::date
          when 'overdue' then overdue_on is null and due_on < :today::date
          when 'redate' then due_on >= :today::date
          end
    returning *
), step as (
    insert into ratings.step (bucket, rectification_id, no, id, at, actor, staff_id, who, move,
                              state, said, due_on)
    select bucket, id, version, :event_id::uuid, :now::timestamptz, :actor::text, :staff_id::uuid,
           :who::text, :move::text, state, '', due_on
    from noted
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select bucket, :event_id::uuid, :type::text, :body::jsonb from noted
)
select version from noted;

-- name: put_rating(row)$
select ratings.put_rating(:row::jsonb);

-- name: put_rectification(row)$
select ratings.put_rectification(:row::jsonb);

-- name: desk_ratings(shop, stars_max, before, most)
-- record_class: DeskRatingRow
select shop, id, app, kind, pseudonym, levels, stars, tags, comment, given_at, again_stars,
       again_tags, again_comment, again_at, counts
from ratings.desk_rating
where (:shop::text is null or shop = :shop::text)
  and (:stars_max::int is null or stars <= :stars_max::int)
  and (:before::uuid is null or id < :before::uuid)
order by id desc limit :most;

-- name: desk_tickets(shop, state, overdue, today, after_closed, after_due, after_id, most)
-- record_class: DeskTicketRow
-- What is due first stands first; what is closed comes last.
select shop, id, app, pseudonym, stars, state, turn, closed, opened_at, due_on, provisional,
       reopened, late, overdue_on, reminded_on, responsible
from ratings.desk_rectification
where (:shop::text is null or shop = :shop::text)
  and (:state::text is null or state = :state::text)
  and (not :overdue::boolean or (turn = 'department' and due_on < :today::date))
  and (:after_id::uuid is null
       or (closed, due_on, id) > (:after_closed::boolean, :after_due::date, :after_id::uuid))
order by closed, due_on, id limit :most;

-- name: newly_overdue(today, most)
-- record_class: DueTicket
select shop, id, due_on from ratings.desk_rectification
where not closed and turn = 'department' and due_on < :today::date and overdue_on is null
order by due_on, id limit :most;

-- name: provisional(today, after_due, after_id, most)
-- record_class: DueTicket
select shop, id, due_on from ratings.desk_rectification
where not closed and turn = 'department' and provisional and due_on >= :today::date
  and (:after_id::uuid is null or (due_on, id) > (:after_due::date, :after_id::uuid))
order by due_on, id limit :most;

-- name: months(shops, since)
-- record_class: MonthRow
select shop, month, s1, s2, s3, s4, s5, opened, answered, on_time, late, confirmed
from ratings.month where shop = any(:shops::text[]) and month >= :since::date
order by shop, month;

-- name: export_ratings(bucket, citizen_id, after, most)
select id::text as key, id, kind, subject_id, shop, app, levels, stars, tags, comment, given_at, again_stars,
       again_tags, again_comment, again_at, excluded_at
from ratings.rating
where bucket = :bucket and citizen_id = :citizen_id and (:after::text is null or id > :after::text::uuid)
order by id limit :most;

-- name: export_tickets(bucket, citizen_id, after, most)
select id::text as key, id, shop, app, state, turn, responsible, opened_at, due_on, closed_at
from ratings.rectification
where bucket = :bucket and citizen_id = :citizen_id and (:after::text is null or id > :after::text::uuid)
order by id limit :most;

-- name: export_steps(bucket, citizen_id, after, most)
select concat_ws('/', s.rectification_id, lpad(s.no::text, 9, '0')) as key, s.rectification_id, s.no, s.at,
       s.actor, s.who, s.move, s.state, s.said, s.due_on
from ratings.rectification t join ratings.step s on s.bucket = t.bucket and s.rectification_id = t.id
where t.bucket = :bucket and t.citizen_id = :citizen_id
  and (:after::text is null
       or concat_ws('/', s.rectification_id, lpad(s.no::text, 9, '0')) > :after::text)
order by 1 limit :most;
