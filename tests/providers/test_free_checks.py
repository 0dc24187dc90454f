"""A free check says that a key is good only where the provider's own answer says so, never where a web page answers."""

from __future__ import annotations

import orjson
import pytest

from providers.adapter import Reply
from providers.adapters import ADAPTERS
from providers.errors import InvalidKey, MalformedReply

OTHERS = [b"<html>Login</html>", b"", b"{}", b"[]", b"null", b'{"data": null}', b'{"available": null}', b'{"ok": true}']
OTHERS += [b'{"type": "about:blank", "status": 401, "detail": "no"}']


@pytest.mark.parametrize("body", OTHERS)
@pytest.mark.parametrize("name", ["openai", "lumenfall", "replicate"])
def test_an_answer_that_is_not_the_providers_own_proves_nothing(name: str, body: bytes) -> None:
    with pytest.raises(MalformedReply, match="nobody knows whether the key is good") as raised:
        ADAPTERS[name].parse_check(Reply(200, {}, body))
    assert not raised.value.may_have_been_billed


@pytest.mark.parametrize("name", ["openai", "lumenfall", "compatible"])
def test_an_error_with_a_good_status_proves_nothing(name: str) -> None:
    with pytest.raises(MalformedReply, match="nobody knows"):
        ADAPTERS[name].parse_check(Reply(200, {}, b'{"error": {"message": "Not now.", "code": "x"}}'))


@pytest.mark.parametrize(("name", "code"), [("openai", "invalid_api_key"), ("lumenfall", "AUTHENTICATION_FAILED")])
def test_a_refused_key_is_refused_whatever_the_status(name: str, code: str) -> None:
    with pytest.raises(InvalidKey):
        ADAPTERS[name].parse_check(Reply(200, {}, orjson.dumps({"error": {"message": "no", "code": code}})))


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("openai", {"data": []}, "The key is good."),
        ("lumenfall", {"object": "balance"}, "The key is good."),
        ("replicate", {"type": "user"}, "The key is good."),
        ("replicate", {"username": "who"}, "Signed in as who."),
    ],
)
def test_the_shape_is_enough(name: str, body: object, words: str) -> None:
    status = ADAPTERS[name].parse_check(Reply(200, {}, orjson.dumps(body)))
    assert (status.words, status.is_tested) == (words, True)
