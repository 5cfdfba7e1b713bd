"""The migrations as files: numbered without a gap, and careful with elevated functions."""

from appliance.pgflex.migrate import migrations


def test_numbers_have_no_gap() -> None:
    assert [step.number for step in migrations()] == list(range(1, len(migrations()) + 1))


def test_elevated_functions_name_their_search_path() -> None:
    for step in migrations():
        for function in step.text.split("create function")[1:]:
            head = function.split("$$")[0]
            assert "set search_path = pg_catalog, pg_temp" in head, step.name


def test_no_migration_ends_its_own_transaction() -> None:
    for step in migrations():
        words = {line.strip().rstrip(";").lower() for line in step.text.splitlines()}
        assert not words & {"commit", "rollback"}, step.name
