-- Values that do not fit their column yet, and the widening of such columns while everybody goes on writing.

-- What a write asks while it writes. Every role may call into it; PostgREST does not serve it.
create schema store authorization flex;
revoke all on schema store from public;
grant usage on schema store to public;

set local role flex;

-- Changes with all that a write has to know of the collection.
alter table flex.collections add column version bigint not null default 1;

-- A column that has to become wider: its values that do not fit are in the column `extra` of their row meanwhile.
create table flex.widenings (
  collection text not null,
  field text not null,
  -- What the column has to hold.
  type text not null check (type in ('boolean', 'integer', 'numeric', 'date', 'timestamptz', 'text', 'jsonb')),
  -- wanted: nothing done yet; filling: the wider column is there and kept in step; sweeping: it took the old one's
  -- place, and what is left of its values in `extra` is removed.
  state text not null default 'wanted' check (state in ('wanted', 'filling', 'sweeping')),
  -- The wider column until it takes the old one's place.
  beside text,
  -- Rows up to this id are filled.
  place bigint not null default 0,
  -- Why it cannot be done now.
  problem text,
  since timestamptz not null default now(),
  primary key (collection, field),
  foreign key (collection, field) references flex.fields (collection, name) on delete cascade on update cascade
);

create function flex.bump_versions() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  update flex.collections set version = version + 1 where name in (select collection from touched);
  return null;
end
$$;

create function flex.bump_version() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  update flex.collections set version = version + 1 where name = coalesce(new.collection, old.collection);
  return null;
end
$$;

create function flex.bump_own_version() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  new.version := old.version + 1;
  return new;
end
$$;

create trigger flex_version_added after insert on flex.fields
referencing new table as touched for each statement execute function flex.bump_versions();
create trigger flex_version after update or delete on flex.fields
for each row execute function flex.bump_version();
create trigger flex_version after insert or delete or update on flex.masks
for each row execute function flex.bump_version();
create trigger flex_version after insert or delete or update of type, state on flex.widenings
for each row execute function flex.bump_version();
create trigger flex_version before update of audience, wall_fields on flex.collections
for each row execute function flex.bump_own_version();

-- A write sees to it that the collection is still as the write was made for: it holds the table by then, and whoever
-- changes the collection needs the table to itself.
create function store.version(collection_name text) returns bigint
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (select version from flex.collections where name = collection_name);
end
$$;

-- What hangs on a column and would be lost or broken when it changes: kinds of pg_depend, such as pg_policy.
create function flex.dependents(collection_name text, field_name text) returns text[]
language sql stable set search_path = pg_catalog, pg_temp as $$
  select coalesce(array_agg(distinct d.classid::regclass::text), '{}')
  from pg_depend d join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
  where d.refclassid = 'pg_class'::regclass and d.refobjid = format('api.%I', collection_name)::regclass
    and a.attname = field_name and d.deptype in ('n', 'a')
$$;

-- A collection with everything a write has to know of it, as one JSON value; null where there is none.
create function flex.layout(collection_name text, role_name text) returns json
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  at record;
begin
  select c.name, c.audience, c.wall_fields, c.version, k.oid into at
  from flex.collections c join pg_class k on k.oid = to_regclass(format('api.%I', c.name))
  where c.name = collection_name;
  if not found then
    return null;
  end if;
  return json_build_object(
    'version', at.version,
    'audience', at.audience,
    'wall_fields', at.wall_fields,
    'level', (select level from flex.roles where name = role_name),
    'writes', coalesce((select flex.may_write(name, collection_name) from flex.roles where name = role_name), false),
    'readable', (select flex.readable(name, collection_name) from flex.roles where name = role_name),
    'masked', exists (select from flex.masks where collection = collection_name),
    'columns', coalesce((
      select json_agg(json_build_object('name', name, 'label', label, 'type', type, 'computed', formula is not null)
        order by place)
      from flex.fields where collection = collection_name
    ), '[]'),
    'taken', (select json_agg(attname) from pg_attribute where attrelid = at.oid and attnum > 0 and not attisdropped),
    'pending', coalesce((
      select json_object_agg(field, type) from flex.widenings where collection = collection_name and state <> 'sweeping'
    ), '{}')
  );
end
$$;

revoke execute on all functions in schema flex from public;
