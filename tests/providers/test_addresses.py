"""Where a call goes that names a whole address: to the provider's own host and to no other, for the key goes along."""

from __future__ import annotations

import pytest

from providers.adapter import HttpCall
from providers.errors import MalformedReply
from providers.rows import CATALOG
from providers.transport import Access, address_of

FAL = CATALOG.provider("fal")
PATH = "/openai/gpt-image-2/requests/764c/status?logs=1"


def address(path: str, base_url: str, provider: str = "fal") -> str:
    return address_of(HttpCall("GET", path), Access(CATALOG.provider(provider), base_url, "id:secret"))


@pytest.mark.parametrize(
    ("provider", "base_url", "path", "expected"),
    [
        ("fal", FAL.base_url, FAL.base_url + PATH, FAL.base_url + PATH),
        ("fal", "https://proxy.example", "https://proxy.example" + PATH, "https://proxy.example" + PATH),
        # A proxy that passes fal's own addresses on.
        ("fal", "https://proxy.example", FAL.base_url + PATH, "https://proxy.example" + PATH),
        ("fal", "http://127.0.0.1:8080/fal", "https://queue.fal.run:443" + PATH, "http://127.0.0.1:8080/fal" + PATH),
        ("fal", "https://proxy.example/fal", FAL.base_url, "https://proxy.example/fal"),
        ("runware", "https://proxy.example/r", "https://api.runware.ai/v1/a", "https://proxy.example/r/a"),
    ],
)  # fmt: skip
def test_the_providers_own_address_stands_for_the_moved_one(
    provider: str, base_url: str, path: str, expected: str
) -> None:
    assert address(path, base_url, provider) == expected


@pytest.mark.parametrize("base_url", [FAL.base_url, "https://proxy.example/fal"])
@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example" + PATH,
        "http://queue.fal.run" + PATH,
        "https://queue.fal.run:8443" + PATH,
        "https://queue.fal.run.evil.example" + PATH,
        "https://queue.fal.run@evil.example" + PATH,
        "https://evil.example/https://queue.fal.run" + PATH,
    ],
)
def test_no_other_address_is_called(path: str, base_url: str) -> None:
    with pytest.raises(MalformedReply) as raised:
        address(path, base_url)
    assert raised.value.may_have_been_billed


def test_an_address_beside_the_providers_base_is_not_under_the_moved_one() -> None:
    with pytest.raises(MalformedReply):
        address("https://api.runware.ai/v12/a", "https://proxy.example/r", "runware")
