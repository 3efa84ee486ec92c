-- Given to psql as the superuser whenever the launcher starts or attaches: makes what is missing,
-- and shows that the server answers. The owner's password comes through the environment, so no
-- list of processes shows it.
\getenv password OWNER_PASSWORD

select format('create role civicmall login createdb createrole password %L', :'password')
 where not exists (select from pg_roles where rolname = 'civicmall') \gexec

select 'create database civicmall owner civicmall'
 where not exists (select from pg_database where datname = 'civicmall') \gexec
