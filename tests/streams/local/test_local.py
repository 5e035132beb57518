"""The local stack's parts that need no server: ports, process identities, the state file, jars and commands."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli.local import down
from streams.local import LocalStackError, broker, jars
from streams.local.ports import any_free_port, choose_port, is_free
from streams.local.process import Launch, ProcessId, Server, is_alive, start_time, terminate
from streams.local.stack import is_in_use, take_folder
from streams.local.state import Running, StackState, read_state, write_state

ROOT = Path(__file__).parents[3]
SLEEPER = (sys.executable, "-c", "import time; time.sleep(600)")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint(flush=True)\ntime.sleep(600)",
)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that sleeps for a long time."""
    with subprocess.Popen(SLEEPER) as process:
        yield process
        process.kill()


@pytest.fixture
def listener() -> Iterator[int]:
    """A port that is in use."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def identity(pid: int) -> ProcessId:
    """The identity of a running process."""
    started = start_time(pid)
    assert started is not None
    return ProcessId(pid, started)


def of_another(process: ProcessId) -> ProcessId:
    """The identity of an earlier process with the same pid."""
    return ProcessId(process.pid, process.started + "1")


def test_the_usual_port_is_taken_when_it_is_free() -> None:
    """On an idle machine nobody has to look up a port."""
    port = any_free_port()

    assert choose_port(None, usual=port) == port


def test_another_port_is_taken_when_the_usual_one_is_not_free(listener: int) -> None:
    """A second stack can start next to the first."""
    port = choose_port(None, usual=listener)

    assert port != listener
    assert is_free(port)


def test_zero_asks_for_any_port_but_the_usual() -> None:
    """Tests that run at the same time never meet on the usual port."""
    usual = any_free_port()

    assert choose_port(0, usual=usual) != usual


def test_a_port_that_was_asked_for_and_is_taken_is_refused(listener: int) -> None:
    """A port that the operator named is never silently replaced by another."""
    with pytest.raises(LocalStackError, match=f"Port {listener} on 127.0.0.1 is taken"):
        choose_port(listener, usual=9092)


def test_a_process_is_known_by_pid_and_start(sleeper: subprocess.Popen[bytes]) -> None:
    """The same pid with another start time is another process."""
    process = identity(sleeper.pid)

    assert is_alive(process)
    assert not is_alive(of_another(process))


def test_an_ended_child_is_not_alive_before_it_is_reaped(sleeper: subprocess.Popen[bytes]) -> None:
    """A zombie does not count as running, so nothing waits for it for ever."""
    process = identity(sleeper.pid)
    os.kill(sleeper.pid, signal.SIGKILL)
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)

    assert not is_alive(process)


def test_terminate_spares_a_process_that_has_inherited_the_pid(sleeper: subprocess.Popen[bytes]) -> None:
    """A reused pid belongs to another process."""
    terminate([of_another(identity(sleeper.pid))])

    assert sleeper.poll() is None


def test_terminate_ends_a_frozen_process(sleeper: subprocess.Popen[bytes]) -> None:
    """SIGTERM alone would have no effect until the process is resumed."""
    os.kill(sleeper.pid, signal.SIGSTOP)
    terminate([identity(sleeper.pid)], patience=20)

    assert sleeper.wait(5) == -signal.SIGTERM


def test_terminate_uses_force_on_a_process_that_does_not_listen() -> None:
    """A server that ignores SIGTERM is killed when the patience runs out."""
    with subprocess.Popen(STUBBORN, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        terminate([identity(process.pid)], patience=0.2)

        assert process.wait(5) == -signal.SIGKILL


def test_a_server_that_ends_while_starting_is_reported_with_its_last_words(tmp_path: Path) -> None:
    """The message quotes the server's last output and says where the rest is."""
    server = Server(
        Launch(
            name="Kafka",
            command=(sys.executable, "-c", "raise SystemExit('no disk left')"),
            folder=tmp_path,
            log=tmp_path / "console.log",
            answers=lambda: False,
        )
    )
    server.start()

    with pytest.raises(LocalStackError, match=r"Kafka ended while it was starting: no disk left .*console\.log"):
        server.wait(30)


def test_a_server_that_stays_silent_is_reported(tmp_path: Path) -> None:
    """Nothing waits for ever."""
    server = Server(Launch("Valkey", SLEEPER, tmp_path, tmp_path / "log", answers=lambda: False))
    server.start()
    try:
        with pytest.raises(LocalStackError, match="Valkey did not answer within 0 s"):
            server.wait(0.1)
    finally:
        server.stop()


def test_the_guard_ends_what_a_killed_program_leaves(tmp_path: Path) -> None:
    """A program killed by SIGKILL cannot clean up, so another process does."""
    script = (
        "import subprocess, sys, time\n"
        "from streams.local.guard import Guard\n"
        "from streams.local.process import ProcessId, start_time\n"
        "sleep = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
        "child = subprocess.Popen(sleep, start_new_session=True, stdout=subprocess.DEVNULL)\n"
        "guard = Guard()\n"
        "guard.watch(ProcessId(child.pid, start_time(child.pid)))\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT) as program:
        assert program.stdout is not None
        orphan = identity(int(program.stdout.readline()))
        program.kill()
    deadline = time.monotonic() + 20
    while is_alive(orphan) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert not is_alive(orphan)


def test_the_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    """``down`` finds what ``up`` left."""
    state = StackState("127.0.0.1:9092", "redis://127.0.0.1:6379/0", ProcessId(1, "a"), ProcessId(2, "b"))
    write_state(tmp_path, state)

    assert read_state(tmp_path) == state
    assert [path.name for path in tmp_path.iterdir()] == ["stack.json"]


@pytest.mark.parametrize("name", ["Kafka", "Valkey", "worker"])
def test_a_part_that_was_started_again_takes_the_place_of_the_one_that_ended(name: str) -> None:
    """``down`` ends the process that runs now."""
    state = StackState(
        "k:1", "r:1", ProcessId(1, "a"), ProcessId(2, "b"), {"worker": Running(ProcessId(3, "c"), "h:1")}
    )
    after = state.restarted(name, ProcessId(9, "z"))

    assert after.running() == state.running() | {name: ProcessId(9, "z")}
    assert after.services["worker"].http == "h:1"


def test_a_folder_without_state_has_none(tmp_path: Path) -> None:
    """Nothing runs where nothing was started."""
    assert read_state(tmp_path) is None


def test_a_state_that_forewarn_did_not_write_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """No pid is taken from a file of the wrong form."""
    (tmp_path / "stack.json").write_text('{"broker": 12}')

    with pytest.raises(LocalStackError, match=r"stack\.json cannot be read .* delete the file"):
        read_state(tmp_path)


def test_down_spares_a_process_that_has_inherited_a_pid(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    """After a reboot the pids in stack.json may belong to other processes."""
    stale = of_another(identity(sleeper.pid))
    write_state(
        tmp_path, StackState("127.0.0.1:1", "redis://127.0.0.1:1/0", stale, stale, {"worker": Running(stale, "")})
    )
    result = CliRunner().invoke(down, ["--folder", str(tmp_path)])

    assert result.exit_code == 0
    assert sleeper.poll() is None
    assert not (tmp_path / "stack.json").exists()


def test_down_where_nothing_runs_is_no_error(tmp_path: Path) -> None:
    """Down describes the wanted state, which already holds."""
    result = CliRunner().invoke(down, ["--folder", str(tmp_path / "none"), "--delete"])

    assert result.exit_code == 0
    assert "Nothing is running" in result.stderr


def test_down_delete_leaves_files_that_are_not_the_stacks(tmp_path: Path) -> None:
    """An operator's own folder loses only the stack's files."""
    os.close(take_folder(tmp_path))
    (tmp_path / "kafka" / "data").mkdir(parents=True)
    (tmp_path / "notes.txt").write_text("mine")
    CliRunner().invoke(down, ["--folder", str(tmp_path), "--delete"])

    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_down_delete_touches_nothing_where_no_stack_has_run(tmp_path: Path) -> None:
    """With a wrong ``--folder``, a folder that happens to be called kafka is not deleted."""
    (tmp_path / "kafka").mkdir()
    CliRunner().invoke(down, ["--folder", str(tmp_path), "--delete"])

    assert (tmp_path / "kafka").is_dir()


def test_a_folder_serves_one_stack_at_a_time(tmp_path: Path) -> None:
    """Two servers on the same data would destroy it."""
    lock = take_folder(tmp_path)
    try:
        assert is_in_use(tmp_path)
        with pytest.raises(LocalStackError, match=r"runs in .* already"):
            take_folder(tmp_path)
    finally:
        os.close(lock)

    assert not is_in_use(tmp_path)


def test_the_broker_listens_on_loopback_only() -> None:
    """A broker of tests asks for no password, so no other machine on the network may reach it."""
    lines = broker.server_properties(9092, 9093).splitlines()
    listeners = next(line for line in lines if line.startswith("listeners=")).removeprefix("listeners=")

    assert {part.split("://")[1].split(":")[0] for part in listeners.split(",")} == {"127.0.0.1"}


def test_cached_jars_need_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second start works without a network, for example on a train."""
    monkeypatch.setattr(jars, "_download", lambda repository: pytest.fail("went to the network"))
    cached = tmp_path / f"kafka-{jars.KAFKA_VERSION}"
    cached.mkdir()

    assert jars.kafka_jars(tmp_path) == cached


def test_a_failed_download_is_a_sentence_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An incomplete Kafka in the cache would break every later start."""

    def fail(repository: Path) -> list[Path]:
        repository.mkdir()
        (repository / "half.jar").write_bytes(b"PK")
        raise OSError("the network is unreachable\nand so on")

    monkeypatch.setattr(jars, "_download", fail)
    told: list[str] = []
    with pytest.raises(LocalStackError, match=r"could not be fetched .* try again") as caught:
        jars.kafka_jars(tmp_path, told.append)

    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    assert len(told) == 1


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_392"', 8),
        ('openjdk version "25" 2025-09-16', 25),
        ("Unable to locate a Java Runtime.", 0),
    ],
)
def test_the_version_of_a_java_is_read_from_its_own_words(tmp_path: Path, said: str, version: int) -> None:
    """Old and new version numbers of Java, and macOS's placeholder."""
    java = tmp_path / "java"
    java.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
    java.chmod(0o755)

    assert jars.java_version(str(java)) == version


def test_a_java_that_is_too_old_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the Java that was found and says what to do."""
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(LocalStackError, match=r"Java 17 or later and this machine has only Java 11 .*pip install"):
        jars.find_java()


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_says_when_there_is_no_python_that_will_do(tmp_path: Path) -> None:
    """On a bare machine the user gets one sentence, not a page of output from make."""
    for name in ("Makefile", "setup.cfg", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    make, shell = shutil.which("make"), shutil.which("sh")
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "sh").symlink_to(str(shell))
    done = subprocess.run(
        [str(make), "test"],
        cwd=tmp_path,
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert "Forewarn needs Python 3.11 or later" in done.stderr
