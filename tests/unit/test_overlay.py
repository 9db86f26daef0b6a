"""Expert values: what is wrong is said with line and column, what they change is shown, what is ours is refused."""

from __future__ import annotations

import pytest

from deployments.values.overlay import LONGEST, OWNED, difference, overlay_values, problems
from tests.unit.hubs import chart_schema


def told(text: str) -> list[str]:
    return [str(problem) for problem in problems(text, chart_schema())]


@pytest.mark.parametrize("text", ["", "   \n", "# only a thought\n", "config:\n  BinderHub:\n    about_message: hi\n"])
def test_nothing_is_wrong_with_good_values(text: str) -> None:
    assert told(text) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("config:\n  BinderHub: [\n", "Line 3, column 1:"),
        ("config:\n\tBinderHub: 1\n", "Line 2, column 1:"),
        ("config: 1\n", "Line 1, column 1:"),
        ("jupyterhub:\n  hub:\n    nonsense: 1\n", "Line 3, column 5:"),
        ("jupyterhub:\n  cull:\n    timeout: soon\n", "Line 3, column 5:"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, place: str) -> None:
    assert told(text)[0].startswith(place), told(text)


def test_a_key_that_is_nearly_right_is_suggested() -> None:
    assert "Did you mean singleuser?" in told("jupyterhub:\n  singleusr: {}\n")[0]


def test_a_list_is_no_tree_of_values() -> None:
    assert "names with a colon" in told("- a\n- b\n")[0]


def test_what_is_far_too_long_is_refused_unread() -> None:
    assert "longer than" in told("a: 1\n" * LONGEST)[0]


@pytest.mark.parametrize("path", OWNED)
def test_what_slipway_sets_itself_is_refused(path: str) -> None:
    keys = path.split(".")
    text = "".join(f"{'  ' * depth}{key}:\n" for depth, key in enumerate(keys[:-1]))
    text += f"{'  ' * (len(keys) - 1)}{keys[-1]}: x\n"
    assert any("set by Slipway" in sentence for sentence in told(text)), told(text)


def test_what_holds_something_of_ours_cannot_be_replaced_whole() -> None:
    assert told("jupyterhub:\n  proxy: null\n")


def test_a_bomb_of_aliases_is_not_unfolded() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{after}: &{after} [{','.join([f'*{before}'] * 9)}]\n"
        for before, after in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert "more than" in told(bomb)[0]
    assert overlay_values(bomb) == {}


def test_what_holds_itself_is_refused() -> None:
    assert told("a: &a\n  b: *a\n")


def test_only_plain_values_are_read() -> None:
    assert overlay_values("a: !!python/object/apply:os.system ['true']\n") == {}


def test_a_difference_shows_what_comes_and_what_goes() -> None:
    lines = difference({"a": 1, "b": 2}, {"a": 1, "b": 3})
    assert "-b: 2" in lines
    assert "+b: 3" in lines
    assert difference({"a": 1}, {"a": 1}) == []
