-- Watching: changes counted by quarters of an hour, what is unusual now, and what was.
-- Counts are made from the outbox, in a transaction that also saves how far of it is counted: whatever dies when,
-- each change is counted once. A quarter of an hour, because every timezone begins its hours at one.

set local role flex;

-- One row: the commit up to which changes are counted, when that was last looked at, and since when the box watches.
create table flex.watching (
  one boolean primary key default true check (one),
  number bigint not null,
  at timestamptz not null,
  since timestamptz not null
);

-- Rows that came, changed and went, by the time of their commit. A commit that wrote very many rows of a collection
-- was a load, not a day's work: its rows are in `loaded` alone.
create table flex.rates (
  collection text not null references flex.collections on delete cascade,
  at timestamptz not null,
  came bigint not null default 0,
  changed bigint not null default 0,
  went bigint not null default 0,
  loaded bigint not null default 0,
  primary key (collection, at)
);
create index on flex.rates (at);

-- Times of which nobody knows what happened: the box was off, or what it had not counted yet was forgotten.
create table flex.unwatched (
  start timestamptz primary key,
  until timestamptz not null
);

-- What was told. At most once a day for each collection, kind of change and side of the usual.
create table flex.unusual (
  id bigint generated always as identity primary key,
  collection text not null references flex.collections on delete cascade,
  what text not null check (what in ('came', 'changed', 'went')),
  side text not null check (side in ('above', 'below')),
  -- The day so far, or one hour of it.
  scale text not null check (scale in ('day', 'hour')),
  day date not null,
  start timestamptz not null,
  until timestamptz not null,
  value bigint not null,
  usual numeric not null,
  -- Compared with the same weekday, or with any day; and with how many of them.
  basis text not null check (basis in ('weekday', 'day')),
  days int not null,
  state text not null default 'active' check (state in ('active', 'over')),
  told_at timestamptz not null,
  over_at timestamptz,
  acknowledged_at timestamptz,
  acknowledged_by text,
  unique (collection, what, side, day)
);
create unique index on flex.unusual (collection, what) where state = 'active';

-- Whether a role reads every row of a collection: only then it is told of numbers over all of them.
create function flex.reads_all(role_name text, collection_name text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
  select flex.readable(role_name, collection_name) is distinct from '{}' and not exists (
    select from flex.policies p
    where p.collection = collection_name and p.role = role_name and p.expression is not null
  )
$$;

-- The least trusted of the three built-in roles that reads every row.
create function flex.told_from(collection_name text) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select coalesce((
    select name from unnest(array['wall', 'staff']) with ordinality as r(name, n)
    where flex.reads_all(name, collection_name) order by n limit 1
  ), 'admin')
$$;

-- Counts what was committed since it last did; the collections that changed. By the outbox's indexes, whatever the
-- statistics say of a young table. `pause` is how long nobody may have counted for the time to count as watched.
create function flex.count_changes(now timestamptz, pause interval, load bigint) returns text[]
language plpgsql set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  last flex.watching;
  upto bigint;
  names text[];
begin
  perform pg_advisory_xact_lock(3423, hashtext('watching'));
  select * into last from flex.watching;
  if not found then
    insert into flex.watching (number, at, since) values (flex.forgotten(), now, now) returning * into last;
  end if;
  if last.number < flex.forgotten() or now - last.at > pause then
    insert into flex.unwatched (start, until) values (last.at, now)
    on conflict (start) do update set until = greatest(unwatched.until, excluded.until);
  end if;
  upto := coalesce((select max(number) from flex.commits), last.number);
  with moved as (
    select k.number, k.at, c.collection,
      count(*) filter (where c.op = 'insert') as came,
      count(*) filter (where c.op = 'update') as changed,
      count(*) filter (where c.op = 'delete') as went,
      count(*) as rows
    from flex.commits k join flex.changes c using (xid)
    where k.number > last.number and k.number <= upto
    group by k.number, k.at, c.collection
  ), counted as (
    insert into flex.rates as r (collection, at, came, changed, went, loaded)
    select m.collection, date_bin('15 minutes', m.at, 'epoch'),
      coalesce(sum(m.came) filter (where m.rows <= load), 0),
      coalesce(sum(m.changed) filter (where m.rows <= load), 0),
      coalesce(sum(m.went) filter (where m.rows <= load), 0),
      coalesce(sum(m.rows) filter (where m.rows > load), 0)
    from moved m join flex.collections o on o.name = m.collection and not o.system
    group by 1, 2
    on conflict (collection, at) do update set
      came = r.came + excluded.came, changed = r.changed + excluded.changed, went = r.went + excluded.went,
      loaded = r.loaded + excluded.loaded
    returning collection
  )
  select coalesce(array_agg(distinct collection), '{}') into names from counted;
  update flex.watching set number = greatest(last.number, upto), at = greatest(last.at, now);
  return names;
end
$$;

-- The changes of a collection in a time, as a role sees them: a row that enters what the role may see came, one that
-- leaves it went. `loaded`: written by a commit of more than `load` rows.
create function flex.seen_changes(
  role_name text, collection_name text, start timestamptz, until timestamptz, load bigint
) returns table (what text, key jsonb, seq bigint, loaded boolean)
language sql stable set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
  select case when s.now and s.was then 'changed' when s.now then 'came' else 'went' end, s.key, s.seq, s.rows > load
  from (
    select c.key, c.seq,
      c.op <> 'delete' and not coalesce(role_name = any (c.hides), false) as now,
      c.op <> 'insert' and not coalesce(role_name = any (c.hid), false) as was,
      count(*) over (partition by c.xid) as rows
    from flex.commits k join flex.changes c using (xid)
    where k.at >= start and k.at < until and c.collection = collection_name
  ) as s
  where s.now or s.was
$$;

revoke execute on all functions in schema flex from public;
