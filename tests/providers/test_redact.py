"""Keys never leave the provider layer, whoever repeats them."""

from __future__ import annotations

import json

import pytest

from providers.redact import bytes_without_key, provider_words, with_halves, without_keys
from providers.rows import CATALOG
from providers.transport import Access


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-proj-abcdefgh12345678.",
        "Authorization: Bearer abcdefghij0123456789",
        "https://x.invalid/?api_key=abcdef&y=1",
        "token r8_abcdefghij1234567890",
        "hf_abcdefghijklmnop",
    ],
)
def test_what_looks_like_a_key_is_hidden(text: str) -> None:
    cleaned = without_keys(text)
    assert "abcdef" not in cleaned
    assert "[hidden]" in cleaned


def test_a_known_key_is_hidden_whatever_it_looks_like() -> None:
    assert without_keys("you sent plain-word-key", "plain-word-key") == "you sent [hidden]"


def test_a_word_that_merely_ends_in_sk_is_no_key() -> None:
    assert without_keys("a task-oriented, risk-averse fox") == "a task-oriented, risk-averse fox"


@pytest.mark.parametrize(
    ("key", "texts"),
    [("id-1234:secret-5678", ("id-1234:secret-5678", "secret-5678")), ("plain-key", ("plain-key",)), ("a:b", ("a:b",))],
)
def test_the_secret_half_of_a_key_is_hidden_too(key: str, texts: tuple[str, ...]) -> None:
    assert with_halves(key) == texts
    access = Access(CATALOG.provider("fal"), "https://queue.fal.run", key, {"openai": "oa:other-secret"})
    for text in (*texts, "other-secret"):
        assert text not in access.clean_text(f"no {text}")
        assert text.encode() not in access.clean(f'{{"detail": "no {text}"}}'.encode())


def test_words_of_a_provider_become_one_bounded_line() -> None:
    assert provider_words("a\n\tb\x00c") == "a b c"
    assert len(provider_words("x" * 5000)) == 601


@pytest.mark.parametrize("key", ["sk_plain-0123", 'weird"key\\with/all', "schlüssel-🔑-0123"])
def test_a_key_is_hidden_in_every_way_json_can_write_it(key: str) -> None:
    units = key.encode("utf-16-be").hex(" ", 2).upper().split()
    every = "".join(rf"\u{unit}" for unit in units)
    some = rf"\u{units[0].lower()}" + json.dumps(key[1:])[1:-1]
    for written in (
        json.dumps(key)[1:-1],
        json.dumps(key, ensure_ascii=False)[1:-1],
        every,
        some,
        some.replace("/", r"\/"),
    ):
        text = f'{{"detail": "no {written} here", "path": "a\\\\b"}}'
        assert json.loads(text)["detail"] == f"no {key} here"
        assert json.loads(bytes_without_key(text.encode(), key)) == {"detail": "no [hidden] here", "path": "a\\b"}
