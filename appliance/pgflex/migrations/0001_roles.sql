-- The roles of the box and the two schemas: api (what PostgREST serves) and flex (the box's own tables).
-- wall, staff and admin are what a request acts as; authenticator (PostgREST) and flex (the data service) log in
-- and take on one of them per transaction.

do $$
declare
  role_name text;
begin
  foreach role_name in array array['wall', 'staff', 'admin'] loop
    if not exists (select from pg_roles where rolname = role_name) then
      execute format('create role %I nologin noinherit', role_name);
    end if;
  end loop;
  foreach role_name in array array['authenticator', 'flex'] loop
    if not exists (select from pg_roles where rolname = role_name) then
      execute format('create role %I login noinherit', role_name);
    end if;
  end loop;
end
$$;

grant wall, staff, admin to authenticator, flex;

-- PostgREST applies these when it takes on a role; the data service sets the same per transaction.
alter role wall set statement_timeout = '10s';
alter role staff set statement_timeout = '10s';
alter role admin set statement_timeout = '10s';

do $$
begin
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to authenticator, flex', current_database());
end
$$;

revoke all on schema public from public;

create schema flex authorization flex;
create schema api authorization flex;
revoke all on schema flex from public;
revoke all on schema api from public;
grant usage on schema api to wall, staff, admin;

create table flex.migrations (
  number int primary key,
  name text not null,
  applied timestamptz not null default now()
);
grant select on flex.migrations to flex;
