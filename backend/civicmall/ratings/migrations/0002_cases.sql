-- a finished case can be rated, too
-- depends: 0001_ratings

-- migrate: apply

alter table ratings.rating drop constraint rating_kind_check;
alter table ratings.rating add constraint rating_kind_check check (kind in ('order', 'call', 'case')) not valid;
alter table ratings.rating validate constraint rating_kind_check;

-- migrate: rollback

alter table ratings.rating drop constraint rating_kind_check;
alter table ratings.rating add constraint rating_kind_check check (kind in ('order', 'call'));
