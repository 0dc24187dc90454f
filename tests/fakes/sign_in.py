"""A stand-in for the OpenID provider of a Space on loopback: it signs in whoever the test says, by the code flow."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.fakes.http_fake import Answer, Request
from tests.fakes.plain_server import PlainServer

CLIENT_ID, CLIENT_SECRET = "client-of-the-space", "secret-of-the-space-0123456789"


class FakeSignIn(PlainServer):
    """Context manager. `people` maps names to account numbers; the browser says in `login_hint` who it is, or is the first."""

    def __init__(self, **people: str) -> None:
        super().__init__()
        self.people = people
        self.refusals: list[str] = []
        """What a client did that no provider would take."""
        self._key = RSAKey.generate_key(2048, {"kid": "1"})
        self._codes: dict[str, tuple[str, str, str]] = {}

    @property
    def environment(self) -> dict[str, str]:
        """As a Space with `hf_oauth: true` sets it."""
        return {
            "OAUTH_CLIENT_ID": CLIENT_ID,
            "OAUTH_CLIENT_SECRET": CLIENT_SECRET,
            "OAUTH_SCOPES": "openid profile",
            "OPENID_PROVIDER_URL": self.url,
        }

    def metadata(self) -> dict[str, object]:
        """What `/.well-known/openid-configuration` says."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/oauth/authorize",
            "token_endpoint": f"{self.url}/oauth/token",
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def keys(self) -> dict[str, object]:
        """With which a client checks its tokens."""
        return {"keys": [{**self._key.as_dict(private=False), "use": "sig", "alg": "RS256"}]}

    def authorized(self, asked: Mapping[str, str]) -> str:
        """Where the browser goes on to, once the person has agreed."""
        if asked.get("client_id") != CLIENT_ID or asked.get("response_type") != "code":
            self.refusals.append(f"authorize {asked}")
        code = secrets.token_urlsafe(12)
        self._codes[code] = (
            asked.get("login_hint", next(iter(self.people))),
            asked.get("nonce", ""),
            asked["redirect_uri"],
        )
        joint = "&" if "?" in asked["redirect_uri"] else "?"
        return asked["redirect_uri"] + joint + urlencode({"code": code, "state": asked["state"]})

    def token(self, asked: Mapping[str, str], authorization: str) -> dict[str, object] | None:
        """The tokens for a code, which is good for once; `None` for a client that is not the Space."""
        expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        name, nonce, redirect_uri = self._codes.pop(asked.get("code", ""), ("", "", ""))
        if authorization != f"Basic {expected}" or not name or asked.get("redirect_uri") != redirect_uri:
            self.refusals.append(f"token {asked}")
            return None
        now = int(time.time())
        claims = {
            **{"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 3600, "nonce": nonce},
            **{"sub": self.people[name], "name": name.title(), "preferred_username": name},
            **{"profile": f"https://hub.example/{name}", "picture": "https://hub.example/x.png"},
        }
        signed = jwt.encode({"alg": "RS256", "kid": "1"}, claims, self._key)
        return {
            "access_token": f"hf_oauth_{name}_0123456789",
            "token_type": "bearer",
            "expires_in": 28_800,
            "id_token": signed,
            "scope": "openid profile",
        }

    def answer(self, request: Request) -> Answer:
        match request.method, request.path:
            case "GET", "/oauth/authorize":
                return Answer(302, {}, {"location": self.authorized(request.query)})
            case "GET", "/.well-known/openid-configuration":
                return Answer(body=self.metadata())
            case "GET", "/jwks":
                return Answer(body=self.keys())
            case "POST", "/oauth/token":
                told = self.token(dict(parse_qsl(request.body.decode())), request.headers.get("authorization", ""))
                return Answer(400, {"error": "invalid_grant"}) if told is None else Answer(body=told)
        return Answer(404, {"error": "not_found"})
