"""A stand-in for the OpenID provider of a Space on loopback: it signs in whoever the test says, by the code flow."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "client-of-the-space", "secret-of-the-space-0123456789"


class FakeSignIn:
    """Context manager. `people` maps names to account numbers; the browser says in `login_hint` who it is, or is the first."""

    def __init__(self, **people: str) -> None:
        self.people = people
        self.refusals: list[str] = []
        """What a client did that no provider would take."""
        self._key = RSAKey.generate_key(2048, {"kid": "1"})
        self._codes: dict[str, tuple[str, str, str]] = {}
        fake = self

        class Handler(_Handler):
            fake_sign_in = fake

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

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

    def authorized(self, asked: dict[str, str]) -> str:
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

    def token(self, asked: dict[str, str], authorization: str) -> dict[str, object] | None:
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


class _Handler(BaseHTTPRequestHandler):
    fake_sign_in: FakeSignIn

    def do_GET(self) -> None:
        fake, (path, query) = self.fake_sign_in, (urlsplit(self.path).path, urlsplit(self.path).query)
        if path == "/oauth/authorize":
            asked = {name: values[0] for name, values in parse_qs(query).items()}
            self._answer(302, {}, location=fake.authorized(asked))
        else:
            documents = {"/.well-known/openid-configuration": fake.metadata, "/jwks": fake.keys}
            self._answer(200, documents[path]())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        asked = {name: values[0] for name, values in parse_qs(body).items()}
        told = self.fake_sign_in.token(asked, self.headers.get("authorization", ""))
        self._answer(400 if told is None else 200, told or {"error": "invalid_grant"})

    def _answer(self, status: int, document: object, location: str = "") -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        if location:
            self.send_header("location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""
