"""Where the labels of documents go, without a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ApplianceError
from appliance.pgflex.fields import convert
from appliance.pgflex.store import Store, _Column, _Layout, _needed

labels = st.text(min_size=1, max_size=8).filter(lambda text: text.strip() != "" and "\x00" not in text)


def test_new_labels_become_columns() -> None:
    needed = _needed(None, [{"Bed No": "C-01", "free": True, "x": None}])
    assert [(column.name, column.label, column.type) for column in needed.added] == [
        ("bed_no", "Bed No", "text"),
        ("free", "free", "boolean"),
    ]
    assert needed.document({"Bed No": "C-01", "free": True, "x": None}) == {"bed_no": "C-01", "free": True}


def test_known_label_means_its_column() -> None:
    layout = _Layout((_Column("bed_no", "Bed No", "text"),), "staff")
    for label in ("Bed No", "bed_no", "BED-NO"):
        needed = _needed(layout, [{label: "C-01"}])
        assert needed.names == {label: "bed_no"}
        assert needed.added == needed.widened == ()


def test_labels_that_mean_the_same_in_one_document_stay_apart() -> None:
    document = {"ward": 1, "Ward": 2}
    needed = _needed(None, [document])
    assert sorted(needed.document(document).values()) == [1, 2]
    layout = _Layout((_Column("ward", "Ward", "integer"),), "staff")
    again = _needed(layout, [document])
    assert again.names == {"Ward": "ward", "ward": "ward_2"}


def test_wider_values_widen() -> None:
    layout = _Layout((_Column("n", "n", "integer"),), "staff")
    needed = _needed(layout, [{"n": 1}, {"n": "x"}])
    assert [column.name for column in needed.widened] == ["n"]
    assert needed.types == {"n": "text"}
    assert needed.document({"n": 1}) == {"n": "1"}


@given(st.lists(st.dictionaries(labels, st.integers() | st.text() | st.none()), min_size=1, max_size=4))
def test_no_value_of_a_document_is_lost(documents: list[dict[str, object]]) -> None:
    needed = _needed(None, documents)
    for document in documents:
        written = needed.document(document)
        told = {label: value for label, value in document.items() if value is not None}
        assert len({needed.names[label] for label in told}) == len(told)
        for label, value in told.items():
            name = needed.names[label]
            assert written[name] == convert(value, needed.types[name])
    names = [column.name for column in needed.added]
    assert len(names) == len(set(names))


@given(st.lists(st.dictionaries(labels, st.integers()), min_size=1, max_size=4))
def test_the_same_documents_again_need_nothing_new(documents: list[dict[str, int]]) -> None:
    layout = _Layout(_needed(None, documents).added, "staff")
    again = _needed(layout, documents)
    assert again.widened == ()
    for document in documents:
        assert sorted(again.document(document).values()) == sorted(document.values())


@pytest.mark.parametrize("documents", [[5], ["x"], [{}, None]])
async def test_only_objects_are_documents(documents: list[object]) -> None:
    from appliance.pgflex.store import _documents

    with pytest.raises(ApplianceError, match="PGF103"):
        _documents(documents)


async def test_wall_may_not_write() -> None:
    store = Store(None)  # type: ignore[arg-type]
    for attempt in (
        store.insert("beds", [{"a": 1}], "wall"),
        store.update("beds", 1, {"a": 1}, "wall"),
        store.delete("beds", 1, "wall"),
    ):
        with pytest.raises(ApplianceError, match="PGF106"):
            await attempt
