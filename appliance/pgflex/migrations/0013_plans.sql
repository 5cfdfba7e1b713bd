-- Plans also count how many different values a field has, and know texts that are times.

set local role flex;

create or replace function plans.expression(item jsonb, columns jsonb, zone text) returns text
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
  elsif aggregate = 'distinct' then
    return format('count(distinct %s)', expression);
  elsif aggregate = 'count'
    or aggregate in ('sum', 'avg') and kind in ('bigint', 'numeric')
    or aggregate in ('min', 'max') and kind in ('bigint', 'numeric', 'date', 'timestamp with time zone', 'text') then
    return format('%s(%s)', aggregate, expression);
  end if;
  perform plans.refuse(
    format('There is no %s of %s.', left(aggregate, 20), field),
    'sum and avg are of numbers, min and max of numbers, times and texts, count and distinct of anything.'
  );
end
$$;

-- Texts that are times without an offset go into buckets too; what is no time is in none.
create or replace function plans.bucketed(field text, expression text, kind text, bucket text, zone text) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  moment text := format(
    'case when %1$s ~ ''^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}'' then left(%1$s, 19)::timestamp end', expression
  );
begin
  if bucket in ('day', 'week', 'month', 'quarter', 'year') and kind = 'date' then
    return format('date_trunc(%L, %s::timestamp)::date', bucket, expression);
  elsif bucket in ('day', 'week', 'month', 'quarter', 'year') and kind = 'timestamp with time zone' then
    return format('date_trunc(%L, %s at time zone %L)::date', bucket, expression, zone);
  elsif bucket = 'hour' and kind = 'timestamp with time zone' then
    return format('date_trunc(%L, %s, %L)', bucket, expression, zone);
  elsif bucket in ('day', 'week', 'month', 'quarter', 'year') and kind = 'text' then
    return format('date_trunc(%L, %s)::date', bucket, moment);
  elsif bucket = 'hour' and kind = 'text' then
    return format('date_trunc(%L, %s)', bucket, moment);
  end if;
  perform plans.refuse(
    format('%s cannot be put in buckets of a %s.', field, left(bucket, 20)),
    'Times have hour, day, week, month, quarter and year; days all but the hour.'
  );
end
$$;
