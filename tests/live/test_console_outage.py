"""The console while Kafka is down: it confirms nothing that is not done, and the same id may be sent again."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx

from models.access.rights import user
from models.casework.cases import encode
from streams.access.users import Users
from streams.local.stack import LocalStack
from streams.settings import Settings
from tests.casework import Desk, alert
from tests.consoles import GOOD
from tests.site import SECRET, Site, until


def test_while_kafka_stands_still_nothing_is_answered_as_done_and_then_it_is(
    own_stack: LocalStack, topic_prefix: str, tmp_path: Path
) -> None:
    settings = Settings(
        kafka=own_stack.kafka,
        redis=own_stack.redis,
        topic_prefix=topic_prefix,
        users_file=tmp_path / "users.json",
        audit_log=tmp_path / "audit.jsonl",
        secret=SECRET,
    )
    site = Site(settings, tmp_path)
    site.apply_topics()
    users = Users.of(settings)
    users.add(user("zhou", "sub-bureau", "sb-02"), GOOD, by="os:root")
    token = users.add_token("zhou", "tests", by="os:root")
    case = Desk().alert(alert())
    assert case is not None
    with site.producer() as producer:
        producer.send(settings.topic("dispatch"), key=b"e1", value=encode(case))
    _, health, api = site.start_console()
    url = f"http://{api}/api/v1"
    with httpx.Client(headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "form-1"}, timeout=20) as client:
        try:
            as_of = client.get(f"{url}/orders").json()["as_of"]
            own_stack.broker.pause()
            began = time.monotonic()
            answer = client.post(f"{url}/cases/e1/acknowledged")
            assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
            assert time.monotonic() - began < 12
            assert httpx.get(f"http://{health}/readyz").status_code == 503
            own_stack.broker.resume()
            until(lambda: client.post(f"{url}/cases/e1/acknowledged").status_code == 202)
            until(lambda: client.get(f"{url}/orders").json()["as_of"] > as_of)
        finally:
            own_stack.broker.resume()
            site.tell()
            site.stop()
    said = [json.loads(record.value) for record in site.read("dispatch-feedback")]

    assert {record["id"] for record in said} == {"form-1"}
    assert len(said) <= 2  # the unconfirmed one may have arrived as well
