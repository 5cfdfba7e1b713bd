"""Database faults in the one error shape."""

import psycopg
import pytest
from psycopg import errors
from psycopg_pool import PoolTimeout

from appliance.errors import ApplianceError
from appliance.pgflex.database import exact_loads, fault, open_pool, transaction


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.QueryCanceled("x"), "PGF114"),
        (errors.LockNotAvailable("x"), "PGF114"),
        (errors.InsufficientPrivilege("x"), "PGF106"),
        (errors.DiskFull("x"), "PGF107"),
        (errors.ProgramLimitExceeded("x"), "PGF109"),
        (errors.NumericValueOutOfRange("x"), "PGF103"),
        (errors.UniqueViolation("x"), "PGF103"),
        (psycopg.OperationalError("x"), "PGF101"),
        (errors.AdminShutdown("x"), "PGF101"),
        (PoolTimeout("x"), "PGF101"),
        (errors.UndefinedTable("x"), "PGF100"),
    ],
)
def test_fault(error: Exception, code: str) -> None:
    assert fault(error).code == code


def test_json_numbers_stay_exact() -> None:
    assert str(exact_loads("1.10")) == "1.10"


async def test_no_database_is_pgf101(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.pgflex.database._POOL_WAIT_S", 0.2)
    async with open_pool("host=/nowhere dbname=x connect_timeout=1") as pool:
        with pytest.raises(ApplianceError, match="PGF101"):
            async with transaction(pool):
                raise AssertionError("there is no database to be connected to")
