-- Who may do what, declared: roles of the facility, a row policy per role and collection, and masks per field.
-- What PostgreSQL enforces (grants, row-level security, masked columns) is made anew from these tables.

create schema hidden authorization flex;
revoke all on schema hidden from public;

-- What only the superuser may do, and what PostgREST calls first with each request.
create schema door;
revoke all on schema door from public;

set local role flex;

-- The three built-in roles and those of the facility; `level` is whose rights a role starts from.
create table flex.roles (
  name text primary key check (name ~ '^[a-z][a-z0-9_]{0,30}$'),
  label text not null,
  level text not null check (level in ('wall', 'staff', 'admin')),
  created timestamptz not null default now()
);
insert into flex.roles (name, label, level)
values ('wall', 'Wall', 'wall'), ('staff', 'Staff', 'staff'), ('admin', 'Admin', 'admin');

alter table flex.collections
  -- The box's own collections (alerts): rows are read as anybody's, written by the box alone.
  add column system boolean not null default false,
  -- What hidden.<collection>() was last made of; null: its feed is not attached yet.
  add column checks text;

alter table flex.fields
  -- Who wrote the field first, and the unit its numbers are in.
  add column who text,
  add column unit text,
  -- A computed field: as it was declared, and as SQL over the columns of its row.
  add column formula text,
  add column expression text,
  -- The stored columns a computed field comes down to: who may not read one of them may not read it either, unless
  -- it is a wall's by name.
  add column reads text[];

-- Which rows a role reads and writes, and whether it may at all: `expression` is SQL over the row's columns, made from
-- `condition`; null: every row.
create table flex.policies (
  collection text not null references flex.collections on delete cascade,
  role text not null references flex.roles on delete cascade,
  condition jsonb not null default '[]',
  expression text,
  access text not null default 'write' check (access in ('none', 'read', 'write')),
  primary key (collection, role)
);

-- A field a role may not read: it reads the generated column `shown` in its place, of this type, or, where that is
-- null, nothing.
create table flex.masks (
  collection text not null,
  field text not null,
  role text not null references flex.roles on delete cascade,
  kind text not null check (kind in ('initials', 'year', 'last4', 'rounded', 'hidden')),
  shown text,
  type text,
  primary key (collection, field, role),
  foreign key (collection, field) references flex.fields (collection, name) on delete cascade on update cascade
);

-- What a role was last given of a collection, so that only what changed is made anew.
create table flex.applied (
  collection text not null references flex.collections on delete cascade,
  role text not null references flex.roles on delete cascade,
  -- Null: every one; empty: none.
  columns text[],
  writable text[],
  expression text,
  primary key (collection, role)
);

-- The name extra is kept for values that do not fit their column yet: such a column is there only while it is needed.
do $$
declare
  at record;
begin
  for at in select collection from flex.fields where name = 'extra' loop
    execute format('alter table api.%I rename column extra to extra_', at.collection);
    update flex.fields set name = 'extra_' where collection = at.collection and name = 'extra';
    update flex.changes set
      row = (row::jsonb - 'extra' || jsonb_build_object('extra_', row -> 'extra'))::json,
      changed = array_replace(changed, 'extra', 'extra_')
    where collection = at.collection and row is not null;
    update flex.collections set wall_fields = array_replace(wall_fields, 'extra', 'extra_') where name = at.collection;
  end loop;
end
$$;

-- The columns a role may read of a collection, the key first; null: every one, empty: none.
create function flex.readable(role_name text, collection_name text) returns text[]
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  whose flex.roles;
  what flex.collections;
  masked text[];
begin
  select * into strict whose from flex.roles where name = role_name;
  select * into strict what from flex.collections where name = collection_name;
  if whose.level = 'wall' and what.audience <> 'wall' or whose.level = 'staff' and what.audience = 'admin' or exists (
    select from flex.policies p where p.collection = collection_name and p.role = role_name and p.access = 'none'
  ) then
    return '{}';
  end if;
  masked := array(select m.field from flex.masks m where m.collection = collection_name and m.role = role_name);
  if whose.level <> 'wall' and masked = '{}' then
    return null;
  end if;
  return array['id'] || coalesce((
    select array_agg(coalesce(m.shown, f.name) order by f.place)
    from flex.fields f
    left join flex.masks m on m.collection = f.collection and m.field = f.name and m.role = role_name
    where f.collection = collection_name and (m.field is null or m.shown is not null)
      and case when m.field is not null then true
        when whose.level = 'wall' then f.name = any (what.wall_fields)
        else not coalesce(f.reads && masked, false) end
  ), '{}');
end
$$;

-- The columns a role may write of a collection, of those it reads; null: every one, empty: none.
create function flex.writable(role_name text, collection_name text, readable text[]) returns text[]
language sql stable set search_path = pg_catalog, pg_temp as $$
  select case
    when readable = '{}' or r.level = 'wall' or c.system or p.access <> 'write' then '{}'
    when readable is null then null
    else array['id'] || coalesce((
      select array_agg(f.name order by f.place)
      from flex.fields f left join flex.masks m on m.collection = c.name and m.field = f.name and m.role = r.name
      where f.collection = c.name and f.expression is null and m.field is null
    ), '{}')
  end
  from flex.roles r cross join flex.collections c
  left join flex.policies p on p.collection = c.name and p.role = r.name
  where r.name = role_name and c.name = collection_name
$$;

-- Whether a role may write to a collection at all.
create function flex.may_write(role_name text, collection_name text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
  select flex.writable(role_name, collection_name, flex.readable(role_name, collection_name)) is distinct from '{}'
$$;

-- Grants, row policies and feed of a collection, made anew where they are not what is declared.
create or replace function flex.apply_access(collection_name text) returns void
language plpgsql set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  whose record;
  made text := '';
  changed boolean := false;
begin
  perform pg_advisory_xact_lock(3423, hashtext(collection_name));
  for whose in
    select r.name, g.columns, w.writable, p.expression,
      a.role is null or (a.columns, a.writable, a.expression) is distinct from (g.columns, w.writable, p.expression)
        as stale
    from flex.roles r
    left join flex.policies p on p.collection = collection_name and p.role = r.name
    left join flex.applied a on a.collection = collection_name and a.role = r.name
    cross join lateral (select flex.readable(r.name, collection_name) as columns) as g
    cross join lateral (select flex.writable(r.name, collection_name, g.columns) as writable) as w
    order by r.name
  loop
    if whose.expression is not null then
      made := made || format(', case when (%s) then null else %L end', whose.expression, whose.name);
    end if;
    continue when not whose.stale;
    changed := true;
    perform flex.grant_access(collection_name, whose.name, whose.columns, whose.writable, whose.expression);
    insert into flex.applied values (collection_name, whose.name, whose.columns, whose.writable, whose.expression)
    on conflict (collection, role) do update
    set columns = excluded.columns, writable = excluded.writable, expression = excluded.expression;
  end loop;
  if not exists (select from flex.collections where name = collection_name and checks = made) then
    changed := true;
    perform flex.attach_row_policies(collection_name, made);
  end if;
  if changed then
    -- Also marks the table as another: whoever prepared a write looks again.
    execute format('alter table api.%I enable row level security', collection_name);
    notify flex_access;
  end if;
end
$$;

-- Gives a role just this of a collection.
create function flex.grant_access(
  collection_name text, role_name text, columns text[], writable text[], expression text
) returns void
language plpgsql set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  old flex.applied;
begin
  select * into old from flex.applied a where a.collection = collection_name and a.role = role_name;
  if old.columns <> '{}' and (old.writable = '{}') = (writable = '{}')
    and old.expression is not distinct from expression
    and not exists (select unnest(old.columns) except select unnest(columns))
    and not exists (select unnest(old.writable) except select unnest(writable))
  then
    -- There are only more of them: that is quick, however many there were.
    columns := array(select unnest(columns) except select unnest(old.columns));
    writable := array(select unnest(writable) except select unnest(old.writable));
  else
    execute format('revoke all on api.%I from %I', collection_name, role_name);
    execute format('drop policy if exists %I on api.%I', 'flex_' || role_name, collection_name);
    if columns is distinct from '{}' then
      execute format(
        'create policy %I on api.%I for %s to %I using (%s)',
        'flex_' || role_name, collection_name, case when writable = '{}' then 'select' else 'all' end,
        role_name, coalesce(expression, 'true')
      );
    end if;
    if writable is distinct from '{}' then
      execute format('grant delete on api.%I to %I', collection_name, role_name);
    end if;
  end if;
  perform flex.grant_columns('select', columns, collection_name, role_name);
  perform flex.grant_columns('insert', writable, collection_name, role_name);
  perform flex.grant_columns('update', writable, collection_name, role_name);
end
$$;

-- Lets a role do something with these columns; null: with every one, empty: with none.
create function flex.grant_columns(privilege text, columns text[], collection_name text, role_name text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if columns is distinct from '{}' then
    execute format('grant %s%s on api.%I to %I', privilege, (
      select ' (' || string_agg(format('%I', c), ', ') || ')' from unnest(columns) as c
    ), collection_name, role_name);
  end if;
end
$$;

-- Tells the feed which roles' row policies hide a row: hidden.<collection>(row).
create function flex.attach_row_policies(collection_name text, checks text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  update flex.collections set checks = attach_row_policies.checks where name = collection_name;
  execute format('drop function if exists hidden.%I(api.%1$I)', collection_name);
  if checks = '' then
    perform flex.attach_feed(collection_name);
    return;
  end if;
  execute format(
    'create function hidden.%I(api.%1$I) returns text[] language sql stable set search_path = pg_catalog, pg_temp as '
    '%L',
    collection_name,
    format('select nullif(array_remove(array[%s], null), ''{}'') from (select $1.*) as t', substr(checks, 3))
  );
  execute format('revoke execute on function hidden.%I(api.%1$I) from public', collection_name);
  perform flex.attach_feed(collection_name, format('hidden.%I(%%s)', collection_name));
end
$$;

-- A JSON value as a literal of a field's type. Conditions outlive a field's type, so a value may be of a type below it.
create function flex.literal(value jsonb, kind text) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  said text := value #>> '{}';
  number text := case jsonb_typeof(value) when 'boolean' then said::boolean::int::text else said end;
begin
  return case kind
    when 'boolean' then said::boolean::text
    when 'integer' then case
      when number::numeric % 1 = 0 and abs(number::numeric) < 9e18 then format('%L::bigint', number::numeric::bigint)
      else format('%L::numeric', number::numeric) end
    when 'numeric' then format('%L::numeric', number::numeric)
    when 'date' then format('%L::date', said::date)
    when 'timestamptz' then format('%L::timestamptz', to_char(said::timestamptz, 'YYYY-MM-DD"T"HH24:MI:SS.USOF'))
    when 'text' then format('%L::text', said)
    else format('%L::jsonb', value)
  end;
end
$$;

-- One condition as SQL; null compared with anything hides the row.
create function flex.test_sql(field text, kind text, op text, value jsonb) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  operator text := '{"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}'::jsonb ->> op;
  number text := case when kind = 'text' and jsonb_typeof(value) = 'number' then flex.number_in(format('%I', field)) end;
begin
  if op = 'null' then
    return format('%I is %s', field, case when value::boolean then 'null' else 'not null' end);
  elsif op = 'in' then
    return format('%I in (%s)', field,
      (select string_agg(flex.literal(v, kind), ', ') from jsonb_array_elements(value) as v));
  elsif op = 'like' and kind = 'text' then
    return format('%I ilike %L', field, '%' || regexp_replace(value #>> '{}', '([\\%_])', '\\\1', 'g') || '%');
  elsif op in ('gt', 'gte', 'lt', 'lte') and number is not null then
    -- The field held numbers when this was declared: they are compared as such still.
    return format('%s %s %s', number, operator, flex.literal(value, 'numeric'));
  elsif operator is null or kind = 'jsonb' and op not in ('eq', 'neq') then
    return 'false';
  end if;
  return format('%I %s %s', field, operator, flex.literal(value, kind));
end
$$;

-- The number that a text holds, as SQL; null where it holds none.
create function flex.number_in(expression text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select format(
    'case when %1$s ~ ''^-?[0-9]{1,100}(\.[0-9]{1,100})?$'' then (%1$s)::numeric end', expression
  )
$$;

-- Conditions that must all hold, as SQL over the row's columns as they now are; null where there is none.
create function flex.condition_sql(collection_name text, condition jsonb) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  item jsonb;
  kind text;
  made text;
begin
  for item in select * from jsonb_array_elements(condition) loop
    select type into kind from flex.fields where collection = collection_name and name = item ->> 'field';
    if not found then
      raise undefined_column using message = format('%s has no field %s', collection_name, item ->> 'field');
    end if;
    made := coalesce(made || ' and ', '') || format(
      '(%s)', flex.test_sql(item ->> 'field', kind, item ->> 'op', item -> 'value')
    );
  end loop;
  return made;
end
$$;

-- The SQL of a masked value. Made of built-in functions alone: who writes a row need not be let near any of ours.
create function flex.mask_sql(kind text, expression text, type text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  number text := case type when 'text' then flex.number_in(expression) else expression || '::numeric' end;
begin
  if kind = 'initials' and type = 'text' then
    return format('regexp_replace(btrim(%s), ''\s*(\S)\S*'', ''\1.'', ''g'')', expression);
  elsif kind = 'year' and type = 'text' then
    return format('substring(%s from ''^([0-9]{4})(?:-|$)'')::bigint', expression);
  elsif kind = 'year' and type in ('date', 'timestamptz') then
    return format(
      'case when isfinite(%1$s) then extract(year from %1$s%2$s)::bigint end',
      expression, case type when 'timestamptz' then ' at time zone ''UTC''' else '' end
    );
  elsif kind = 'last4' and type in ('text', 'integer', 'numeric') then
    return format(
      'case when length(%1$s::text) > 4 then ''…'' || right(%1$s::text, 4) when %1$s is not null then ''…'' end',
      expression
    );
  elsif kind = 'rounded' and type in ('integer', 'numeric', 'text') then
    return format(
      'case when %1$s = 0 then 0 when abs(%1$s) < ''Infinity'' then round(%1$s, -floor(log(abs(%1$s)))::int) end',
      '(' || number || ')'
    );
  end if;
  return 'null';
end
$$;

-- Adds the columns that stand in the place of masked fields, where they are missing.
create function flex.add_masks(collection_name text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  made record;
begin
  for made in
    select distinct on (m.shown) m.shown, m.type, m.kind, f.type as of,
      coalesce('(' || f.expression || ')', format('%I', f.name)) as expression
    from flex.masks m join flex.fields f on f.collection = m.collection and f.name = m.field
    where m.collection = collection_name and m.shown is not null
  loop
    execute format(
      'alter table api.%I add column if not exists %I %s generated always as ((%s)::%3$s) stored',
      collection_name, made.shown, case made.type when 'integer' then 'bigint' else made.type end,
      flex.mask_sql(made.kind, made.expression, made.of)
    );
  end loop;
end
$$;

-- Takes off the column of a mask that nobody has any more.
create function flex.drop_mask() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if old.shown is not null and to_regclass(format('api.%I', old.collection)) is not null and not exists (
    select from flex.masks where collection = old.collection and shown = old.shown
  ) then
    execute format('alter table api.%I drop column if exists %I', old.collection, old.shown);
  end if;
  return null;
end
$$;

create trigger flex_drop_mask after delete on flex.masks for each row execute function flex.drop_mask();

-- Takes off what stands in the way of changing a column's type: row policies, masked and computed columns.
create function flex.loosen(collection_name text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  old record;
begin
  for old in select policyname from pg_policies where schemaname = 'api' and tablename = collection_name loop
    execute format('drop policy %I on api.%I', old.policyname, collection_name);
  end loop;
  for old in
    select distinct shown as name from flex.masks where collection = collection_name and shown is not null
    union select name from flex.fields where collection = collection_name and expression is not null
  loop
    execute format('alter table api.%I drop column if exists %I', collection_name, old.name);
  end loop;
  delete from flex.applied where collection = collection_name;
end
$$;

-- Puts back what flex.loosen took off, over the columns as they now are.
create function flex.tighten(collection_name text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  made record;
begin
  for made in
    select f.name, f.type, f.expression
    from flex.fields f where f.collection = collection_name and f.expression is not null order by f.place
  loop
    execute format(
      'alter table api.%I add column if not exists %I %s generated always as (%s) stored',
      collection_name, made.name, case made.type when 'integer' then 'bigint' else made.type end, made.expression
    );
  end loop;
  perform flex.add_masks(collection_name);
  update flex.policies set expression = flex.condition_sql(collection, condition) where collection = collection_name;
  perform flex.apply_access(collection_name);
end
$$;

-- Says that tables changed their shape; the data service turns many of these into one reload of PostgREST.
create function flex.schema_changed() returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  notify flex_schema;
end
$$;

-- What 0002 made by other names.
do $$
declare
  old record;
begin
  for old in select tablename, policyname from pg_policies where schemaname = 'api' loop
    execute format('drop policy %I on api.%I', old.policyname, old.tablename);
  end loop;
end
$$;

select flex.apply_access(name) from flex.collections;

revoke execute on all functions in schema flex, feed, hidden from public;

-- A role of the facility is a role of the database as long as it is in flex.roles. Done as the superuser, in triggers:
-- nobody can call them, and they read nothing but the row. A role that is there already and not made here stays what
-- it is.
reset role;

create function door.make_role() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if new.name in ('wall', 'staff', 'admin') then
    return null;
  end if;
  if not exists (select from pg_roles where rolname = new.name) then
    execute format('create role %I nologin noinherit', new.name);
    execute format('comment on role %I is %L', new.name, 'A role of the facility.');
  elsif shobj_description(new.name::regrole, 'pg_authid') is distinct from 'A role of the facility.' then
    raise duplicate_object using message = format('role %I is not one of the facility', new.name);
  end if;
  execute format('alter role %I set statement_timeout = %L', new.name, '10s');
  execute format('grant %I to authenticator, flex', new.name);
  execute format('grant usage on schema api to %I', new.name);
  notify pgrst, 'reload config';
  return null;
end
$$;

create function door.drop_role() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if old.name in ('wall', 'staff', 'admin') then
    raise insufficient_privilege using message = format('role %I is one of the box', old.name);
  end if;
  if shobj_description(to_regrole(old.name), 'pg_authid') = 'A role of the facility.' then
    -- First what are many: "drop owned" goes through a table's columns anew for each of them.
    execute format('revoke all on all tables in schema api from %I', old.name);
    execute format('drop owned by %I', old.name);
    execute format('drop role %I', old.name);
    notify pgrst, 'reload config';
  end if;
  return null;
end
$$;

create trigger flex_make_role after insert on flex.roles for each row execute function door.make_role();
create trigger flex_drop_role after delete on flex.roles for each row execute function door.drop_role();

revoke execute on all functions in schema door from public;
