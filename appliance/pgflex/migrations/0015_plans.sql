-- Plans also ask for rows that others lead to, or that none does: patients without an appointment.

set local role flex;

-- That rows of another collection lead to a row by a field of theirs, or that none does.
create function plans.related(item jsonb, held text) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  other text := item ->> 'collection';
  named text := item ->> 'field';
  kinds regtype[];
  link record;
begin
  if jsonb_typeof(item -> 'collection') is distinct from 'string' or jsonb_typeof(item -> 'field') is distinct from 'string'
    or coalesce(jsonb_typeof(item -> 'there'), 'null') not in ('boolean', 'null') then
    perform plans.refuse('An item of related names no collection and field.', 'See the reference of plans.');
  end if;
  select * into link from plans.relation(other, named) r where r.target = held;
  if not found then
    perform plans.refuse(
      format('%s of %s does not lead to %s.', left(named, 100), left(other, 100), held), 'Declare the relation first.', '42703'
    );
  end if;
  select array_agg(a.atttypid::regtype) into kinds from pg_attribute a
  where not a.attisdropped and (
    (a.attrelid = to_regclass(format('api.%I', other)) and a.attname = named)
    or (a.attrelid = to_regclass(format('api.%I', held)) and a.attname = link.target_field)
  );
  if cardinality(kinds) is distinct from 2 then
    perform plans.refuse(format('%s has no field %s.', left(other, 100), left(named, 100)), 'See the catalog.', '42703');
  end if;
  return format(
    '%1$sexists (select from api.%2$I r where r.%3$I%4$s = t.%5$I%4$s)',
    case when (item ->> 'there')::boolean then '' else 'not ' end, other, named,
    case when kinds[1] = kinds[2] or kinds <@ array['bigint'::regtype, 'numeric'::regtype] then '' else '::text' end,
    link.target_field
  );
end
$$;

-- The plan as one SELECT.
create or replace function plans.query(plan jsonb) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  held text := plan ->> 'collection';
  zone text := coalesce(nullif(plan ->> 'timezone', ''), current_setting('timezone'));
  shown jsonb := plans.spelled_out(jsonb_strip_nulls(plans.items(plan, 'select', 100)), held);
  tests jsonb := plans.items(plan, 'where', 100);
  groups jsonb := plans.items(plan, 'group', 10);
  havings jsonb := plans.items(plan, 'having', 10);
  related jsonb := plans.items(plan, 'related', 10);
  orders jsonb := jsonb_strip_nulls(plans.items(plan, 'order', 10));
  most numeric := coalesce((plan ->> 'limit')::numeric, 200);
  aggregated boolean := exists (
    select from jsonb_array_elements(shown || orders || havings) as i where i ->> 'aggregate' is not null
  ) or jsonb_array_length(groups) > 0;
  at record;
  names text[];
  keys text[] := '{}';
  sorted text[] := '{}';
  clause text;
  made text;
begin
  if to_regclass(format('api.%I', held)) is null then
    perform plans.refuse(
      format('There is no collection %s.', left(coalesce(held, 'without a name'), 100)), 'See the catalog.', '42P01'
    );
  elsif shown = '[]' then
    perform plans.refuse('The plan selects nothing.', 'Name at least one field or aggregate in select.');
  elsif most not between 1 and 1000 or most <> trunc(most) then
    perform plans.refuse('limit is not between 1 and 1000.', 'Ask for at most 1000 rows.');
  end if;
  if exists (
    select from jsonb_array_elements(shown || tests || havings || orders) as i where jsonb_typeof(i -> 'field') is distinct from 'string'
  ) or exists (select from jsonb_array_elements(groups) as g where jsonb_typeof(g) <> 'string')
    or exists (select from jsonb_array_elements(tests) as i where jsonb_typeof(i -> 'other') not in ('string', 'null')) then
    perform plans.refuse('An item of the plan names no field.', 'See the reference of plans.');
  end if;
  perform now() at time zone zone;
  select * into at from plans.columns(held, coalesce((
    select array_agg(distinct path) from (
      select i ->> 'field' from jsonb_array_elements(shown || tests || havings || orders) as i
      union all select i ->> 'other' from jsonb_array_elements(tests) as i where i ->> 'other' is not null
      union all select jsonb_array_elements_text(groups)
    ) as p(path) where path <> '*'
  ), '{}'));
  names := plans.names(shown);

  -- A group is by the buckets that are shown of a field, else by the field.
  select coalesce(array_agg(distinct e), '{}') into keys
  from jsonb_array_elements_text(groups) as g
  cross join lateral (
    select plans.expression(i, at.columns, zone) from jsonb_array_elements(shown) as i
    where i ->> 'field' = g and i ->> 'aggregate' is null
    union all
    select at.columns -> g ->> 'sql'
    where not exists (
      select from jsonb_array_elements(shown) as i where i ->> 'field' = g and i ->> 'aggregate' is null
    )
  ) as u(e);
  if aggregated and exists (
    select from jsonb_array_elements(shown) as i
    where i ->> 'aggregate' is null and plans.expression(i, at.columns, zone) <> all (keys)
  ) then
    perform plans.refuse('A plan with an aggregate can only show the fields it groups by.', 'Add them to group.');
  end if;

  select string_agg(format('jsonb_build_object(%s)', pairs), ' || ' order by chunk) into made
  from (
    select (n - 1) / 40 as chunk,
      string_agg(format('%L, %s', names[n], plans.expression(i, at.columns, zone)), ', ' order by n) as pairs
    from jsonb_array_elements(shown) with ordinality as e(i, n) group by 1
  ) as chunks;
  made := format('select %s from api.%I t%s', made, held, at.joins);
  select string_agg(test, ' and ') into clause from (
    select plans.row_test(i, at.columns) from jsonb_array_elements(tests) as i
    union all select plans.related(i, held) from jsonb_array_elements(related) as i
  ) as all_tests(test);
  made := made || coalesce(' where ' || clause, '');
  if keys <> '{}' then
    made := made || ' group by ' || array_to_string(keys, ', ');
  end if;
  select string_agg(
    plans.test(
      plans.expression(i, at.columns, zone),
      case when i ->> 'aggregate' in ('min', 'max') then at.columns -> (i ->> 'field') ->> 'type' else 'numeric' end,
      i ->> 'op', i -> 'value'
    ), ' and '
  ) into clause from jsonb_array_elements(havings) as i where plans.is_aggregate(i);
  made := made || coalesce(' having ' || clause, '');
  select coalesce(array_agg(format('%s %s nulls last', e, case when down then 'desc' else 'asc' end) order by n), '{}')
  into sorted
  from (
    select plans.ordered(i, shown, at.columns, zone, case when aggregated then keys end) as e,
      coalesce((i ->> 'descending')::boolean, false) as down, n
    from jsonb_array_elements(orders) with ordinality as o(i, n)
  ) as terms;
  -- What is left open by the order is settled, so that the same plan gives the same rows.
  sorted := sorted || case when aggregated then keys when plans.has_id(held) then array['t.id'] else '{}' end;
  if sorted <> '{}' then
    made := made || ' order by ' || array_to_string(sorted, ', ');
  end if;
  return made || format(' limit %s', most::int);
end
$$;

grant execute on function plans.related(jsonb, text) to public;
