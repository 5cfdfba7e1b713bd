-- Relations between collections, and run_plan: one function that runs a plan as whoever asks.

-- What run_plan asks of the box. Every role may call into it; PostgREST does not serve it.
create schema plans authorization flex;
revoke all on schema plans from public;
grant usage on schema plans to public;

set local role flex;

create table flex.relations (
  collection text not null,
  field text not null,
  target text not null references flex.collections on delete cascade,
  -- The target's own id, or the field its documents call "id".
  target_field text not null,
  origin text not null check (origin in ('discovered', 'declared')),
  -- A write that breaks it is refused; else the foreign key gives way.
  binding boolean not null default false,
  -- Whether there is a foreign key now.
  enforced boolean not null default false,
  -- The names of the foreign key, and of the unique index made for it on the target.
  key text not null,
  key_index text,
  declared_by text,
  at timestamptz not null default now(),
  primary key (collection, field),
  unique (collection, key),
  foreign key (collection, field) references flex.fields (collection, name) on delete cascade on update cascade
);

-- Fields of which a person said that they lead nowhere.
create table flex.no_relations (
  collection text not null,
  field text not null,
  primary key (collection, field),
  foreign key (collection, field) references flex.fields (collection, name) on delete cascade on update cascade
);

-- A foreign key stands in the way of changing the type of a column at either end.
alter function flex.loosen(text) rename to loosen_columns;
alter function flex.tighten(text) rename to tighten_columns;

create function flex.loosen(collection_name text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  known flex.relations;
begin
  for known in
    select * from flex.relations where enforced and (collection = collection_name or target = collection_name)
  loop
    execute format('alter table api.%I drop constraint if exists %I', known.collection, known.key);
  end loop;
  perform flex.loosen_columns(collection_name);
end
$$;

-- A key that held before holds still, where the types at its ends still fit; so it is not looked at again.
create function flex.tighten(collection_name text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  known flex.relations;
begin
  for known in
    select * from flex.relations where enforced and (collection = collection_name or target = collection_name)
  loop
    if flex.types_fit(known.collection, known.field, known.target, known.target_field) then
      perform flex.add_key(known);
    elsif known.binding then
      raise foreign_key_violation using
        message = format('%s of %s has to name a row of %s', known.field, known.collection, known.target),
        schema = 'api', table = known.collection, constraint = known.key;
    else
      update flex.relations set enforced = false where collection = known.collection and field = known.field;
    end if;
  end loop;
  perform flex.tighten_columns(collection_name);
end
$$;

-- Whether a column can be a foreign key to another.
create function flex.types_fit(collection_name text, field_name text, target_name text, target_field_name text)
returns boolean language sql stable set search_path = pg_catalog, pg_temp as $$
  select coalesce((
    select case o.atttypid when 'bigint'::regtype then t.atttypid in ('bigint'::regtype, 'numeric'::regtype)
      when 'numeric'::regtype then t.atttypid = o.atttypid
      when 'text'::regtype then t.atttypid = o.atttypid
      else false end
    from pg_attribute o, pg_attribute t
    where o.attrelid = to_regclass(format('api.%I', collection_name)) and o.attname = field_name and not o.attisdropped
      and t.attrelid = to_regclass(format('api.%I', target_name)) and t.attname = target_field_name
      and not t.attisdropped
  ), false)
$$;

-- The foreign key of a relation, for rows written from now on; those there are not looked at.
create function flex.add_key(known flex.relations) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format(
    'alter table api.%I add constraint %I foreign key (%I) references api.%I (%I) not valid',
    known.collection, known.key, known.field, known.target, known.target_field
  );
end
$$;

-- Whether a column of a collection holds no value twice, by its index.
create function flex.is_unique(collection_name text, field_name text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
  select exists (
    select from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
    where i.indrelid = to_regclass(format('api.%I', collection_name)) and a.attname = field_name
      and i.indisunique and i.indisvalid and i.indnkeyatts = 1 and i.indpred is null and i.indexprs is null
  )
$$;

revoke execute on function
  flex.loosen(text), flex.tighten(text), flex.types_fit(text, text, text, text), flex.add_key(flex.relations),
  flex.is_unique(text, text)
from public;

-- Where a field leads; `single`: to at most one row. Tells nothing of the rows, and is reached from run_plan alone.
create function plans.relation(collection_name text, field_name text)
returns table (target text, target_field text, single boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select r.target, r.target_field, flex.is_unique(r.target, r.target_field)
  from flex.relations r where r.collection = collection_name and r.field = field_name
$$;

create function plans.refuse(told text, hint text, code text default '22023') returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  raise exception using errcode = code, message = told, hint = hint;
end
$$;

-- A list of the plan, of at most so many items; none where the plan has none.
create function plans.items(plan jsonb, name text, most int) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  found jsonb := coalesce(nullif(plan -> name, 'null'), '[]');
begin
  if jsonb_typeof(found) <> 'array' then
    perform plans.refuse(format('%s has to be a list.', name), 'See the reference of plans.');
  end if;
  if jsonb_array_length(found) > most then
    perform plans.refuse(format('%s has more than %s items.', name, most), 'Ask for less at once.');
  end if;
  return found;
end
$$;

-- The SQL of each path of a plan, {"ward_id.name": {"sql": "j1.name", "type": "text"}}, and the joins it takes.
create function plans.columns(collection_name text, paths text[], out columns jsonb, out joins text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  path text;
  part text;
  parts text[];
  place int;
  prefix text;
  alias text;
  held text;
  kind regtype;
  link record;
  known jsonb := '{}';  -- by prefix: the alias and the collection it stands for
begin
  columns := '{}';
  joins := '';
  foreach path in array paths loop
    parts := string_to_array(path, '.');
    if cardinality(parts) not between 1 and 4 then
      perform plans.refuse(format('%s leads too far.', left(path, 100)), 'A path has at most three relations.');
    end if;
    prefix := '';
    alias := 't';
    held := collection_name;
    for place in 1 .. cardinality(parts) loop
      part := parts[place];
      select a.atttypid into kind from pg_attribute a
      where a.attrelid = to_regclass(format('api.%I', held)) and a.attname = part
        and a.attnum > 0 and not a.attisdropped and a.attname <> 'extra';
      if not found then
        perform plans.refuse(
          format('%s has no field %s.', held, left(part, 100)), 'See the catalog for what there is.', '42703'
        );
      end if;
      exit when place = cardinality(parts);
      prefix := prefix || part || '.';
      if known -> prefix is null then
        select * into link from plans.relation(held, part);
        if not found then
          perform plans.refuse(
            format('%s of %s leads to no other collection.', part, held), 'Declare the relation first.', '42703'
          );
        end if;
        known := known || jsonb_build_object(
          prefix, jsonb_build_array('j' || (select count(*) + 1 from jsonb_object_keys(known)), link.target)
        );
        if (select count(*) from jsonb_object_keys(known)) > 10 then
          perform plans.refuse('The plan joins more than ten collections.', 'Ask for less at once.');
        end if;
        joins := joins || plans.joined(alias, part, kind, known -> prefix ->> 0, link);
      end if;
      alias := known -> prefix ->> 0;
      held := known -> prefix ->> 1;
    end loop;
    columns := columns || jsonb_build_object(
      path, jsonb_build_object('sql', format('%s.%I', alias, part), 'type', kind::text)
    );
  end loop;
end
$$;

-- A join along a relation. Where the target may hold a value twice its first row counts, so that no row is doubled.
create function plans.joined(alias text, field text, kind regtype, other text, link record) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  theirs regtype := (
    select a.atttypid from pg_attribute a
    where a.attrelid = to_regclass(format('api.%I', link.target)) and a.attname = link.target_field
  );
  alike boolean := theirs = kind or array[theirs, kind] <@ array['bigint'::regtype, 'numeric'::regtype];
  cast_to text := case when alike then '' else '::text' end;
begin
  if link.single then
    return format(
      ' left join api.%1$I %2$s on %2$s.%3$I%4$s = %5$s.%6$I%4$s', link.target, other, link.target_field, cast_to, alias, field
    );
  end if;
  return format(
    ' left join api.%1$I %2$s on %2$s.id = (select min(s.id) from api.%1$I s where s.%3$I%4$s = %5$s.%6$I%4$s)',
    link.target, other, link.target_field, cast_to, alias, field
  );
end
$$;

-- The SQL of something that is shown, tested or ordered by: a field, an aggregate or a time bucket of it.
create function plans.expression(item jsonb, columns jsonb, zone text) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  field text := item ->> 'field';
  aggregate text := item ->> 'aggregate';
  bucket text := item ->> 'bucket';
  expression text := columns -> field ->> 'sql';
  kind text := columns -> field ->> 'type';
begin
  if field = '*' and aggregate = 'count' and bucket is null then
    return 'count(t.id)';  -- counting rows needs the right to all of them
  elsif field = '*' then
    perform plans.refuse('Only rows can be counted without a field.', 'Name the field.');
  elsif bucket is not null and aggregate is not null then
    perform plans.refuse(format('%s is either put in buckets or aggregated.', field), 'Leave one of both out.');
  elsif bucket is not null then
    return plans.bucketed(field, expression, kind, bucket, zone);
  elsif aggregate is null then
    return expression;
  elsif aggregate = 'count'
    or aggregate in ('sum', 'avg') and kind in ('bigint', 'numeric')
    or aggregate in ('min', 'max') and kind in ('bigint', 'numeric', 'date', 'timestamp with time zone', 'text') then
    return format('%s(%s)', aggregate, expression);
  end if;
  perform plans.refuse(
    format('There is no %s of %s.', left(aggregate, 20), field),
    'sum and avg are of numbers, min and max of numbers, times and texts, count of anything.'
  );
end
$$;

create function plans.bucketed(field text, expression text, kind text, bucket text, zone text) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  if bucket in ('day', 'week', 'month', 'quarter', 'year') and kind = 'date' then
    return format('date_trunc(%L, %s::timestamp)::date', bucket, expression);
  elsif bucket in ('day', 'week', 'month', 'quarter', 'year') and kind = 'timestamp with time zone' then
    return format('date_trunc(%L, %s at time zone %L)::date', bucket, expression, zone);
  elsif bucket = 'hour' and kind = 'timestamp with time zone' then
    return format('date_trunc(%L, %s, %L)', bucket, expression, zone);
  end if;
  perform plans.refuse(
    format('%s cannot be put in buckets of a %s.', field, left(bucket, 20)),
    'Times have hour, day, week, month, quarter and year; days all but the hour.'
  );
end
$$;

-- A JSON value as a literal of a type.
create function plans.literal(value jsonb, kind text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  wanted text := case when kind in ('bigint', 'numeric') then 'number' when kind = 'boolean' then 'boolean'
    when kind in ('text', 'date', 'timestamp with time zone') then 'string' end;
begin
  if wanted is null or jsonb_typeof(value) is distinct from wanted then
    perform plans.refuse(
      format('%s cannot be compared with a %s.', left(coalesce(value::text, 'nothing'), 100), kind),
      'Numbers, booleans and texts are written as JSON has them; times as ISO 8601.'
    );
  elsif wanted = 'number' then
    return format('%L::%s', trim_scale((value #>> '{}')::numeric), kind);
  end if;
  return format('%L::%s', value #>> '{}', kind);
end
$$;

create function plans.test(expression text, kind text, op text, value jsonb) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  operator text := '{"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}'::jsonb ->> op;
begin
  if operator is not null then
    return format('%s %s %s', expression, operator, plans.literal(value, kind));
  elsif op = 'null' and jsonb_typeof(value) = 'boolean' then
    return format('%s is %s', expression, case when value::boolean then 'null' else 'not null' end);
  elsif op = 'in' and jsonb_typeof(value) = 'array' and jsonb_array_length(value) between 1 and 1000 then
    return format('%s in (%s)', expression,
      (select string_agg(plans.literal(v, kind), ', ') from jsonb_array_elements(value) as v));
  elsif op = 'like' and jsonb_typeof(value) = 'string' and kind = 'text' then
    return format('%s ilike %L', expression, '%' || regexp_replace(value #>> '{}', '([\\%_])', '\\\1', 'g') || '%');
  end if;
  perform plans.refuse(
    format('%s is no test of a %s with this value.', left(coalesce(op, 'nothing'), 20), kind),
    'eq, neq, gt, gte, lt, lte; like with a text; in with a list of 1 to 1000; null with true or false.'
  );
end
$$;

-- What each item of select is called in the rows: the aggregate or the field, and both where that is not enough.
create function plans.names(shown jsonb) returns text[]
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  short text[];
  long text[];
  found text[];
begin
  select
    array_agg(coalesce(i ->> 'aggregate', i ->> 'field') order by n),
    array_agg(case
      when i ->> 'aggregate' is not null then (i ->> 'aggregate') || '_' || replace(i ->> 'field', '*', 'rows')
      when i ->> 'bucket' is not null then (i ->> 'field') || '_' || (i ->> 'bucket')
      else i ->> 'field' end order by n)
  into short, long
  from jsonb_array_elements(shown) with ordinality as e(i, n);
  select array_agg(case when (select count(*) from unnest(short) as other where other = s) > 1 then l else s end order by n)
  into found
  from unnest(short, long) with ordinality as u(s, l, n);
  if (select count(distinct f) < count(*) from unnest(found) as f) then
    perform plans.refuse('Two columns of the plan would have the same name.', 'Leave one of them out.');
  end if;
  return found;
end
$$;

-- `*` as the fields that the caller may read.
create function plans.spelled_out(shown jsonb, collection_name text) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp as $$
  select coalesce(jsonb_agg(item order by first), '[]') from (
    select item, min(n) as first
    from jsonb_array_elements(shown) with ordinality as e(i, n)
    cross join lateral (
      select i as item where i is distinct from '{"field": "*"}'
      union all
      select jsonb_build_object('field', a.attname) from pg_attribute a
      where i = '{"field": "*"}' and a.attrelid = to_regclass(format('api.%I', collection_name)) and a.attnum > 0
        and not a.attisdropped and a.attname <> 'extra' and has_column_privilege(a.attrelid, a.attnum, 'select')
    ) as each
    group by item
  ) as items
$$;

-- The plan as one SELECT.
create function plans.query(plan jsonb) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  held text := plan ->> 'collection';
  zone text := coalesce(nullif(plan ->> 'timezone', ''), current_setting('timezone'));
  shown jsonb := plans.spelled_out(jsonb_strip_nulls(plans.items(plan, 'select', 100)), held);
  tests jsonb := plans.items(plan, 'where', 100);
  groups jsonb := plans.items(plan, 'group', 10);
  havings jsonb := plans.items(plan, 'having', 10);
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
  ) or exists (select from jsonb_array_elements(groups) as g where jsonb_typeof(g) <> 'string') then
    perform plans.refuse('An item of the plan names no field.', 'See the reference of plans.');
  end if;
  perform now() at time zone zone;
  select * into at from plans.columns(held, coalesce((
    select array_agg(distinct path) from (
      select i ->> 'field' from jsonb_array_elements(shown || tests || havings || orders) as i
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
  select string_agg(
    plans.test(at.columns -> (i ->> 'field') ->> 'sql', at.columns -> (i ->> 'field') ->> 'type', i ->> 'op', i -> 'value'),
    ' and '
  ) into clause from jsonb_array_elements(tests) as i;
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

create function plans.is_aggregate(item jsonb) returns boolean
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  if item ->> 'aggregate' is null then
    perform plans.refuse('having tests aggregates.', 'Move a test of rows to where.');
  end if;
  return true;
end
$$;

-- What rows or groups are ordered by; groups (`keys` is not null) only by what they have one of.
create function plans.ordered(item jsonb, shown jsonb, columns jsonb, zone text, keys text[]) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  bucket text := (
    select i ->> 'bucket' from jsonb_array_elements(shown) as i
    where i ->> 'field' = item ->> 'field' and i ->> 'bucket' is not null limit 1
  );
  expression text := plans.expression(
    case when item ->> 'aggregate' is null and bucket is not null then item || jsonb_build_object('bucket', bucket) else item end,
    columns, zone
  );
begin
  if keys is not null and item ->> 'aggregate' is null and expression <> all (keys) then
    perform plans.refuse(
      'A grouped plan can only be ordered by what it groups by and by aggregates.', 'Add an aggregate to the order.'
    );
  end if;
  return expression;
end
$$;

create function plans.has_id(collection_name text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
  select exists (
    select from pg_attribute a
    where a.attrelid = to_regclass(format('api.%I', collection_name)) and a.attname = 'id' and not a.attisdropped
  )
$$;

-- Runs a plan as its caller: filters, groups, time buckets, aggregates, order, limit, joins along relations.
-- Makes the transaction one that only reads; gives at most 1000 rows.
create function api.run_plan(plan jsonb) returns setof jsonb
language plpgsql stable security invoker
set search_path = pg_catalog, pg_temp as $$
begin
  perform set_config('transaction_read_only', 'on', true);
  if jsonb_typeof(plan) = 'string' then
    plan := plan #>> '{}';  -- as PostgREST hands on what stands in an address
  end if;
  if jsonb_typeof(plan) is distinct from 'object' then
    perform plans.refuse('A plan is a JSON object.', 'See the reference of plans.');
  end if;
  return query execute plans.query(plan);
end
$$;

grant execute on all functions in schema plans to public;
grant execute on function api.run_plan(jsonb) to public;
