"""PgFlex: the box's data. Real PostgreSQL, PostgREST in front of it, and a feed of what changes.

A document written to a collection that nobody declared makes the collection and its fields; PostgREST serves
it at once under the roles of the box; every committed change leaves through the feed, in order.

    documents -> store (fields discovered, role applied) -> PostgreSQL -> outbox -> feed -> Change
    questions <- rest (PostgREST, under the asker's role) <- catalog (what that role may see)

    >>> from appliance.pgflex.database import open_pool
    >>> from appliance.pgflex.writes.store import Store
    >>> async def example(dsn: str) -> list[dict[str, object]]:
    ...     async with open_pool(dsn) as pool:
    ...         return await Store(pool).insert("beds", [{"bed": "C-01", "free": True}], "staff")

Files: `embedded` (the programs), `migrate` + `migrations/` (schema), `fields` (types), `catalog` (what a role sees),
`outbox` + `changes` (the feed), `rest` (PostgREST client), `seed` + `demo/` (demo data). Rooms: `writes/` (schemaless
writes), `imports/` (files), `access/` (roles, policies, masks, tokens), `relations/`, `formulas/` (computed fields),
`alerts/`, `shapes/`.
"""
