-- The feed in commit order.
-- Until now a change stood at the place of its transaction's number, which is given at the transaction's first
-- write: two transactions that overlap could be told in another order than they took effect. Now each commit that
-- changed rows takes the next number while it holds a lock that is let go only when the commit can be seen. So a
-- reader that has seen one number has seen all below it, and a long transaction holds nobody back.

-- One function per collection, which writes its changes into the outbox.
create schema feed authorization flex;
revoke all on schema feed from public;

set local role flex;

create table flex.commits (
  number bigint primary key,
  xid xid8 not null unique,
  at timestamptz not null default clock_timestamp(),
  -- The last change of the transaction; roughly in the order of numbers, so that it tells how many lie between.
  last_seq bigint not null
);
create index on flex.commits (at);

insert into flex.commits (number, xid, at, last_seq)
select xid::text::bigint, xid, max(at), max(seq) from flex.changes group by xid;

-- Starts behind every number of the old feed, so that a position of then still means what it meant.
do $$
begin
  execute format('create sequence flex.commit_numbers start %s', pg_current_xact_id()::text);
end
$$;

update flex.settings
set value = jsonb_build_object('number', (value ->> 'xid')::bigint, 'seq', (value ->> 'seq')::bigint)
where key = 'feed_floor';

alter table flex.changes
  -- Text as it was written: kept and handed on without being taken apart.
  alter column row type json using row::json,
  -- Null where all of the row is new.
  alter column changed drop not null,
  -- Roles whose row policy hides the row as it is (hides) and as it was before (hid); null: nobody's.
  add column hides text[],
  add column hid text[],
  -- The first change of its transaction: at commit it takes the number.
  add column first boolean not null default false;

create function flex.number_commit() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform pg_advisory_xact_lock(3423, 1);
  insert into flex.commits (number, xid, last_seq)
  values (nextval('flex.commit_numbers'), new.xid, currval('flex.changes_seq_seq'));
  perform pg_notify('flex_changes', '');
  return null;
end
$$;

create constraint trigger flex_number after insert on flex.changes
deferrable initially deferred for each row when (new.first) execute function flex.number_commit();

-- Puts a collection's changes into the feed: one trigger for each kind of write, which writes the changes of a whole
-- statement at once. They run as flex, because the roles that write rows may not see the outbox; in UTC, so that a
-- row reads the same whoever wrote it. No field begins with an underscore, so that _new and _old mean the rows. `hides` is the SQL of the roles that may not see the row it is given, or null.
create or replace function flex.attach_feed(collection_name text, hides text default 'null::text[]') returns void
language plpgsql set search_path = pg_catalog, pg_temp as $outer$
declare
  kind text;
begin
  execute format('drop trigger if exists flex_record on api.%I', collection_name);
  execute format('drop trigger if exists flex_tell on api.%I', collection_name);
  execute format(
    $function$
    create or replace function feed.%1$I() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $body$
    declare
      opening boolean := current_setting('flex.opened', true) is distinct from pg_current_xact_id()::text;
    begin
      if current_setting('flex.quiet', true) = 'on' then
        return null;
      end if;
      if tg_op = 'INSERT' then
        insert into flex.changes (collection, op, key, row, hides, first)
        select tg_table_name, 'insert', to_jsonb(_new.id), to_json(_new), %2$s, opening and row_number() over () = 1
        from new_rows _new;
      elsif tg_op = 'DELETE' then
        insert into flex.changes (collection, op, key, changed, hid, first)
        select tg_table_name, 'delete', to_jsonb(_old.id), '{}', %3$s, opening and row_number() over () = 1
        from old_rows _old;
      else
        insert into flex.changes (collection, op, key, row, changed, hides, hid, first)
        select tg_table_name, c.op, c.key, c.row, c.changed, c.hides, c.hid, opening and row_number() over () = 1
        from (
          select
            case when _old.id is null then 'insert' when _new.id is null then 'delete' else 'update' end as op,
            to_jsonb(coalesce(_new.id, _old.id)) as key,
            case when _new.id is not null then to_json(_new) end as row,
            case when _new.id is null then '{}' when _old.id is not null then d.names end as changed,
            case when _new.id is not null then %2$s end as hides,
            case when _old.id is not null then %3$s end as hid
          from old_rows _old full join new_rows _new on _new.id = _old.id
          cross join lateral (
            select array_agg(v.key order by v.key) as names
            from (select to_jsonb(_old) as was, to_jsonb(_new) as is offset 0) as j, jsonb_each(j.is) as v
            where v.value is distinct from j.was -> v.key
          ) as d
        ) as c
        where c.op <> 'update' or c.changed is not null;
      end if;
      if opening and found then
        perform set_config('flex.opened', pg_current_xact_id()::text, true);
      end if;
      return null;
    end
    $body$
    $function$,
    collection_name, format(hides, '_new'), format(hides, '_old')
  );
  execute format('revoke execute on function feed.%I() from public', collection_name);
  foreach kind in array array['insert', 'update', 'delete'] loop
    execute format('drop trigger if exists %I on api.%I', 'flex_' || kind, collection_name);
    execute format(
      'create trigger %I after %s on api.%I %s for each statement execute function feed.%3$I()',
      'flex_' || kind,
      kind,
      collection_name,
      case kind
        when 'insert' then 'referencing new table as new_rows'
        when 'delete' then 'referencing old table as old_rows'
        else 'referencing old table as old_rows new table as new_rows'
      end
    );
  end loop;
end
$outer$;

drop function flex.attach_feed(text);
select flex.attach_feed(name) from flex.collections;
drop function flex.record_change();
drop function flex.tell_of_changes();

revoke execute on all functions in schema flex, feed from public;
