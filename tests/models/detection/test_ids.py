"""Ids: whoever knows how they are made, but not the site's key, cannot find the number behind one by trying."""

from __future__ import annotations

import msgspec
import pytest

from models.base.durations import DAY, HOUR, MINUTE
from models.base.number_keys import key_of
from models.detection.alerts import Alert
from models.detection.episodes import Subject
from models.detection.ids import PUBLIC, Ids, alert_id
from models.detection.reminders import Reminder, occasion, utc_day
from models.detection.risk import PointScore
from models.detection.signals import Signal
from models.lookback.hunting import record_of
from models.policy.policy import SEVERITIES
from tests.stories import Story
from tests.strategies import ANN, CROOK, EVIL, POLICY, T0, ToldEngine, end, known, sms, start

SITE = Ids(bytes(range(32)))
RANGE = [str(number) for number in range(8_610_000_000_000, 8_610_000_002_000)]
"""A block of numbers with ANN's among them, as somebody would try who knows the mask."""


class Keyed(Story):
    """A story at a site, with the reminders that were sent."""

    def __init__(self, ids: Ids) -> None:
        super().__init__(ToldEngine(known(), POLICY, PointScore(), ids=ids))

    def reminder(self) -> tuple[Reminder, str]:
        """The reminder after a text with a known link, and its occasion."""
        found = self.engine.step(self.partition, sms=[sms("m1", 0, f"https://{EVIL}/x")])
        about = occasion(found.alerts[0], utc_day)
        assert about is not None
        return found.reminders[0], about


def alerts(ids: Ids) -> list[Alert]:
    """The alerts of a long call from a known number."""
    return Keyed(ids).tell(start("c1", 0), end("c1", 20 * MINUTE, 1200))


def owners(name: str, events: list[str], ids: Ids) -> list[str]:
    """The numbers of the range whose episode, or an alert of it, would have this name."""
    found = []
    for number in RANGE:
        for event in events:
            episode = ids.episode(number, event)
            if name in (episode, *(alert_id(episode, severity) for severity in SEVERITIES)):
                found.append(number)
    return found


@pytest.mark.parametrize("name", ["id", "episode"])
def test_the_number_behind_an_alert_is_not_found_by_trying_all_numbers_of_a_range(name: str) -> None:
    """Not even with the ids of its events; without a key, the very same search finds it."""
    for told in alerts(SITE):
        assert owners(getattr(told, name), ["c1"], PUBLIC) == []
    for told in alerts(PUBLIC):
        assert owners(getattr(told, name), ["c1"], PUBLIC) == [ANN]


def test_the_number_behind_a_reminder_is_not_found_by_trying() -> None:
    """Its occasion is a scam type and a day, which anybody can guess."""
    (sent, about), (public, _) = Keyed(SITE).reminder(), Keyed(PUBLIC).reminder()

    assert [number for number in RANGE if PUBLIC.reminder(number, about) == sent.id] == []
    assert [number for number in RANGE if PUBLIC.reminder(number, about) == public.id] == [ANN]


def test_the_number_behind_a_signal_is_not_found_by_trying() -> None:
    """A signal of a look-back has an id as well."""
    signal = Signal(T0, "fraud-number-call", "c1", CROOK, f"number:{CROOK}", "loan", 90)
    parts = ("c1", "fraud-number-call", f"number:{CROOK}", "raised")
    sent = record_of(key_of(ANN), signal, SITE)

    assert [number for number in RANGE if PUBLIC.signal(number, *parts) == sent.id] == []
    assert record_of(key_of(ANN), signal, SITE).id == sent.id
    assert sent.id == SITE.signal(ANN, *parts)


def test_a_key_changes_nothing_but_the_ids() -> None:
    """A replay without the key can be compared with the live run by everything else."""
    assert [msgspec.structs.replace(each, id="", episode="") for each in alerts(SITE)] == [
        msgspec.structs.replace(each, id="", episode="") for each in alerts(PUBLIC)
    ]
    assert {each.id for each in alerts(SITE)}.isdisjoint(each.id for each in alerts(PUBLIC))


def test_two_sites_give_one_episode_two_names() -> None:
    """One site's key opens nothing at another."""
    assert {each.episode for each in alerts(SITE)}.isdisjoint(each.episode for each in alerts(Ids(b"another site")))


def upgraded(story: Keyed) -> Keyed:
    """The same partition under the site's key, its state as the checkpoint keeps it."""
    after = Keyed(SITE)
    stored = {who: msgspec.msgpack.encode(each) for who, each in story.partition.subjects.items()}
    after.partition.call_clock, after.partition.sms_clock = story.partition.call_clock, story.partition.sms_clock
    after.partition.restore({who: msgspec.msgpack.decode(each, type=Subject) for who, each in stored.items()}, POLICY)
    return after


def test_an_open_episode_keeps_its_ids_when_the_site_gets_a_key() -> None:
    """Its order is known by them: it is raised further and withdrawn under the same ones."""
    story = Keyed(PUBLIC)
    before = story.tell(start("c1", 0), end("c1", 3 * MINUTE, 180))
    after = upgraded(story).tell(start("c2", HOUR), end("c2", HOUR + 20 * MINUTE, 1200))

    assert before
    assert after
    assert {each.episode for each in (*before, *after)} == {PUBLIC.episode(ANN, "c1")}


def test_the_next_episode_of_the_same_person_has_a_keyed_name() -> None:
    """Only what was published before keeps a public name."""
    story = Keyed(PUBLIC)
    story.tell(start("c1", 0), end("c1", 20 * MINUTE, 1200))
    after = upgraded(story).tell(start("c2", 5 * DAY), end("c2", 5 * DAY + 20 * MINUTE, 1200))

    assert {each.episode for each in after} == {SITE.episode(ANN, "c2")}
