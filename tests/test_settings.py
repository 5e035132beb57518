"""The settings: values from the environment, values that are refused and how, and the reference page."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from streams.sealing import new_keys
from streams.setting_fields import SettingsError
from streams.setting_values import Address, beside
from streams.settings import Settings
from streams.settings_page import page

ROOT = Path(__file__).parent.parent
SECRET = "a secret that only the tests know"


@pytest.fixture
def pem(tmp_path: Path) -> str:
    """The path of a file that could be a certificate."""
    path = tmp_path / "ca.pem"
    path.write_text("not a certificate", encoding="utf-8")
    return str(path)


def test_without_any_variable_it_is_the_stack_on_this_machine() -> None:
    """The defaults are those of `forewarn up`."""
    settings = Settings.from_environ({"PATH": "/bin", "HOME": "/"})

    assert settings.kafka == "127.0.0.1:9092"
    assert settings.redis == "redis://127.0.0.1:6379/0"
    assert settings.topics_file.samefile(ROOT / "topics.yaml")
    assert settings.http == Address("127.0.0.1", 8890)
    assert settings.kafka_options() == {
        "bootstrap_servers": ["127.0.0.1:9092"],
        "security_protocol": "PLAINTEXT",
    }


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("KAFKA", "a:1, b:2", "a:1,b:2"),
        ("KAFKA", "[::1]:9092", "[::1]:9092"),
        ("REDIS", "rediss://u:p@cache:6380/1", "rediss://u:p@cache:6380/1"),
        ("REDIS", "redis://a:7000,b:7000,[::1]:7000/0", "redis://a:7000,b:7000,[::1]:7000/0"),
        ("REDIS", "rediss+sentinel://:p@a:26379,b/city/1", "rediss+sentinel://:p@a:26379,b/city/1"),
        ("GROUP", "city-7", "city-7"),
        ("INSTANCE", "worker.1", "worker.1"),
        ("TOPIC_PREFIX", "city7.", "city7."),
        ("TOPICS_FILE", "elsewhere.yaml", Path("elsewhere.yaml")),
        ("POLICY_FILE", "/etc/policy.yaml", Path("/etc/policy.yaml")),
        ("REPLICATION", "3", 3),
        ("HTTP", "0.0.0.0:80", Address("0.0.0.0", 80)),  # noqa: S104
        ("HTTP", "", None),
        ("CONSOLE_HTTP", "[::1]:443", Address("::1", 443)),
        ("CONSOLE_HEALTH", "", None),
        ("CONSOLE_PROXY", "10.0.0.1, 10.1.0.0/16,::1", "10.0.0.1,10.1.0.0/16,::1"),
        ("LOG_FORMAT", "json", "json"),
        ("LOG_LEVEL", "debug", "debug"),
        ("STATE_WHEN_MISSING", "rebuild", "rebuild"),
        ("ALERTS_WHEN_REPEATED", "publish", "publish"),
        ("STALL_SECONDS", "2.5", 2.5),
        ("PSEUDONYM_KEY", "0123456789abcdef", "0123456789abcdef"),
        ("SECRET", "0123456789abcdef" * 2, "0123456789abcdef" * 2),
        ("KAFKA_TLS_CA", "system", "system"),
    ],
)
def test_a_variable_sets_its_field(variable: str, text: str, value: object) -> None:
    """The value has the field's own type."""
    settings = Settings.from_environ({f"FOREWARN_{variable}": text})

    assert getattr(settings, variable.lower()) == value


@pytest.mark.parametrize(
    ("variable", "text", "takes"),
    [
        ("KAFKA", "kafka", "host:port"),
        ("KAFKA", "kafka:0", "a port from 1 to 65535"),
        ("KAFKA", "a:1,,b:2", "host:port"),
        ("KAFKA", "::1:9092", "host:port"),
        ("REDIS", "http://cache", "redis:// or rediss://"),
        ("REDIS", "redis://cache:many", "redis:// or rediss://"),
        ("REDIS", "redis://a:7000,,b:7000/0", "redis:// or rediss://"),
        ("REDIS", "redis+sentinel://a:26379", "redis:// or rediss://"),
        ("REDIS", "redis+cluster://a:7000", "redis:// or rediss://"),
        ("GROUP", "a b", "letters, digits"),
        ("TOPIC_PREFIX", "city/7", "letters, digits"),
        ("REPLICATION", "0", "a whole number above 0"),
        ("REPLICATION", "²", "a whole number above 0"),
        ("HTTP", "8890", "host:port"),
        ("CONSOLE_PROXY", "proxy", "IP addresses or networks"),
        ("CONSOLE_TLS_CERT", "/nowhere.pem", "the path of an existing file"),
        ("LOG_FORMAT", "xml", "auto or json or console"),
        ("LOG_LEVEL", "loud", "debug or info or warning or error"),
        ("STATE_WHEN_MISSING", "ignore", "refuse or rebuild"),
        ("STALL_SECONDS", "nan", "a number of seconds above 0"),
        ("STALL_SECONDS", "soon", "a number of seconds above 0"),
        ("PSEUDONYM_KEY", "short", "at least 16 characters"),
        ("SECRET", "0123456789abcdef", "at least 32 characters"),
        ("KAFKA_TLS_CA", "/nowhere.pem", "the path of an existing file"),
        ("KAFKA_SASL_MECHANISM", "GSSAPI", "PLAIN or SCRAM-SHA-256 or SCRAM-SHA-512"),
        ("KAFKA_SASL_PASSWORD_FILE", "/nowhere", "cannot be read"),
    ],
)
def test_a_wrong_value_names_its_variable_and_what_it_takes(variable: str, text: str, takes: str) -> None:
    """One sentence that is enough to correct it."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({f"FOREWARN_{variable}": text})

    assert str(caught.value).startswith(f"FOREWARN_{variable}")
    assert takes in str(caught.value)


def test_an_unknown_variable_is_refused_with_the_nearest_name() -> None:
    """A typing mistake must not pass for a setting."""
    with pytest.raises(SettingsError, match="FOREWARN_REDDIS is not a setting; did you mean FOREWARN_REDIS"):
        Settings.from_environ({"FOREWARN_REDDIS": "redis://127.0.0.1"})


def test_all_mistakes_are_named_at_once() -> None:
    """A single start reports all of them."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({"FOREWARN_NOTHING_LIKE_IT": "1", "FOREWARN_KAFKA": "x", "FOREWARN_HTTP": "y"})

    assert len(str(caught.value).splitlines()) == 3


def test_variables_of_the_tests_are_left_alone() -> None:
    """They share the prefix but are not settings."""
    Settings.from_environ({"FOREWARN_TEST_KAFKA": "x", "FOREWARN_DATA": "/data"})


def test_an_empty_variable_counts_as_not_set() -> None:
    """Compose files pass an empty text for a variable that was not set."""
    assert Settings.from_environ({"FOREWARN_KAFKA": "", "FOREWARN_REPLICATION": ""}).kafka == "127.0.0.1:9092"


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    """Container secrets come this way. The line end that an editor adds is not part of the secret."""
    path = tmp_path / "key"
    path.write_text("0123456789abcdef\n", encoding="utf-8")

    assert Settings.from_environ({"FOREWARN_PSEUDONYM_KEY_FILE": str(path)}).pseudonym_key == "0123456789abcdef"
    with pytest.raises(SettingsError, match="not both"):
        Settings.from_environ({"FOREWARN_PSEUDONYM_KEY_FILE": str(path), "FOREWARN_PSEUDONYM_KEY": "fedcba9876543210"})


def test_no_secret_is_ever_shown() -> None:
    """Not in the repr, not in the values shown in messages, and not in an error about the secret."""
    login = {"kafka_sasl_mechanism": "PLAIN", "kafka_sasl_username": "u", "kafka_sasl_password": "hush"}
    keys = {"pseudonym_key": "hush" * 4, "secret": "hush" * 8}
    settings = Settings(redis="redis://u:hush@cache:6379/0?password=hush", **keys, **login)  # type: ignore[arg-type]

    assert "hush" not in repr(settings)
    assert settings.redis_shown == "redis://cache:6379/0"
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({"FOREWARN_REDIS": "http://u:hush@cache", "FOREWARN_PSEUDONYM_KEY": "hush"})
    assert "hush" not in str(caught.value)


def test_a_private_key_that_is_given_for_the_public_one_is_refused_and_not_repeated() -> None:
    """The message ends up in logs."""
    private = new_keys().identity.splitlines()[-1]
    with pytest.raises(SettingsError, match=r"FOREWARN_LETTERS_RECIPIENT takes public keys of age") as caught:
        Settings.from_environ({"FOREWARN_LETTERS_RECIPIENT": private})

    assert private not in str(caught.value)


def test_several_public_keys_are_taken_with_or_without_blanks() -> None:
    one, other = new_keys().recipient, new_keys().recipient

    settings = Settings.from_environ({"FOREWARN_LETTERS_RECIPIENT": f" {one}, {other}"})

    assert settings.letters_key() == f"{one},{other}"


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o601])
def test_a_site_secret_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    """One sentence with the file and the remedy."""
    path = tmp_path / "site.secret"
    path.write_text(SECRET, encoding="ascii")
    path.chmod(mode)

    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({"FOREWARN_SECRET_FILE": str(path)})
    assert str(caught.value) == (
        f"FOREWARN_SECRET_FILE is refused: others may use {path} (mode {mode:04o}): run chmod 600 on it"
    )


def test_a_site_secret_that_only_its_owner_may_read_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "site.secret"
    path.write_text(SECRET + "\n", encoding="ascii")
    path.chmod(0o600)

    assert Settings.from_environ({"FOREWARN_SECRET_FILE": str(path)}).secret == SECRET


def test_a_site_secret_that_is_missing_is_said_in_one_sentence(tmp_path: Path) -> None:
    """Where the file should be, and what to do where there is none."""
    with pytest.raises(SettingsError, match=r"^FOREWARN_SECRET_FILE cannot be read: No such file"):
        Settings.from_environ({"FOREWARN_SECRET_FILE": str(tmp_path / "nothing")})
    with pytest.raises(SettingsError, match=r"openssl rand -hex 32 > FILE.*FOREWARN_SECRET_FILE"):
        Settings().derived_key("ids")


def test_pseudonyms_are_keyed_by_the_site_secret_unless_the_site_had_a_key_before() -> None:
    """Without either there is no key, and nothing that needs one is done: a fixed default would be no secret at all."""
    derived = Settings(secret=SECRET).key_of_pseudonyms()

    assert derived == Settings(secret=SECRET).key_of_pseudonyms() != Settings(secret=SECRET * 2).key_of_pseudonyms()
    assert Settings(secret=SECRET, pseudonym_key="0123456789abcdef").key_of_pseudonyms() == "0123456789abcdef"
    with pytest.raises(SettingsError, match="FOREWARN_SECRET_FILE"):
        Settings().key_of_pseudonyms()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kafka_tls_cert": Path("c.pem")}, "KAFKA_TLS_KEY go together"),
        ({"console_tls_key": Path("k.pem")}, "CONSOLE_TLS_KEY go together"),
        ({"kafka_tls_cert": Path("c.pem"), "kafka_tls_key": Path("k.pem")}, "needs FOREWARN_KAFKA_TLS_CA"),
        ({"kafka_sasl_username": "u", "kafka_sasl_password": "p"}, "all three or none"),
        ({"redis_tls_ca": Path("c.pem")}, "is not a rediss:// URL"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(fields: dict[str, Any], words: str) -> None:
    """An incomplete login must not pass for no login."""
    with pytest.raises(SettingsError, match=words):
        Settings(**fields)


@pytest.mark.parametrize(
    ("tls", "login", "protocol"),
    [
        (False, False, "PLAINTEXT"),
        (True, False, "SSL"),
        (False, True, "SASL_PLAINTEXT"),
        (True, True, "SASL_SSL"),
    ],
)
def test_the_security_protocol_follows_from_what_is_set(tls: bool, login: bool, protocol: str) -> None:
    """Both client libraries take the same options."""
    settings = Settings(
        kafka_tls_ca="system" if tls else None,
        kafka_sasl_mechanism="SCRAM-SHA-512" if login else None,
        kafka_sasl_username="u" if login else None,
        kafka_sasl_password="p" if login else None,
    )
    options = settings.kafka_options()

    assert options["security_protocol"] == protocol
    assert ("ssl_context" in options) == tls
    assert options.get("sasl_plain_password") == ("p" if login else None)
    assert settings.aiokafka_options().keys() == options.keys()
    if tls:
        assert options["ssl_context"].check_hostname


def test_a_file_that_is_no_certificate_names_its_variable(pem: str) -> None:
    """OpenSSL's own message does not name the file."""
    settings = Settings.from_environ({"FOREWARN_KAFKA_TLS_CA": pem})

    with pytest.raises(SettingsError, match="FOREWARN_KAFKA_TLS_CA cannot be used"):
        settings.kafka_options()


def test_redis_gets_its_authorities(pem: str) -> None:
    """Under the name that redis-py uses."""
    settings = Settings.from_environ({"FOREWARN_REDIS": "rediss://cache", "FOREWARN_REDIS_TLS_CA": pem})

    assert settings.redis_options() == {"ssl_ca_certs": pem}


def test_the_prefix_is_put_before_a_topic() -> None:
    """Several sites can share a cluster."""
    assert Settings(topic_prefix="city7.").topic("calls") == "city7.calls"
    assert Settings().topic("calls") == "calls"


def test_a_file_in_the_working_directory_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site's own contracts take precedence over those that ship with Forewarn."""
    (tmp_path / "topics.yaml").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    assert beside("topics.yaml") == Path("topics.yaml")
    assert beside("policy.yaml").samefile(ROOT / "policy.yaml")
    assert not beside("nothing.yaml").exists()


def test_settings_cannot_be_changed() -> None:
    """They are read once."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().kafka = "x:1"  # type: ignore[misc]


def test_the_page_is_what_the_fields_say() -> None:
    """To update the page: python -m streams.settings_page > docs/settings.md."""
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == page()
