"""Settings out of the environment, and keys that never show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from playground.addresses import SettingsError
from playground.keys import MAX_OWNERS, SESSION_KEY_LIFE_S, KeyRing
from playground.settings import Secret, Settings, clean_key
from providers.rows import CATALOG

OPENAI = CATALOG.provider("openai")
KEY = "sk-abcdefgh12345678"


def test_nothing_set_is_a_local_app() -> None:
    settings = Settings.from_env({}, CATALOG)
    assert (settings.mode, settings.host, settings.port, settings.demo) == ("local", "127.0.0.1", 7860, True)
    assert settings.keys == {}


def test_a_space_is_public_by_itself() -> None:
    settings = Settings.from_env({"SPACE_ID": "a/b", "SPACE_HOST": "a-b.hf.space"}, CATALOG)
    assert (settings.mode, settings.host) == ("public", "0.0.0.0")
    assert settings.allowed_hosts == ("a-b.hf.space",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DIPTYCH_MODE", "open"),
        ("DIPTYCH_PORT", "80a"),
        ("DIPTYCH_PORT", "70000"),
        ("DIPTYCH_DEMO", "perhaps"),
        ("OPENAI_BASE_URL", "ftp://x"),
        ("OPENAI_BASE_URL", "https://user:secret@x/v1"),
        ("OPENAI_API_KEY", "two words in it"),
        ("DIPTYCH_PORT", "9" * 5000),
    ],
)
def test_a_value_that_cannot_be_used_is_named_but_a_key_never_quoted(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.from_env({name: value}, CATALOG)
    assert name in str(raised.value)
    assert "two words" not in str(raised.value)


@pytest.mark.parametrize(
    "value",
    [
        "sk-pasted-key-instead",
        "sk-pasted-key-instead.example/v1",
        "http://[::1/sk-pasted-key-instead",
        "http://[::1]sk-pasted-key-instead/v1",
        "http://example.com:99999/sk-pasted-key-instead",
        "http://example.com:sk-pasted-key-instead/v1",
        "http://example.com:0/sk-pasted-key-instead",
        "https://user:sk-pasted-key-instead@example.com/v1",
        "https://sk-pasted-key-instead@example.com/v1",
        "https://example.com/v1?api-key=sk-pasted-key-instead",
        "https://example.com/v1#sk-pasted-key-instead",
        "https://example.com/v1?",
        "https://example .com/sk-pasted-key-instead",
        "https://example..com/sk-pasted-key-instead",
        "https://ex\udcffample.com/sk-pasted-key-instead",
        "https:///sk-pasted-key-instead",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_and_never_quoted(value: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.from_env({"OPENAI_BASE_URL": value}, CATALOG)
    assert raised.value.variable == "OPENAI_BASE_URL"
    assert "OPENAI_BASE_URL" in str(raised.value)
    assert "pasted" not in str(raised.value)
    assert "example" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


@pytest.mark.parametrize("value", ["https://proxy.example.com/openai/v1", "http://[::1]:8080/v1", "http://box:8080/v1"])
def test_an_address_of_any_server_is_taken_as_it_is(value: str) -> None:
    assert Settings.from_env({"OPENAI_BASE_URL": value}, CATALOG).base_urls == {"openai": value}


def test_addresses_lose_their_slash_and_keys_their_spaces() -> None:
    settings = Settings.from_env({"OPENAI_BASE_URL": "http://127.0.0.1:1/v1/", "OPENAI_API_KEY": f" {KEY}\n"}, CATALOG)
    assert settings.base_urls == {"openai": "http://127.0.0.1:1/v1"}
    assert settings.keys["openai"].reveal() == KEY


def test_a_secret_never_prints() -> None:
    settings = Settings.from_env({"OPENAI_API_KEY": KEY}, CATALOG)
    assert KEY not in repr(settings)
    assert KEY not in f"{Secret(KEY)!s} {Secret(KEY)!r}"


@pytest.mark.parametrize(
    "text", ["", "short", "with space in it", "line\nbreak-12345", "x" * 513, "schlüssel-12345678"]
)
def test_what_is_no_key_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(SettingsError) as raised:
        clean_key(text)
    if text:
        assert text not in str(raised.value)


def test_a_typed_key_goes_before_the_servers_and_ends_by_itself() -> None:
    now = [0.0]
    ring = KeyRing(replace(Settings(), keys={"openai": Secret("sk-server-12345678")}), monotonic=lambda: now[0])
    ring.put(OPENAI, "someone", KEY)
    found, other = ring.find(OPENAI, "someone"), ring.find(OPENAI, "another")
    assert found is not None
    assert other is not None
    assert (found.source, other.source) == ("session", "server")
    now[0] = SESSION_KEY_LIFE_S
    late = ring.find(OPENAI, "someone")
    assert late is not None
    assert late.source == "server"


def test_visitors_of_a_public_app_never_get_the_servers_key() -> None:
    ring = KeyRing(replace(Settings(), mode="public", keys={"openai": Secret(KEY)}))
    assert ring.find(OPENAI, "visitor") is None
    ring.put(OPENAI, "visitor", KEY)
    assert ring.find(OPENAI, "visitor") is not None
    assert ring.find(OPENAI, "another visitor") is None
    assert ring.forget(OPENAI, "visitor")
    assert not ring.forget(OPENAI, "visitor")
    assert ring.find(OPENAI, "visitor") is None


def test_the_number_of_owners_with_keys_is_bounded() -> None:
    ring = KeyRing(Settings())
    for number in range(MAX_OWNERS + 10):
        ring.put(OPENAI, f"visitor {number}", KEY)
    assert sum(ring.find(OPENAI, f"visitor {number}") is not None for number in range(MAX_OWNERS + 10)) == MAX_OWNERS
