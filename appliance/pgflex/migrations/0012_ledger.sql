-- What was done, and what was asked.

-- The audit. The table is the database owner's own: the data service may read it and add to it, and nothing else.
-- Each entry's hash is over its text and the hash before it, so that an entry that was changed or left out shows.
create table flex.audit (
  number bigint primary key,
  -- The sender's own name for the entry: sent twice, it is kept once.
  ref text not null unique,
  at timestamptz not null default clock_timestamp(),
  entry text not null,
  prior text not null,
  hash text not null
);
create index on flex.audit (at);

create function flex.audit_stays() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise insufficient_privilege using message = 'The audit is only added to.';
end
$$;

create trigger flex_stays before update or delete or truncate on flex.audit
  for each statement execute function flex.audit_stays();

revoke all on flex.audit from public;
revoke execute on function flex.audit_stays() from public;
grant select, insert on flex.audit to flex;

set local role flex;

-- Questions: who asked what, what the box made of it, what ran, and how long that took. Kept for some days.
create table flex.questions (
  id bigint generated always as identity primary key,
  ref text not null unique,
  at timestamptz not null,
  screen text not null default '',
  account text not null default '',
  role text not null,
  room text not null default '',
  question text not null,
  reading text not null default '',
  plan jsonb,
  rest text not null default '',
  status text not null,
  took_ms int not null default 0,
  timings jsonb not null default '{}',
  confidence real,
  rows int not null default 0,
  error text not null default ''
);
create index on flex.questions (at);
