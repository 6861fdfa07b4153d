"""The order that `after` gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.order import circle, promotion_order, strays

AFTER = st.dictionaries(st.sampled_from("abcdef"), st.none() | st.sampled_from("abcdefg"))


@pytest.mark.parametrize(
    ("after", "order"),
    [
        ({}, ()),
        ({"production": "staging", "staging": None}, ("staging", "production")),
        ({"dev": None, "eu": "dev", "us": "dev", "end": "us"}, ("dev", "eu", "us", "end")),
        ({"a": "b", "b": "a", "c": None}, ("c",)),
    ],
)
def test_each_environment_stands_behind_the_one_it_comes_after(
    after: dict[str, str | None], order: tuple[str, ...]
) -> None:
    """The order of the file decides among equals."""
    assert order == promotion_order(after)


def test_a_circle_is_told_from_where_it_begins() -> None:
    """The way is written out, so that a person sees it."""
    assert circle({"x": "a", "a": "b", "b": "c", "c": "a"}) == ("a", "b", "c", "a")
    assert circle({"a": "a"}) == ("a", "a")
    assert circle({"a": None, "b": "a"}) == ()


@given(AFTER)
def test_every_environment_is_always_in_order_unless_its_way_is_broken(after: dict[str, str | None]) -> None:
    """Nothing gets lost: whoever is not in the order comes after a stray or a circle."""
    order = promotion_order(after)

    assert len(set(order)) == len(order)
    assert all(after[name] is None or after[name] in order[: order.index(name)] for name in order)
    assert (len(order) == len(after)) == (not strays(after) and not circle(after))
