-- What the box knows about its collections, and who may do what with their rows.

set local role flex;

create table flex.collections (
  name text primary key,
  label text not null,
  -- The least trusted role that may read the collection; a wall reads only wall_fields and the id.
  audience text not null default 'staff' check (audience in ('wall', 'staff', 'admin')),
  wall_fields text[] not null default '{}',
  created timestamptz not null default now()
);

create table flex.fields (
  collection text not null references flex.collections on delete cascade,
  name text not null,
  label text not null,
  type text not null check (type in ('boolean', 'integer', 'numeric', 'date', 'timestamptz', 'text', 'jsonb')),
  first_seen timestamptz not null default now(),
  -- The order in which fields were met.
  place bigint generated always as identity,
  primary key (collection, name),
  unique (collection, label)
);

create table flex.settings (
  key text primary key,
  value jsonb not null
);

-- Grants and policies of a collection, made anew from what flex.collections says.
create function flex.apply_access(collection_name text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  known flex.collections;
  writers text;
begin
  select * into strict known from flex.collections where name = collection_name;
  writers := case known.audience when 'admin' then 'admin' else 'staff, admin' end;
  execute format('alter table api.%I enable row level security', collection_name);
  execute format('revoke all on api.%I from wall, staff, admin', collection_name);
  execute format('drop policy if exists people on api.%I', collection_name);
  execute format('drop policy if exists walls on api.%I', collection_name);
  execute format('grant select, insert, update, delete on api.%I to %s', collection_name, writers);
  execute format('create policy people on api.%I for all to %s using (true) with check (true)', collection_name, writers);
  if known.audience = 'wall' then
    execute format(
      'grant select (id%s) on api.%I to wall',
      (select string_agg(format(', %I', name), '' order by place) from flex.fields
        where collection = collection_name and name = any (known.wall_fields)),
      collection_name
    );
    execute format('create policy walls on api.%I for select to wall using (true)', collection_name);
  end if;
end
$$;

revoke execute on all functions in schema flex from public;
