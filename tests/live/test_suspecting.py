"""Suspicion, live: an unknown number keeps people on the phone while verification codes reach them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from models.base.durations import MINUTE
from streams.ledger.storage import Storage
from tests.live.test_pivoting import AT, last
from tests.site import Record, Site, call, last_words, until

STRANGER, OTHER, FRIEND, INSISTENT = "99900000007", "99900000008", "99900777777", "99900000009"
ANN, BO = "8610000000001", "8610000000002"


def talk(who: str, begin: int, minutes: int, peer: str, direction: str = "in") -> list[Record]:
    """The two records of a call that begins so many minutes after `AT`."""
    name, at = f"{peer}-{who}-{begin}", AT + begin * MINUTE
    began = call(who, at, peer, id=name, direction=direction)
    end = at + 7_000 + minutes * MINUTE
    return [began, call(who, end, peer, "end", name, direction=direction, duration_s=minutes * 60)]


def code(who: str, after: float) -> Record:
    """A verification code of a platform, so many minutes after `AT`."""
    record = {"id": f"code-{who}-{after}", "subscriber": who, "peer": "106900000001", "direction": "in"}
    return record | {"at": AT + int(after * MINUTE), "text": "您的验证码是 482913，请勿告诉他人"}


def alerts(site: Site) -> list[Mapping[str, Any]]:
    """The alerts that are raised."""
    return [each for each in last_words(site.alerts()).values() if each["status"] == "raised"]


def recorded(site: Site) -> bool:
    """Whether the ledger has all calls up to now, so that later records are judged together with them."""
    reached: dict[int, int] = {}
    for segment in Storage(replace(site.settings, ledger=site.environ["FOREWARN_LEDGER"])).segments():
        reached[segment.partition] = max(reached.get(segment.partition, 0), segment.calls[1])
    return reached == {partition: end for partition, end in site.ends("calls").items() if end}


def test_a_stranger_who_guides_somebody_is_suspected_until_an_analyst_says_otherwise(site: Site) -> None:
    site.start_worker()
    first, _ = site.start_hunter()
    tried = [record for n in range(3) for record in talk(f"861000000010{n}", n, 0, STRANGER)]
    friends = [record for n in range(3) for record in talk(f"861000000010{n}", n, 1, FRIEND, "out")]
    site.send("calls", *tried, *friends)
    until(lambda: recorded(site))
    site.send("calls", *talk(ANN, 10, 12, STRANGER), *talk(BO, 10, 12, FRIEND))
    site.send("sms", code(ANN, 15), code(BO, 15))

    until(lambda: last(site, f"number:{STRANGER}"))
    said = last(site, f"number:{STRANGER}")
    assert (said["source"], said["scam_type"]) == ("behaviour people:4 guided:1 led:1", "suspected")
    until(lambda: {each["subscriber"] for each in alerts(site)} >= {ANN})
    until(lambda: len({each["subscriber"] for each in alerts(site)}) == 4)  # everyone it has reached
    assert {each["scam_type"] for each in alerts(site)} == {"suspected"}
    assert not site.read("reminders")
    assert first.stop() == 0

    site.send("indicators", said | {"revoked": True})
    site.start_hunter()
    until(lambda: not alerts(site))
    other = [record for n in range(3) for record in talk(f"861000000010{n}", 59, 0, OTHER)]
    site.send("calls", *other)
    until(lambda: recorded(site))
    site.send("calls", *talk(ANN, 60, 12, STRANGER), *talk(BO, 60, 12, OTHER))
    site.send("sms", code(ANN, 65), code(BO, 65))
    until(lambda: last(site, f"number:{OTHER}"))
    assert last(site, f"number:{STRANGER}").get("revoked")

    asked = [*talk(ANN, 100, 1, INSISTENT), *talk(BO, 100, 1, INSISTENT), *talk("8610000000100", 100, 0, INSISTENT)]
    site.send("calls", *asked)
    until(lambda: recorded(site))
    site.send("calls", *talk(ANN, 110, 9, INSISTENT), *talk(BO, 110, 9, INSISTENT))
    until(lambda: last(site, f"number:{INSISTENT}"))
    said = last(site, f"number:{INSISTENT}")
    assert (said["source"], said["confidence"]) == ("behaviour people:3 guided:0 led:2", 30)
    assert not last(site, f"number:{FRIEND}")
