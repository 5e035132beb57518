"""Prometheus: the machine's own, with the rules and jobs of the monitoring pack, for tests of a running site."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.local.ports import any_free_port

PACK = Path(__file__).parents[1] / "monitoring"
MISSING = (
    "There is no {} on the PATH, and the monitoring pack is tested with it: install it (Debian: apt-get install "
    "--no-install-recommends prometheus prometheus-alertmanager)."
)


def is_installed(command: str) -> bool:
    """Whether this machine has a command of Prometheus; where nothing may be left out (``CI``), a missing one fails."""
    if shutil.which(command) is None and os.environ.get("CI"):
        pytest.fail(MISSING.format(command))
    return shutil.which(command) is not None


class Prometheus:
    """A running Prometheus, asked over HTTP."""

    def __init__(self, address: str) -> None:
        self._address = address

    def ask(self, path: str, **parameters: str) -> Any:
        """The data of an answer of its API; None while it does not answer."""
        try:
            with urllib.request.urlopen(
                f"http://{self._address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=5
            ) as answer:
                return json.load(answer)["data"]
        except (OSError, urllib.error.URLError):
            return None

    def query(self, expression: str) -> list[dict[str, str]]:
        """The labels of the series that an expression has now."""
        return [each["metric"] for each in (self.ask("query", query=expression) or {"result": []})["result"]]

    def health_of_rules(self) -> set[str]:
        """The states of all rules: ``ok``, ``err``, or ``unknown`` before the first evaluation."""
        groups = (self.ask("rules") or {"groups": []})["groups"]
        return {rule["health"] for group in groups for rule in group["rules"]}


@contextmanager
def prometheus(folder: Path, targets: Mapping[str, str]) -> Iterator[Prometheus]:
    """Run Prometheus with the pack's configuration on these targets (``host:port``, by job); it looks every second."""
    config = yaml.safe_load((PACK / "prometheus.yaml").read_text(encoding="utf-8"))
    config["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [f"{PACK}/{each}" for each in config["rule_files"]]
    config["alerting"] = {}
    for job in config["scrape_configs"]:
        job["static_configs"] = [{"targets": [targets[job["job_name"]]]}]
    folder.mkdir()
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    address = f"127.0.0.1:{any_free_port()}"
    command = [
        "prometheus",
        f"--config.file={folder}/prometheus.yaml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address={address}",
        "--log.level=warn",
    ]
    with (
        (folder / "prometheus.log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as process,
    ):
        try:
            yield Prometheus(address)
        finally:
            process.terminate()
