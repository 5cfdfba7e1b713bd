-- Which rows the demo wrote, so that only those have their dates moved to today.

set local role flex;

create table flex.demo_rows (
  collection text not null references flex.collections on delete cascade,
  id bigint not null,
  primary key (collection, id)
);
