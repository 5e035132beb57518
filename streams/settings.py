"""The site's settings: the variables ``FOREWARN_*``, read once at the start and passed on as one frozen value.

Each field carries the help and the parser of its variable (`streams.setting_fields`, `streams.setting_values`).
`streams.settings_page` makes ``docs/settings.md`` from them. A secret may also come from a file, which
``FOREWARN_…_FILE`` names.
"""

# ruff: noqa: RUF009 - setting() is dataclasses.field with documentation

from __future__ import annotations

import dataclasses
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from models.access.audit_keys import AuditKeys, audit_key
from models.access.site_secret import Purpose, key_of
from streams.sealing import recipients
from streams.secret_files import MISSING, NO_EXPORT_KEY, NO_LETTERS_KEY
from streams.setting_fields import SettingsError, setting, values_of
from streams.setting_values import (
    Address,
    Target,
    address,
    authority,
    beside,
    existing_file,
    hosts,
    listen_on,
    name,
    one_of,
    positive_int,
    program_addresses,
    redis_url,
    seconds,
    secret_key,
    secrets,
    servers,
    site_secret,
    zone,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that differs from site to site; ``Settings()`` is for a stack on this machine at its usual ports.

    The variable of a field is ``FOREWARN_`` and the field's name in capitals. Raises :class:`SettingsError` for fields
    that do not fit together.
    """

    kafka: str = setting(servers, "Kafka's bootstrap servers: `host:port`, separated by commas.", "127.0.0.1:9092")
    kafka_tls_ca: Path | Literal["system"] | None = setting(
        authority,
        "Use TLS for Kafka and trust the authorities in this PEM file, or those of the `system`.",
    )
    kafka_tls_cert: Path | None = setting(existing_file, "PEM file of the client's certificate (mutual TLS).")
    kafka_tls_key: Path | None = setting(existing_file, "PEM file of the client certificate's key, not encrypted.")
    kafka_sasl_mechanism: str | None = setting(
        one_of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"),
        "How to log in to Kafka: `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`. "
        "`PLAIN` sends the password in the clear unless TLS is on.",
    )
    kafka_sasl_username: str | None = setting(str, "The user name for Kafka.")
    kafka_sasl_password: str | None = setting(str, "The password of that user.", secret=True)
    redis: str = setting(
        redis_url,
        "URL of Redis or Valkey, with `user:password@` where it has an ACL; `rediss://` uses TLS. Several "
        "servers of a cluster, or a primary and its replicas: `redis://HOST:PORT,HOST:PORT/0`, as one may be down. "
        "Sentinels: `redis+sentinel://HOST:PORT,HOST:PORT/NAME`, with the name by which they know the primary.",
        "redis://127.0.0.1:6379/0",
        secret=True,  # it may carry a password
    )
    redis_tls_ca: Path | None = setting(
        existing_file, "PEM file of the authorities to trust for a `rediss://` URL (default: the system's)."
    )
    group: str = setting(name, "Consumer group in Kafka and namespace of the state in Redis.", "forewarn")
    instance: str | None = setting(
        name,
        "This worker's own permanent name (Kafka's static membership). "
        "A restart within the session timeout then moves no partition. Each worker needs a different name.",
    )
    topic_prefix: str = setting(name, "Prefix of every topic's name, for several sites on one cluster.", "")
    topics_file: Path = setting(
        Path,
        "The topic contracts.",
        make=lambda: beside("topics.yaml"),
        shown="./topics.yaml, else the one that came with Forewarn",
    )
    policy_file: Path = setting(
        Path,
        "The decision policy.",
        make=lambda: beside("policy.yaml"),
        shown="./policy.yaml, else the one that came with Forewarn",
    )
    stations_file: Path = setting(
        Path,
        "The tree of sub-bureaux and stations, and the station of each cell.",
        make=lambda: beside("stations.yaml"),
        shown="./stations.yaml, else the one that came with Forewarn",
    )
    playbooks: Path | None = setting(
        Path,
        "A folder of the site's own playbooks. Each replaces the playbook that came with Forewarn for its scam type.",
        shown="only those that came with Forewarn",
    )
    model: str = setting(
        str,
        "The risk model: a file written by `forewarn train`, or `points` for the points of the policy.",
        "",
        shown="the one that came with Forewarn",
    )
    time_zone: ZoneInfo = setting(
        zone,
        "The city's time zone (IANA name); days of reminders and weeks of bulletins begin at its midnight.",
        ZoneInfo("Asia/Shanghai"),
    )
    replication: int | None = setting(
        positive_int,
        "Replicas of every topic, instead of the contract's number; 3 in production. "
        "`min.insync.replicas` becomes one less, so that no confirmed record is lost while one broker is down.",
        shown="as in topics.yaml",
    )
    http: Address | None = setting(
        listen_on,
        "Address for metrics and health, `host:port`; keep it internal. Set but empty: off.",
        Address("127.0.0.1", 8890),
        empty=True,
    )
    hunter_http: Address | None = setting(
        listen_on, "The same for the hunter. Set but empty: off.", Address("127.0.0.1", 8891), empty=True
    )
    dispatcher_http: Address | None = setting(
        listen_on, "The same for the dispatcher. Set but empty: off.", Address("127.0.0.1", 8892), empty=True
    )
    console_http: Address = setting(
        address,
        "Address of the console's API and pages. An address that other machines can reach needs TLS.",
        Address("127.0.0.1", 8893),
    )
    console_health: Address | None = setting(
        listen_on,
        "Address for the console's metrics and health; keep it internal. Set but empty: off.",
        Address("127.0.0.1", 8894),
        empty=True,
    )
    targets: tuple[Target, ...] = setting(
        program_addresses,
        "The programs whose metrics `forewarn top` and `forewarn doctor` read, wherever they run: `PROGRAM=HOST:PORT`, "
        "separated by commas, for example `worker=10.0.0.1:8890,worker=10.0.0.2:8890,dispatcher=10.0.0.3:8892`.",
        (),
        shown="one of each program, at its address in these settings",
    )
    console_tls_cert: Path | None = setting(existing_file, "PEM file of the console's certificate and its chain.")
    console_tls_key: Path | None = setting(existing_file, "PEM file of that certificate's key, not encrypted.")
    console_proxy: str | None = setting(
        hosts,
        "IP addresses or networks (separated by commas) of a proxy that does TLS for the console. The console trusts "
        "what the proxy says about the origin of a request.",
    )
    stall_seconds: float = setting(
        seconds,
        "The worker is unhealthy when it has records to read and has moved no offset for this many seconds.",
        60.0,
        shown="60",
    )
    state_when_missing: str = setting(
        one_of("refuse", "rebuild"),
        "When Redis holds no state although the group has read before: "
        "`refuse` to start, or `rebuild` it from what Kafka still keeps.",
        "refuse",
    )
    alerts_when_repeated: str = setting(
        one_of("withhold", "publish"),
        "When a new group, or a rebuilt state, decides about old records again: `withhold` the alerts that were "
        "published before, or `publish` them once more, for example to compare two runs.",
        "withhold",
    )
    ledger: str = setting(
        str,
        "Storage of the ledger of contacts: a folder, or an fsspec URL (`s3://bucket/folder`) whose package is "
        "installed. Set but empty: no ledger, so people reached before a number became known cannot be found.",
        ".forewarn/ledger",
        empty=True,
    )
    ledger_days: int = setting(
        positive_int, "Days for which contacts are kept; `forewarn ledger expire` deletes older ones.", 30, shown="30"
    )
    audit_log: Path = setting(
        Path,
        "The audit log, which records who did what: one file for a machine, one JSON line for each action.",
        make=lambda: Path(".forewarn/audit.jsonl"),
        shown=".forewarn/audit.jsonl",
    )
    users_file: Path = setting(
        Path,
        "File of the users and their roles; `forewarn users` writes it.",
        make=lambda: Path(".forewarn/users.json"),
        shown=".forewarn/users.json",
    )
    session_minutes: int = setting(
        positive_int, "Minutes without a request after which a user has to sign in again.", 30, shown="30"
    )
    log_format: str = setting(
        one_of("auto", "json", "console"),
        "`json`, `console`, or `auto`: `console` on a terminal, else `json`.",
        "auto",
    )
    log_level: str = setting(
        one_of("debug", "info", "warning", "error"), "`debug`, `info`, `warning` or `error`.", "info"
    )
    secret: str | None = setting(
        site_secret,
        "The site secret, 32 characters or more, the same for all programs: [security](security.md#the-site-secret).",
        secret=True,
        private=True,
    )
    audit_secret: tuple[str, ...] = setting(
        secrets,
        "Secrets of the audit log in place of the site secret, 32 characters or more each, one a line: the newest "
        "first, and below it the former ones: [access](access.md#another-key).",
        (),
        shown="the site secret",
        secret=True,
        private=True,
    )
    pseudonym_key: str | None = setting(
        secret_key,
        "Secret for the pseudonyms in the audit log and the hashes of account numbers, 16 characters or more. Only for "
        "a site that had one before it had a site secret; it must not change.",
        shown="derived from the site secret",
        secret=True,
    )
    letters_recipient: str | None = setting(
        recipients,
        "The public key (`age1…`) to which worker and dispatcher seal refused records, or several with commas: "
        "[security](security.md#dead-letters).",
        repeated=False,  # somebody may have put the private key here
    )
    export_recipient: str | None = setting(
        recipients,
        "The public key (`age1…`) to which commands seal the files that they write about people, or several with "
        "commas: [security](security.md#what-is-carried-away).",
        shown="that of `FOREWARN_LETTERS_RECIPIENT`",
        repeated=False,
    )

    def __post_init__(self) -> None:
        """Raise `SettingsError` for fields that do not fit together."""
        if (self.kafka_tls_cert is None) != (self.kafka_tls_key is None):
            raise SettingsError("FOREWARN_KAFKA_TLS_CERT and FOREWARN_KAFKA_TLS_KEY go together: set both or none")
        if self.kafka_tls_cert is not None and self.kafka_tls_ca is None:
            raise SettingsError("FOREWARN_KAFKA_TLS_CERT needs FOREWARN_KAFKA_TLS_CA (a PEM file, or: system)")
        if (self.console_tls_cert is None) != (self.console_tls_key is None):
            raise SettingsError("FOREWARN_CONSOLE_TLS_CERT and FOREWARN_CONSOLE_TLS_KEY go together: set both or none")
        login = (self.kafka_sasl_mechanism, self.kafka_sasl_username, self.kafka_sasl_password)
        if any(login) and not all(login):
            raise SettingsError(
                "FOREWARN_KAFKA_SASL_MECHANISM, _USERNAME and _PASSWORD go together: set all three or none"
            )
        if self.redis_tls_ca is not None and not self.redis.startswith("rediss"):
            raise SettingsError("FOREWARN_REDIS_TLS_CA is set, but FOREWARN_REDIS is not a rediss:// URL")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """The settings of these variables (default: the environment of this process).

        Raises :class:`SettingsError` with a line for every variable that is unknown or has a wrong value, and for every
        file of a secret that cannot be read; if there is none, for the first variables that do not fit together.
        Variables that do not begin with ``FOREWARN_`` are ignored, and so are ``FOREWARN_TEST_…`` and
        ``FOREWARN_DATA…``.
        """
        return cls(**values_of(cls, os.environ if environ is None else environ))

    def topic(self, name: str) -> str:
        """The name of a contract's topic on this site's cluster: with the site's prefix."""
        return self.topic_prefix + name

    def site_secret(self) -> str:
        """The site secret; raises :class:`SettingsError` when there is none."""
        if self.secret is None:
            raise SettingsError(MISSING)
        return self.secret

    def letters_key(self) -> str:
        """The public keys for dead letters; raises :class:`SettingsError` when there is none."""
        if self.letters_recipient is None:
            raise SettingsError(NO_LETTERS_KEY)
        return self.letters_recipient

    def export_key(self) -> str:
        """The public keys for files that are carried away; raises :class:`SettingsError` when there is none."""
        found = self.export_recipient or self.letters_recipient
        if found is None:
            raise SettingsError(NO_EXPORT_KEY)
        return found

    def derived_key(self, purpose: Purpose) -> bytes:
        """The key for a purpose, from the site secret; raises :class:`SettingsError` when there is none."""
        return key_of(self.site_secret(), purpose)

    def key_of_pseudonyms(self) -> str:
        """The key of pseudonyms; raises :class:`SettingsError` when there is neither that key nor a site secret."""
        return self.pseudonym_key or self.derived_key("pseudonyms").hex()

    def audit_keys(self) -> AuditKeys:
        """The keys of the audit log, the newest first; raises :class:`SettingsError` when there is no secret for one.

        The site secret, and the key of pseudonyms that a site had before it, stay known beside newer secrets.
        """
        former = self.pseudonym_key or ""
        keys = [audit_key(each) for each in self.audit_secret]
        keys += [audit_key(self.secret, former)] if self.secret else []
        keys += [audit_key(former, former)] if former else []
        if not keys:
            raise SettingsError(MISSING)
        return keys

    @property
    def redis_shown(self) -> str:
        """The Redis URL without user and password, for messages."""
        url = urlsplit(self.redis)
        host = url.netloc.rpartition("@")[2]
        return f"{url.scheme}://{host}{url.path}"

    def kafka_options(self) -> dict[str, Any]:
        """Keyword arguments for every client of kafka-python: servers, TLS and SASL.

        Raises :class:`SettingsError` when a certificate cannot be used.
        """
        options: dict[str, Any] = {"bootstrap_servers": self.kafka.split(",")}
        context = self.kafka_ssl_context()
        protocol = "PLAINTEXT" if context is None else "SSL"
        if context is not None:
            options["ssl_context"] = context
        if self.kafka_sasl_mechanism is not None:
            protocol = "SASL_PLAINTEXT" if context is None else "SASL_SSL"
            options["sasl_mechanism"] = self.kafka_sasl_mechanism
            options["sasl_plain_username"] = self.kafka_sasl_username
            options["sasl_plain_password"] = self.kafka_sasl_password
        return {**options, "security_protocol": protocol}

    def aiokafka_options(self) -> dict[str, Any]:
        """The same for aiokafka, whose clients take the same names once TLS is given as an SSL context."""
        return self.kafka_options()

    def consumer_options(self) -> dict[str, Any]:
        """The options of every consumer of aiokafka: it reads only what was committed.

        Carriers may write in transactions (Kafka Connect, Flink and Kafka Streams do), and what they abort was never
        said.
        """
        return {**self.aiokafka_options(), "isolation_level": "read_committed"}

    def kafka_ssl_context(self) -> ssl.SSLContext | None:
        """The TLS context for Kafka: host names checked, the client's certificate loaded; None without TLS.

        Raises :class:`SettingsError` when a file holds no certificate or the key does not belong to it.
        """
        if self.kafka_tls_ca is None:
            return None
        variable = "FOREWARN_KAFKA_TLS_CA"
        try:
            context = ssl.create_default_context(cafile=None if self.kafka_tls_ca == "system" else self.kafka_tls_ca)
            variable = "FOREWARN_KAFKA_TLS_CERT or FOREWARN_KAFKA_TLS_KEY"
            if self.kafka_tls_cert is not None:
                # An empty password instead of OpenSSL's prompt, which would hang a service.
                context.load_cert_chain(self.kafka_tls_cert, self.kafka_tls_key, password="")
        except (OSError, ValueError) as error:
            raise SettingsError(f"{variable} cannot be used: {error}; use PEM files that belong together") from None
        return context

    def redis_options(self) -> dict[str, Any]:
        """Keyword arguments for redis-py's ``from_url``, in addition to the URL."""
        return {} if self.redis_tls_ca is None else {"ssl_ca_certs": str(self.redis_tls_ca)}
