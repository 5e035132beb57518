"""Link rows: what is listed later finds the same SMS by the hashes of their links as it would have by the links."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.detection.kinds import DOMAIN_SMS
from models.detection.recognition import sms_signals
from models.events.event import Sms
from models.indicators.indicator import Indicator
from models.indicators.matching import Indicators
from models.indicators.path_hashes import PathHashes
from models.indicators.url_starts import DEEPEST
from models.lookback.link_rows import MOST_LINKED, MetLinks, rows_of_messages
from models.lookback.pivoting import Pivot
from models.lookback.planner import Planner
from models.texts.prefilter import DISGUISE, DOT
from streams.ledger.remembered import Remembered
from streams.ledger.segments import Knowledge, table_of, written
from tests.strategies import ANN, CROOK, POLICY, T0, indicator, messages_of

HASHES = PathHashes(b"a key that only these tests have")
HOSTS = ("evil.top", "a.evil.top", "b.evil.top", "bit.ly", "fine.com", "192.0.2.7", "evil.top:8080", "xn--fsqu00a.top")
PARTS = (
    "/a",
    "/b",
    "/A",
    "/a1",
    "/",
    "?x=1",
    "?",
    "/a?x=1",
    "%41",
    "/.",
    "=1",
    "/\u00e9",
    "\\b",
    "#f",
    "&amp;y",
    "/a" * 40,
)
ENDS = ("", " ", "\u67e5\u770b", "\uff0c", ".", " or ", "\n", "/", ")")

LINKS = st.tuples(
    st.sampled_from(("https://", "http://", "", "hxxps://", "HTTPS://", "https://user@", "https://www.")),
    st.sampled_from((*HOSTS, "evil[.]top", "EVIL.top", "evil\u3002top")),
    st.lists(st.sampled_from(PARTS), max_size=3).map("".join),
    st.sampled_from(ENDS),
).map("".join)
TEXTS = st.tuples(st.sampled_from(("", "see ", "\u767b\u5f55", "9 ")), st.lists(LINKS, min_size=1, max_size=3)).map(
    lambda each: each[0] + "".join(each[1])
)
LISTED = st.tuples(
    st.sampled_from(HOSTS),
    st.lists(st.sampled_from(("/a", "/b", "/A", "/a1", "?x=1", "/%C3%A9")), max_size=3).map("".join),
    st.sampled_from((50, 70, 90)),
    st.sampled_from((0, T0 + 1)),
).map(lambda each: indicator("url", each[0] + each[1], each[2], valid_from=each[3]))
DOMAINS = st.sampled_from(("evil.top", "a.evil.top", "fine.com")).map(lambda host: indicator("domain", host, 60))


def sms(id: str, text: str, **fields: object) -> Sms:
    """An SMS to Ann."""
    return msgspec.structs.replace(Sms(id, ANN, CROOK, "in", T0, text), **fields)


@given(st.lists(TEXTS, min_size=1, max_size=4), st.lists(LISTED | DOMAINS, min_size=1, max_size=8))
@settings(max_examples=400, deadline=None)
@example(["https://evil.top/?x=1"], [indicator("url", "evil.top?x=1")])
@example(
    ["https://evil.top/a/b and evil.top/a"], [indicator("url", "evil.top/a", 90), indicator("url", "evil.top/a/b")]
)
@example(["https://evil.top" + "/a" * 40], [indicator("url", "evil.top" + "/a" * 33)])
@example(["https://evil.top" + "/a" * 40], [indicator("url", "evil.top" + "/a" * (DEEPEST - 1))])
def test_what_is_listed_later_finds_the_sms_that_the_worker_would_have_found(
    texts: list[str], listed: list[Indicator]
) -> None:
    """The same SMS, with the same indicator and the same other end."""
    messages = messages_of(sms(f"m{at}", text) for at, text in enumerate(texts))
    known = Indicators(listed, HASHES)
    live = [signal for _, signal in sms_signals(messages, known) if signal.kind == DOMAIN_SMS]
    ledger = Remembered()
    ledger.put([*rows_of_messages(messages, MetLinks(hashes=HASHES))])

    found = Planner(known, Pivot(known), POLICY).contacts(each.key for each in listed).put_to(ledger)

    assert {(each.event, each.indicator, each.peer) for _, each in found if each.status == "raised"} == {
        (each.event, each.indicator, each.peer) for each in live
    }


MARKED = (
    "see https://evil.top/marked",
    "see https://evil.top/a?token=marked now",
    "evil.top/marked/b, https://b.top/?marked",
    "https://marked:marked@evil.top/#marked",
    "\u767b\u5f55evil[.]top/marked?marked#marked",
    "https://evil.top:8443/marked",
    "https://fine.com/?u=https%3A%2F%2Fevil.top%2Fmarked",
)


@pytest.mark.parametrize("domains", [None, ("https://evil.top/marked?marked",)])
def test_no_path_query_user_or_fragment_gets_into_the_ledger(domains: tuple[str, ...] | None) -> None:
    """Whether the text is read by compiled code, closely, or because the carrier names domains."""
    messages = messages_of(sms(f"m{at}", text, domains=domains) for at, text in enumerate(MARKED))

    table = table_of([*rows_of_messages(messages, MetLinks(hashes=HASHES))])

    assert table.column("links").null_count < len(table)
    assert "marked" not in str(table.to_pylist())
    assert b"marked" not in written(table, Knowledge()).to_pybytes()


def test_the_rows_of_a_text_full_of_hosts_do_not_grow_with_the_square_of_its_length() -> None:
    """A text of ten thousand characters once made tens of megabytes of rows."""
    text = " ".join(f"h{number}.top" for number in range(1000))

    rows = [*rows_of_messages(messages_of([sms("m1", text)]), MetLinks())]

    assert sum(len(each.keys) for each in rows) == MOST_LINKED + 1
    assert sum(each.links.nbytes for each in rows if each.links is not None) <= MOST_LINKED * MOST_LINKED * len(
        "h999.top "
    )


def test_a_text_full_of_links_is_read_but_not_remembered() -> None:
    """Chosen texts must not fill the memory of a worker."""
    met = MetLinks()
    full = " ".join(f"https://h{number}.top/a/b/c/d/e" for number in range(MOST_LINKED))

    found = [met.read_once(text.encode(), DOT | DISGUISE) for text in (full, full, "see h1.top")]

    assert found[0] == found[1]
    assert len(found[0][0]) == MOST_LINKED
    assert len(met._read) == 1
