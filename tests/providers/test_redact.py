"""Keys never leave the provider layer, whoever repeats them."""

from __future__ import annotations

import pytest

from providers.redact import provider_words, without_keys


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


def test_words_of_a_provider_become_one_bounded_line() -> None:
    assert provider_words("a\n\tb\x00c") == "a b c"
    assert len(provider_words("x" * 5000)) == 601
