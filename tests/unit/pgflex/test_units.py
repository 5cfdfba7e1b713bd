"""Units: read from labels, and only where a label names one."""

import pytest

from appliance.pgflex.units import unit_of


@pytest.mark.parametrize(
    ("label", "unit"),
    [
        ("weight (kg)", "kg"),
        ("Weight [KG]", "kg"),
        ("Dauer (in min)", "min"),
        ("glucose (mg/dL)", "mg/dl"),
        ("price (€)", "€"),
        ("humidity (%)", "%"),
        ("temp_c", "°C"),
        ("Body Temperature F", "°F"),
        ("dose_mg", "mg"),
        ("doseMg", "mg"),
        ("dose_\u03bcg", "µg"),
        ("height_cm", "cm"),
        ("total_eur", "€"),
        ("tank volume l", "l"),
        ("room height m", "m"),
        ("plan_c", ""),
        ("vitamin_c", ""),
        ("type_a", ""),
        ("checked_in", ""),
        ("kg", ""),
        ("name (old)", ""),
        ("weight (kg) old", ""),
        ("", ""),
        ("(", ""),
    ],
)
def test_the_unit_of_a_label(label: str, unit: str) -> None:
    assert unit_of(label) == unit
