-- Tokens that were given out, and what PostgREST asks first with each request: is this one still good?

set local role flex;

create table flex.tokens (
  jti text primary key,
  -- Kept when the role goes: its tokens stay known as revoked until they run out.
  role text not null,
  label text not null default '',
  issued_by text not null,
  -- The token with which this one was asked for; it ends with that one.
  parent text references flex.tokens on delete cascade,
  issued timestamptz not null default now(),
  expires timestamptz not null,
  revoked timestamptz
);
create index on flex.tokens (expires);
create index on flex.tokens (parent);

-- Ends tokens and those that were made with them; how many.
create function flex.revoke_tokens(ids text[]) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  ended bigint;
begin
  with recursive gone as (
    select jti from flex.tokens where jti = any (ids)
    union select t.jti from flex.tokens t join gone g on t.parent = g.jti
  )
  update flex.tokens t set revoked = clock_timestamp() from gone g
  where t.jti = g.jti and t.revoked is null and t.expires > clock_timestamp();
  get diagnostics ended = row_count;
  notify flex_access;
  return ended;
end
$$;

create function flex.revoke_tokens_of_role() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform flex.revoke_tokens(array(select jti from flex.tokens where role = old.name));
  return null;
end
$$;

create trigger flex_revoke after delete on flex.roles for each row execute function flex.revoke_tokens_of_role();

revoke execute on all functions in schema flex from public;

reset role;

-- Refuses a request whose token has no end, is not for this box, or was revoked. The box's own tokens, of a minute at
-- most, have no id.
create function door.check_token() returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  claims jsonb := current_setting('request.jwt.claims', true)::jsonb;
begin
  if claims -> 'exp' is null or not coalesce(claims -> 'aud' @> '"dreamstack"', false) then
    raise sqlstate 'PT401' using
      message = 'The token has no end, or is not for this box.', hint = 'Ask the box for one: POST /api/tokens';
  elsif claims -> 'jti' is not null and not exists (
    select from flex.tokens where jti = claims ->> 'jti' and revoked is null
  ) then
    raise sqlstate 'PT401' using message = 'The token was revoked.', hint = 'Ask the box for a new one.';
  end if;
end
$$;

alter function door.check_token() owner to flex;
revoke execute on function door.check_token() from public;
grant usage on schema door to public;
grant execute on function door.check_token() to public;
