-- ratings and rectification tickets; what desks and the public look at
-- depends:

-- migrate: apply

-- One rating per order or call (一事一评): the primary key says so. The first rating never changes;
-- the one given after rectification stands beside it.
create table ratings.rating (
    bucket        smallint    not null,
    kind          text        not null check (kind in ('order', 'call')),
    subject_id    uuid        not null,
    id            uuid        not null,
    citizen_id    uuid        not null,
    shop          text        not null,
    app           text        not null,
    pseudonym     text        not null,
    levels        smallint    not null,
    stars         smallint    not null check (stars between 1 and 5),
    tags          text[]      not null,
    comment       text        not null check (length(comment) <= 500),
    given_at      timestamptz not null,
    again_stars   smallint    check (again_stars between 1 and 5),
    again_tags    text[],
    again_comment text        check (length(again_comment) <= 500),
    again_at      timestamptz,
    excluded_at   timestamptz,
    version       int         not null default 1,
    primary key (bucket, kind, subject_id),
    check ((again_stars is null) = (again_at is null))
);
create unique index rating_id on ratings.rating (bucket, id);
create index rating_citizen on ratings.rating (bucket, citizen_id, id desc);

-- A ticket has its rating's id, so at most one opens.
create table ratings.rectification (
    bucket       smallint    not null,
    id           uuid        not null,
    citizen_id   uuid        not null,
    shop         text        not null,
    app          text        not null,
    state        text        not null check (state in ('open', 'registered', 'fixed', 'explained',
                                                       'reopened', 'confirmed', 'appealed', 'excluded')),
    turn         text        not null check (turn in ('department', 'citizen', 'operator', 'nobody')),
    responsible  jsonb       not null,
    phone        text        not null,
    opened_at    timestamptz not null,
    counted_from date        not null,
    paused_days  int         not null default 0 check (paused_days >= 0),
    due_on       date        not null check (due_on > counted_from),
    provisional  boolean     not null,
    reopened     smallint    not null default 0 check (reopened between 0 and 3),
    appeals      smallint    not null default 0 check (appeals between 0 and 1),
    appealed_on  date,
    late         boolean     not null default false,
    overdue_on   date,
    reminded_on  date,
    closed_at    timestamptz,
    version      int         not null default 1,
    primary key (bucket, id),
    check ((turn = 'nobody') = (closed_at is not null))
);
create index rectification_citizen on ratings.rectification (bucket, citizen_id, id desc);

-- A ticket's history; its rows are only ever added. `id` is the id of the event that told of it.
create table ratings.step (
    bucket           smallint    not null,
    rectification_id uuid        not null,
    no               int         not null,
    id               uuid        not null,
    at               timestamptz not null,
    actor            text        not null check (actor in ('citizen', 'department', 'operator', 'platform')),
    staff_id         uuid        check ((staff_id is not null) = (actor in ('department', 'operator'))),
    who              text        not null,
    move             text        not null,
    state            text        not null,
    said             text        not null check (length(said) <= 1000),
    due_on           date        not null,
    primary key (bucket, rectification_id, no)
);

-- What was said stays said: the program may not take back a rating, a ticket or its history.
revoke delete on ratings.rating, ratings.rectification from civicmall_app;
revoke update, delete on ratings.step from civicmall_app;

-- For desks and for the index, keyed by shop, without the citizen; fed by events.
create table ratings.desk_rating (
    shop          text        not null,
    id            uuid        not null,
    app           text        not null,
    kind          text        not null,
    month         date        not null,
    pseudonym     text        not null,
    levels        smallint    not null,
    stars         smallint    not null,
    tags          text[]      not null,
    comment       text        not null,
    given_at      timestamptz not null,
    again_stars   smallint,
    again_tags    text[],
    again_comment text,
    again_at      timestamptz,
    -- The stars that the index counts: the latest, or none where the rating was excluded.
    counts        smallint,
    version       int         not null,
    primary key (shop, id)
);
create index desk_rating_newest on ratings.desk_rating (id desc);

create table ratings.desk_rectification (
    shop        text        not null,
    id          uuid        not null,
    app         text        not null,
    month       date        not null,
    pseudonym   text        not null,
    stars       smallint    not null,
    state       text        not null,
    turn        text        not null,
    closed      boolean     not null,
    opened_at   timestamptz not null,
    due_on      date        not null,
    provisional boolean     not null,
    reopened    smallint    not null,
    overdue_on  date,
    reminded_on date,
    responsible jsonb       not null,
    opened      boolean     not null,
    answered    boolean     not null,
    on_time     boolean     not null,
    late        boolean     not null,
    confirmed   boolean     not null,
    version     int         not null,
    primary key (shop, id)
);
create index desk_rectification_due on ratings.desk_rectification (shop, closed, due_on, id);
create index desk_rectification_all on ratings.desk_rectification (closed, due_on, id);

create table ratings.month (
    shop      text not null,
    month     date not null,
    s1        int  not null default 0 check (s1 >= 0),
    s2        int  not null default 0 check (s2 >= 0),
    s3        int  not null default 0 check (s3 >= 0),
    s4        int  not null default 0 check (s4 >= 0),
    s5        int  not null default 0 check (s5 >= 0),
    opened    int  not null default 0 check (opened >= 0),
    answered  int  not null default 0 check (answered >= 0),
    on_time   int  not null default 0 check (on_time >= 0),
    late      int  not null default 0 check (late >= 0),
    confirmed int  not null default 0 check (confirmed >= 0),
    primary key (shop, month)
);

-- Take over a rating as it is now, and move its month's counts by the difference. An older version
-- than the one that is here changes nothing, so events may come twice and in any order. It is a
-- function because each statement in it sees what the one before waited for.
create function ratings.put_rating(given jsonb) returns boolean language plpgsql as $$
declare
    fresh ratings.desk_rating := jsonb_populate_record(null::ratings.desk_rating, given);
    known ratings.desk_rating;
begin
    insert into ratings.desk_rating values (fresh.*) on conflict do nothing;
    if not found then
        select * into known from ratings.desk_rating d
        where d.shop = fresh.shop and d.id = fresh.id for update;
        if known.version >= fresh.version then
            return false;
        end if;
        update ratings.desk_rating d
        set again_stars = fresh.again_stars, again_tags = fresh.again_tags,
            again_comment = fresh.again_comment, again_at = fresh.again_at,
            counts = fresh.counts, version = fresh.version
        where d.shop = fresh.shop and d.id = fresh.id;
    end if;
    insert into ratings.month (shop, month) values (fresh.shop, fresh.month) on conflict do nothing;
    update ratings.month m
    set s1 = m.s1 + coalesce((fresh.counts = 1)::int, 0) - coalesce((known.counts = 1)::int, 0),
        s2 = m.s2 + coalesce((fresh.counts = 2)::int, 0) - coalesce((known.counts = 2)::int, 0),
        s3 = m.s3 + coalesce((fresh.counts = 3)::int, 0) - coalesce((known.counts = 3)::int, 0),
        s4 = m.s4 + coalesce((fresh.counts = 4)::int, 0) - coalesce((known.counts = 4)::int, 0),
        s5 = m.s5 + coalesce((fresh.counts = 5)::int, 0) - coalesce((known.counts = 5)::int, 0)
    where m.shop = fresh.shop and m.month = fresh.month;
    return true;
end $$;

-- The same for a ticket.
create function ratings.put_rectification(given jsonb) returns boolean language plpgsql as $$
declare
    fresh ratings.desk_rectification := jsonb_populate_record(null::ratings.desk_rectification, given);
    known ratings.desk_rectification;
begin
    insert into ratings.desk_rectification values (fresh.*) on conflict do nothing;
    if not found then
        select * into known from ratings.desk_rectification d
        where d.shop = fresh.shop and d.id = fresh.id for update;
        if known.version >= fresh.version then
            return false;
        end if;
        update ratings.desk_rectification d
        set state = fresh.state, turn = fresh.turn, closed = fresh.closed, due_on = fresh.due_on,
            provisional = fresh.provisional, reopened = fresh.reopened,
            overdue_on = fresh.overdue_on, reminded_on = fresh.reminded_on, opened = fresh.opened,
            answered = fresh.answered, on_time = fresh.on_time, late = fresh.late,
            confirmed = fresh.confirmed, version = fresh.version
        where d.shop = fresh.shop and d.id = fresh.id;
    end if;
    insert into ratings.month (shop, month) values (fresh.shop, fresh.month) on conflict do nothing;
    update ratings.month m
    set opened = m.opened + fresh.opened::int - coalesce(known.opened::int, 0),
        answered = m.answered + fresh.answered::int - coalesce(known.answered::int, 0),
        on_time = m.on_time + fresh.on_time::int - coalesce(known.on_time::int, 0),
        late = m.late + fresh.late::int - coalesce(known.late::int, 0),
        confirmed = m.confirmed + fresh.confirmed::int - coalesce(known.confirmed::int, 0)
    where m.shop = fresh.shop and m.month = fresh.month;
    return true;
end $$;

-- migrate: rollback

drop function ratings.put_rectification, ratings.put_rating;
drop table ratings.month, ratings.desk_rectification, ratings.desk_rating, ratings.step,
           ratings.rectification, ratings.rating;
