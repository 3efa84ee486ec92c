-- what the fields, choices and papers of a case's form were called when it was filled in
-- depends: 0001_cases

-- migrate: apply

-- The department's words, none of the citizen's: in both languages, for whoever opens the case. Null: it
-- was handed in before they were kept.
alter table cases.case add column labels jsonb;

-- migrate: rollback

alter table cases.case drop column labels;
