-- The outbox: every committed change of a collection, written by the transaction that made it.
-- A reader takes rows in the order (xid, seq) and only those of transactions older than every running one;
-- then nothing can appear later at a place the reader has passed.

set local role flex;

create table flex.changes (
  xid xid8 not null default pg_current_xact_id(),
  seq bigint generated always as identity,
  at timestamptz not null default clock_timestamp(),
  collection text not null,
  op text not null check (op in ('insert', 'update', 'delete')),
  key jsonb not null,
  row jsonb,
  changed text[] not null,
  primary key (xid, seq)
);

-- Runs as flex, because the roles that write rows may not see the outbox; in UTC, so that a row reads the
-- same whoever wrote it.
create function flex.record_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  before jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  after jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  names text[];
begin
  select coalesce(array_agg(name order by name), '{}') into names
  from jsonb_object_keys(coalesce(after, before)) as name
  where case tg_op
    when 'INSERT' then after -> name <> 'null'
    when 'UPDATE' then after -> name is distinct from before -> name
    else false
  end;
  if tg_op = 'UPDATE' and names = '{}' then
    return null;
  end if;
  insert into flex.changes (collection, op, key, row, changed)
  values (tg_table_name, lower(tg_op), coalesce(after, before) -> 'id', after, names);
  return null;
end
$$;

create function flex.tell_of_changes() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform pg_notify('flex_changes', '');
  return null;
end
$$;

create function flex.attach_feed(collection_name text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format(
    'create trigger flex_record after insert or update or delete on api.%I '
    'for each row execute function flex.record_change()', collection_name);
  execute format(
    'create trigger flex_tell after insert or update or delete on api.%I '
    'for each statement execute function flex.tell_of_changes()', collection_name);
end
$$;

revoke execute on all functions in schema flex from public;
