"""Worker service: one process that scores its assigned partitions until it gets a signal to stop, or fails.

It starts the parts in the order that the guarantees need: check the topics, connect, read indicators and subscribers to
their ends, and only then accept partitions.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from collections.abc import Awaitable
from time import perf_counter, time

import structlog

from models.detection.engine import Engine
from models.detection.ids import Ids
from models.detection.watermarks import Watermark
from models.indicators.matching import Indicators
from models.policy.policy import Policy
from streams import health, metrics
from streams.backoff import Backoff
from streams.files import model_file, policy_file
from streams.kafka import connections  # noqa: F401 - puts itself in place
from streams.kafka.compacted import CompactedTopic
from streams.kafka.contracts import BrokerError, BrokerLoginError, Contracts, broker, load
from streams.kafka.publishing import Publisher
from streams.kafka.reference_data import IndicatorRecords, VulnerableSubscribers
from streams.ledger.ledger_writer import LedgerWriter
from streams.service import STOP_WITHIN, begins_to_end, serve
from streams.settings import Settings
from streams.worker import app as faust_app
from streams.worker import redis_memory
from streams.worker.assignment import Assignment
from streams.worker.checkpoint import Checkpoints
from streams.worker.city_days import day_in
from streams.worker.drift_watch import DriftWatch
from streams.worker.heartbeats import Heartbeats
from streams.worker.lag import Behind, LagGauges
from streams.worker.loading import Loader
from streams.worker.log_watch import LogWatch
from streams.worker.partition import TopicPartition
from streams.worker.scoring import Scorer
from streams.worker.step import Stepper
from streams.worker.warm_up import warm_up

log = structlog.get_logger(__name__)

SWITCH_INTERVAL = 0.0005
"""Seconds after which the thread that fetches from Kafka may run; with Python's default of 5 ms it falls behind."""


async def run(settings: Settings) -> None:
    """Run a worker until SIGTERM or SIGINT; raises the error if one ends it earlier."""
    settings.site_secret()  # without it, or without a key for dead letters, it refuses before it connects
    settings.letters_key()
    policy = policy_file.load(settings.policy_file)
    trained = asyncio.create_task(asyncio.to_thread(model_file.load, settings.model))
    for part in ("kafka", "redis", "topics", "indicators", "subscribers", "partitions"):
        metrics.READY.labels(part).set(0)
    progress = health.Progress(settings.stall_seconds)
    await serve(settings.http, "FOREWARN_HTTP", progress, lambda stop: _work(settings, policy, trained, progress, stop))


async def _work(
    settings: Settings,
    policy: Policy,
    trained: Awaitable[model_file.Loaded],
    progress: health.Progress,
    stop: asyncio.Event,
) -> None:
    fitting = asyncio.gather(trained, _check_topics(settings))  # a model that is refused is reported without Kafka
    await _until(stop, fitting)
    if stop.is_set():
        fitting.cancel()
        await asyncio.gather(fitting, return_exceptions=True)
        return
    checkpoints = Checkpoints(settings)
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    sources = load(settings.topics_file).sources
    async with Publisher(settings, sources) as publisher:
        model, reference = await trained
        metrics.MODEL.labels(model.name).set(1)
        indicators = Indicators()
        vulnerable = VulnerableSubscribers()
        drifting = DriftWatch(reference)
        day_of, ids = day_in(settings.time_zone), Ids(settings.derived_key("ids"))
        told = vulnerable.flags, vulnerable.languages, drifting.witness
        engine = Engine(indicators, policy, model, *told, day_of, ids, sources)
        indicator_records = IndicatorRecords(indicators)
        indicator_topic = CompactedTopic("indicators", indicator_records.apply, settings, checkpoints, publisher)
        subscriber_topic = CompactedTopic("subscribers", vulnerable.apply, settings, checkpoints, publisher)
        topics = [indicator_topic, subscriber_topic]
        ledger = LedgerWriter(settings, indicator_topic.reached, sources)
        stepper = Stepper(engine, checkpoints, publisher, settings.topic("signals"), indicator_topic.reached)
        loader = Loader(settings, checkpoints, ledger)
        assignment = Assignment(engine, loader, stepper, indicator_topic, [subscriber_topic])
        scorer = Scorer(settings, sources, engine, assignment, stepper, Heartbeats(publisher))
        tasks = [asyncio.create_task(topic.follow(assignment.reconcile)) for topic in topics]
        warm = asyncio.create_task(asyncio.to_thread(warm_up, policy, model))
        tasks.append(asyncio.create_task(policy_file.watch(settings.policy_file, policy, engine.use)))
        try:
            loaded = asyncio.gather(warm, *[topic.loaded.wait() for topic in topics])
            await _first_of(loaded, stop.wait(), *tasks)
            if stop.is_set():
                loaded.cancel()
                return
            _settle_memory()
            log.info("indicators are in memory", indicators=len(indicators), vulnerable=len(vulnerable.flags))
            app = faust_app.create(settings, assignment, scorer, failed)
            await app.start()
            tasks.append(asyncio.create_task(_tend(scorer)))
            watching = _watch(app, assignment, indicator_records, vulnerable, progress, drifting)
            tasks.append(asyncio.create_task(watching))
            tasks.append(asyncio.create_task(redis_memory.watch(checkpoints)))
            tasks.append(asyncio.create_task(LogWatch(settings, assignment, app.fail).run()))
            try:
                await _first_of(failed, stop.wait(), *tasks)
            except BaseException as error:
                begins_to_end(error)
                raise
            finally:
                await _stop_app(app, assignment, orderly=not failed.done())
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await checkpoints.close()


async def _stop_app(app: faust_app.App, assignment: Assignment, *, orderly: bool) -> None:
    """Stop Faust; if ``orderly``, also finish the step under way, commit and write offsets."""
    stopping = asyncio.create_task(app.stop())
    done, _ = await asyncio.wait({stopping}, timeout=STOP_WITHIN - 2 if orderly else 3)
    if done:
        stopping.result()
    else:  # it is not cancelled: Faust would go on to stop its next part, and waiting for that could take for ever
        log.warning("Faust did not stop in time")
    if orderly:
        await assignment.on_revoked()


async def _first_of(*waited: Awaitable[object]) -> None:
    """Wait until the first of several ends; raises the error if it ended with one."""
    futures = [asyncio.ensure_future(each) for each in waited]
    done, _ = await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
    for each in done:
        each.result()


async def _until(stop: asyncio.Event, work: Awaitable[object]) -> None:
    await _first_of(work, stop.wait())


async def _check_topics(settings: Settings) -> None:
    """Wait until Kafka answers, then check its topics; raises `ContractError` when they do not fit the contracts."""
    contracts = load(settings.topics_file)
    backoff = Backoff(0.2)
    while (silence := await asyncio.to_thread(_topics_checked, contracts, settings)) is not None:
        log.warning("waiting for Kafka", kafka=settings.kafka, error=str(silence))
        await backoff.wait()
    metrics.READY.labels("topics").set(1)
    metrics.READY.labels("kafka").set(1)


def _topics_checked(contracts: Contracts, settings: Settings) -> BrokerError | None:
    """The error if Kafka does not answer; raises `BrokerError` when it refuses the login or its topics do not fit.

    Runs in another thread.
    """
    with contextlib.ExitStack() as opened:
        try:
            admin = opened.enter_context(broker.open_admin(settings))
        except BrokerLoginError:
            raise
        except BrokerError as error:
            return error
        broker.check_worker(contracts, admin, settings)
    return None


async def _tend(scorer: Scorer) -> None:
    """Ten times a second, do the work that is due without a new record."""
    while True:
        await scorer.tend()
        await asyncio.sleep(0.1)


async def _watch(
    app: faust_app.App,
    assignment: Assignment,
    indicators: IndicatorRecords,
    vulnerable: VulnerableSubscribers,
    progress: health.Progress,
    drifting: DriftWatch,
) -> None:
    """Every second, update the lag, the progress for health, and the gauges.

    If a partition's leader does not report the end, the end from the last fetch is used: a consumer that has stalled
    must not look idle. Records behind an open transaction count as lag, but no worker can read them, so they do not
    make this one unhealthy.
    """
    told_at, lag = perf_counter(), LagGauges()
    while True:
        offsets: dict[object, int] = {}
        behind: dict[TopicPartition, Behind] = {}
        total = 0
        asked_at = time()
        told = await app.consumer.end_offsets_now(app.consumer.assignment())
        for tp in app.consumer.assignment():
            assigned = assignment.partitions.get(tp.partition)
            end = told.get(tp, app.consumer.end_offset(tp))
            if assigned is None or end is None:
                continue
            offsets[tp] = assigned.reached(tp.topic)
            readable = max(end - offsets[tp], 0)
            unstable = app.consumer.unstable_records(tp)
            clock = assigned.clocks.get(tp.topic, Watermark())
            behind[tp.topic, tp.partition] = Behind(readable + unstable, unstable, clock.heard, clock.at)
            total += readable
        progress.tell(offsets, total)
        lag.show(behind, asked_at)
        indicators.count()
        metrics.VULNERABLE.set(len(vulnerable.flags))
        told_at, before = perf_counter(), told_at
        drifting.tell(told_at - before)
        await asyncio.sleep(1.0)


def _settle_memory() -> None:
    """Keep the garbage collector away from lasting objects: it was the largest single cost of the hot path."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 50, 1000)
    sys.setswitchinterval(SWITCH_INTERVAL)
