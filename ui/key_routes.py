"""Routes for keys: they go in, are tested and forgotten, and never come out."""

from __future__ import annotations

from functools import partial

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from playground.addresses import SettingsError
from playground.key_check import check_key, has_free_check
from playground.usage import UseRefused
from providers.catalog import Provider
from providers.errors import ProviderError
from providers.redact import without_keys
from providers.types import NO_LIST, KeyStatus
from ui import guard, views
from ui.app import App, owner_of
from ui.route_answers import answer, refused

_MAX_KEY_BODY_BYTES = 4096
_KEY_CUT_SHORT = "The key did not arrive whole. Type it once more."
_MOST_MODELS = 200
"""Of those a server lists; more are nobody's choice by hand."""


def key_routes(app: App) -> list[Route]:
    """The routes, relative to where the app is mounted."""
    under_test: set[str] = set()
    return [
        Route("/keys", partial(list_keys, app)),
        Route("/keys/{provider_id}", partial(change_key, app), methods=["POST", "DELETE"]),
        Route("/keys/{provider_id}/test", partial(test_key, app, under_test), methods=["POST"]),
    ]


async def list_keys(app: App, request: Request) -> Response:
    """Which providers have a key, and where from; never a key."""
    try:
        owner = owner_of(app, request)
    except guard.UnknownVisitor as error:
        return refused(str(error), 403)
    return answer([_key_state(app, provider, owner) for provider in _providers(app)])


async def change_key(app: App, request: Request) -> Response:
    """Holds a typed key in memory for this visitor, or forgets it. Runs that waited for it go on."""
    if not is_ours(request):
        return refused("This address is for the page's own script.", 403)
    try:
        owner = owner_of(app, request)
        provider = _provider(app, request.path_params["provider_id"])
        if request.method == "DELETE":
            app.services.keys.forget(provider, owner)
        else:
            await app.services.usage.count("key_tries", owner)
            app.services.keys.put(provider, owner, await _typed_key(request))
            await app.engine.key_arrived(owner)
    except guard.UnknownVisitor as error:
        return refused(str(error), 403)
    except UseRefused as error:
        return refused(str(error), 429)
    except (SettingsError, LookupError) as error:
        return refused(str(error.args[0]), 400)
    return answer(_key_state(app, provider, owner))


async def test_key(app: App, under_test: set[str], request: Request) -> Response:
    """What a free call tells about the visitor's key. One test at a time for each visitor."""
    if not is_ours(request):
        return refused("This address is for the page's own script.", 403)
    try:
        owner = owner_of(app, request)
        provider = _provider(app, request.path_params["provider_id"])
    except guard.UnknownVisitor as error:
        return refused(str(error), 403)
    except LookupError as error:
        return refused(str(error.args[0]), 400)
    try:
        await app.services.usage.count("key_tries", owner)
    except UseRefused as error:
        return refused(str(error), 429)
    if owner in under_test:
        return refused("Another test is under way. Try again when it has ended.", 429)
    under_test.add(owner)
    try:
        status = await check_key(app.services, provider, owner)
    except ProviderError as error:
        return answer(_failed(app, provider, owner, error))
    finally:
        under_test.discard(owner)
    return answer(_told(provider, status))


def _told(provider: Provider, status: KeyStatus | None) -> dict[str, object]:
    if status is None:
        words = f"{provider.name} has no free way to test a key. The first run will show whether it is good."
        return {"result": "untested", "words": words, "models": []}
    words = status.words
    if status.balance_microusd is not None and "Balance" not in words:
        words = f"{words} Balance: {views.dollars(status.balance_microusd)}."
    # A maker's list holds hundreds of other models; a server's is what it can draw with.
    models = list(status.models[:_MOST_MODELS]) if provider.key_is_optional else []
    return {"result": "good" if status.is_tested else "untested", "words": words, "models": models}


def _failed(app: App, provider: Provider, owner: str, error: ProviderError) -> dict[str, object]:
    found = app.services.keys.find(provider, owner)
    secret = found.secret.reveal() if found and found.secret else None
    words = without_keys(error.message.replace("{provider}", provider.name), secret)
    if provider.key_is_optional and error.status == 404:
        words = NO_LIST
        return {"result": "untested", "words": words, "models": []}
    if error.kind == "auth" and error.status is not None:
        words = f"{provider.name} refused the key. Paste it once more, or make a new one there."
        return {"result": "refused", "words": words, "models": []}
    return {"result": "failed", "words": words, "models": []}


def is_ours(request: Request) -> bool:
    """A header of our own cannot be sent by a form of another site."""
    return request.headers.get("x-diptych") == "1"


def _providers(app: App) -> list[Provider]:
    return [provider for provider in app.services.catalog.providers if provider.key_variable]


def _provider(app: App, provider_id: str) -> Provider:
    for provider in _providers(app):
        if provider.provider_id == provider_id:
            return provider
    raise LookupError("There is no such provider, or it needs no key.")


async def _typed_key(request: Request) -> str:
    body = await short_body(request)
    try:
        # Deep nesting is refused with the rest; `json` would overflow the stack on it.
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise SettingsError(_KEY_CUT_SHORT) from None
    key = document.get("key") if isinstance(document, dict) else None
    return key if isinstance(key, str) else ""


async def short_body(request: Request) -> bytes:
    """The body. The rest of one that is longer than a key can be is left unread.

    Raises: SettingsError when it is too long or does not end.
    """
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_KEY_BODY_BYTES:
                raise SettingsError("This is too long to be a key.")
    except ClientDisconnect:
        raise SettingsError(_KEY_CUT_SHORT) from None
    return bytes(body)


def _key_state(app: App, provider: Provider, owner: str) -> dict[str, object]:
    found = app.services.keys.find(provider, owner)
    is_local = app.services.settings.mode == "local"
    is_server = provider.key_is_optional
    return {
        "provider_id": provider.provider_id,
        "name": provider.name,
        "source": found.source if found else "missing",
        "ends_in_s": round(found.ends_in_s) if found and found.ends_in_s is not None else None,
        "key_url": provider.key_url,
        "key_variable": provider.key_variable if is_local else None,
        "note": provider.note,
        "can_test": has_free_check(provider),
        "is_server": is_server,
        # On a public server the addresses of its neighbours are nobody's but the host's.
        "address": provider.base_url if is_server and is_local else "",
    }
