"""What a collection has and what documents need of it, without a database."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ApplianceError
from appliance.pgflex.fields import convert
from appliance.pgflex.writes.layout import Column, Layout, Needed, fit
from appliance.pgflex.writes.placing import placed

labels = st.text(min_size=1, max_size=8).filter(lambda text: text.strip() != "" and "\x00" not in text)


def test_new_labels_become_columns() -> None:
    needed = fit(None, [{"Bed No": "C-01", "free": True, "x": None}])
    assert [(column.name, column.label, column.type) for column in needed.added] == [
        ("bed_no", "Bed No", "text"),
        ("free", "free", "boolean"),
    ]
    assert written_of(needed, {"Bed No": "C-01", "free": True, "x": None}) == {"bed_no": "C-01", "free": True}


def test_known_label_means_its_column() -> None:
    layout = Layout((Column("bed_no", "Bed No", "text"),))
    for label in ("Bed No", "bed_no", "BED-NO"):
        needed = fit(layout, [{label: "C-01"}])
        assert needed.names == {label: "bed_no"}
        assert not needed.added and not needed.wider


def test_labels_that_mean_the_same_in_one_document_stay_apart() -> None:
    document = {"ward": 1, "Ward": 2}
    needed = fit(None, [document])
    assert sorted(written_of(needed, document).values()) == [1, 2]
    layout = Layout((Column("ward", "Ward", "integer"),))
    again = fit(layout, [document])
    assert again.names == {"Ward": "ward", "ward": "ward_2"}


def test_wider_values_widen() -> None:
    layout = Layout((Column("n", "n", "integer"),))
    needed = fit(layout, [{"n": 1}, {"n": "x"}])
    assert needed.wider == {"n": "text"}
    assert needed.types == {"n": "text"}
    assert written_of(needed, {"n": 1}) == {"n": "1"}


@given(st.lists(st.dictionaries(labels, st.integers() | st.text() | st.none()), min_size=1, max_size=4))
def test_no_value_of_a_document_is_lost(documents: list[dict[str, object]]) -> None:
    needed = fit(None, documents)
    for document in documents:
        written = written_of(needed, document)
        told = {label: value for label, value in document.items() if value is not None}
        assert len({needed.names[label] for label in told}) == len(told)
        for label, value in told.items():
            name = needed.names[label]
            assert written[name] == convert(value, needed.types[name])
    names = [column.name for column in needed.added]
    assert len(names) == len(set(names))


@given(st.lists(st.dictionaries(labels, st.integers()), min_size=1, max_size=4))
def test_the_same_documents_again_need_nothing_new(documents: list[dict[str, int]]) -> None:
    layout = Layout(fit(None, documents).added)
    again = fit(layout, documents)
    assert not again.wider
    for document in documents:
        assert sorted(written_of(again, document).values()) == sorted(document.values())


def written_of(needed: Needed, document: dict[str, Any]) -> dict[str, Any]:
    """The document by column name, without what tells nothing."""
    return {name: value for name, value in placed(needed, [document])[0].items() if name in needed.types}


def test_labels_are_columns_one_to_one() -> None:
    document = {"a+b": 1, "a b": 2, "a_b": 3, "A-B": 4, "id": 5, "extra": 6, "order": 7}
    needed = fit(None, [document])
    assert len(set(needed.names.values())) == len(document)
    assert needed.names["id"] == "id_" and needed.names["extra"] == "extra_" and needed.names["order"] == "order_"
    again = fit(Layout(needed.added), [document])
    assert again.names == needed.names
    assert not again.added


def test_a_waiting_column_takes_what_fits() -> None:
    layout = Layout((Column("n", "n", "integer"),), taken=("id", "n", "extra"), pending={"n": "text"})
    needed = fit(layout, [{"n": 1}, {"n": "x"}, {"n": True}])
    assert not needed.wider
    assert needed.spilled == {"n"}
    assert needed.types == {"n": "integer"}
    assert placed(needed, [{"n": 1}, {"n": "x"}, {"n": True}]) == [{"n": 1}, {"extra": {"n": "x"}}, {"n": 1}]
    assert fit(layout, [{"n": [1]}]).wider == {"n": "jsonb"}, "it waits for text only"


def test_what_the_box_makes_is_not_written() -> None:
    layout = Layout(
        (Column("beds", "beds", "integer"), Column("free", "Free", "integer", computed=True)),
        taken=("id", "beds", "free", "name_initials"),
    )
    for label in ("free", "Free", "FREE", "name_initials"):
        with pytest.raises(ApplianceError, match="PGF103") as caught:
            fit(layout, [{"beds": 1, label: 1}])
        assert caught.value.details == {"field": label}
    assert fit(layout, [{"id": 1, "extra": 1}]).names == {"id": "id_", "extra": "extra_"}
