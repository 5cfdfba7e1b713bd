"""The database schema as numbered SQL files; :mod:`appliance.pgflex.migrate` applies them."""
