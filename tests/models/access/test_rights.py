"""Rights: which role may do what and see which cases; every role with every action, and the hierarchy of units."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.access.rights import (
    ACTIONS,
    MEANINGS,
    RIGHTS,
    ROLES,
    AccessError,
    Action,
    Chain,
    Role,
    User,
    acts,
    may,
    sees,
    table,
    user,
)

ORDERS = "read-orders acknowledge attempt outcome return transfer snooze request-stop-payment read-bulletins"
EXPECTED = {
    "officer": ORDERS,
    "sub-bureau": ORDERS,
    "centre": ORDERS.replace("return ", "") + " see-statistics look-up see-numbers-found decide-risks",
    "analyst": "read-bulletins see-statistics look-up decide-risks",
    "auditor": "read-audit",
    "admin": "manage-users",
}
"""Written down a second time, so that no right is granted by mistake."""

CITY = "city"
STATIONS: list[Chain] = [(f"ps-{bureau}{each}", f"sb-{bureau}", CITY) for bureau in "12" for each in "123"]
CHAINS: list[Chain] = [*STATIONS, ("sb-1", CITY), ("sb-2", CITY), (CITY,)]
UNITS = sorted({unit for chain in CHAINS for unit in chain})

chains = st.sampled_from(CHAINS)
histories = st.lists(chains, max_size=3)
somebody = st.builds(user, st.just("li.wei"), st.sampled_from(ROLES), st.sampled_from(UNITS))


def of_role(role: Role, unit: str = "ps-11") -> User:
    """A user with this role."""
    return user("li.wei", role, unit)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", ACTIONS)
def test_each_role_may_do_what_was_settled_and_nothing_else(role: Role, action: Action) -> None:
    assert may(of_role(role), action) == (action in EXPECTED[role].split())


@pytest.mark.parametrize("role", ROLES)
def test_a_disabled_user_may_do_nothing_and_sees_nothing(role: Role) -> None:
    disabled = msgspec.structs.replace(of_role(role), disabled=True)
    assert not any(may(disabled, action) for action in ACTIONS)
    assert not any(sees(disabled, chain) for chain in CHAINS)


@pytest.mark.parametrize(
    ("role", "unit", "seen"),
    [
        ("officer", "ps-11", {"ps-11"}),
        ("officer", "ps-19", set()),
        ("officer", "sb-1", {"sb-1"}),
        ("sub-bureau", "sb-1", {"ps-11", "ps-12", "ps-13", "sb-1"}),
        ("sub-bureau", "ps-11", {"ps-11"}),
        ("centre", CITY, {*UNITS}),
        ("analyst", CITY, set()),
        ("auditor", "ps-11", set()),
        ("admin", "sb-1", set()),
    ],
)
def test_whose_cases_a_role_sees(role: Role, unit: str, seen: set[str]) -> None:
    """An officer's entry with the unit of a sub-bureau gives no access to its stations."""
    assert {chain[0] for chain in CHAINS if sees(of_role(role, unit), chain)} == seen


@given(somebody, chains, histories)
def test_a_case_that_somebody_had_before_stays_readable_and_no_other_becomes_so(
    who: User, chain: Chain, before: list[Chain]
) -> None:
    assert sees(who, chain, before) == any(sees(who, each) for each in (chain, *before))


@given(somebody, st.sampled_from(ACTIONS), chains)
def test_nobody_acts_on_a_case_that_he_may_not_see_now_or_without_the_right(
    who: User, action: Action, chain: Chain
) -> None:
    assert acts(who, action, chain) == (may(who, action) and sees(who, chain))


def test_a_station_that_has_handed_a_case_on_reads_it_and_leaves_it_alone() -> None:
    officer = of_role("officer", "ps-11")
    now, before = STATIONS[1], [STATIONS[0]]
    assert sees(officer, now, before)
    assert not acts(officer, "outcome", now)


@given(somebody)
def test_a_case_that_no_unit_has_yet_is_the_centres_alone(who: User) -> None:
    assert sees(who, ()) == (who.role == "centre")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_over_cases_needs_a_unit(role: Role) -> None:
    if RIGHTS[role].reach == "none":
        assert user("li.wei", role).unit == ""
        return
    with pytest.raises(AccessError, match="needs a unit"):
        user("li.wei", role)
    with pytest.raises(msgspec.ValidationError, match="needs a unit"):
        msgspec.convert({"name": "li.wei", "role": role}, User)


@pytest.mark.parametrize("name", ["", "Li", "li wei", "li\n", "-li", "李", "a" * 65, "../x", "os:root"])
def test_a_name_that_could_be_taken_for_something_else_is_refused(name: str) -> None:
    with pytest.raises(AccessError, match="a name has"):
        user(name, "analyst")


@pytest.mark.parametrize("unit", ["ps 11", "ps-11\n", "x" * 201])
def test_a_unit_is_an_id(unit: str) -> None:
    with pytest.raises(AccessError, match="a unit is an id"):
        user("li.wei", "officer", unit)


def test_every_action_and_every_role_has_its_place_in_the_table() -> None:
    assert set(MEANINGS) == set(ACTIONS)
    assert set(RIGHTS) == set(ROLES)
    assert set().union(*(rights.actions for rights in RIGHTS.values())) == set(ACTIONS)


def test_the_page_has_the_table_of_the_code() -> None:
    """To update the page: python -c "from models.access.rights import table; print(table())"."""
    assert table() in (Path(__file__).parents[3] / "docs" / "access.md").read_text(encoding="utf-8")
