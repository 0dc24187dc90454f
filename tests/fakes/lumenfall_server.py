"""A fake of Lumenfall's HTTP API: images at `/openai/v1`, balance and past requests at `/v1`.

Rules come from `lumenfall_rules`; what breaks one is noted in `violations` and answered as the gateway would.
"""

import base64
import io
import re
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, cast

from PIL import Image

from tests.fakes import bent_replies
from tests.fakes import lumenfall_rules as rules
from tests.fakes.faults import Fault
from tests.fakes.http_fake import Answer, HttpFake, RawReply, Request
from tests.fakes.lumenfall_rules import Order, Problem, Verdict
from tests.fakes.pictures import Format, picture
from tests.fakes.wire import media_type

Object = dict[str, object]

CREATED = 1795248000
GENERATIONS = "/openai/v1/images/generations"
EDITS = "/openai/v1/images/edits"
MODELS = "/openai/v1/models"
BALANCE = "/v1/balance"
REQUESTS = "/v1/requests"
STATUSES = ("completed", "upstream_failure", "rejected", "cancelled")
_METHODS = MappingProxyType({GENERATIONS: "POST", EDITS: "POST", MODELS: "GET", BALANCE: "GET", REQUESTS: "GET"})


def error_body(message: str, kind: str, code: str) -> Object:
    """Lumenfall's error object."""
    return {"error": {"message": message, "type": kind, "code": code}}


_INVALID = "invalid_request_error"

BAD_KEY = RawReply(401, error_body("Invalid API key", "authentication_error", "AUTHENTICATION_FAILED"))
NO_BALANCE = RawReply(402, error_body("Insufficient balance", "billing_error", "INSUFFICIENT_BALANCE"))
PROMPT_TOO_LONG = RawReply(
    400, error_body("Too big: expected string to have <=1000 characters", _INVALID, "INVALID_REQUEST")
)
BLOCKED = RawReply(
    400,
    error_body("The request was rejected by the provider's content policy", _INVALID, "CONTENT_POLICY_VIOLATION"),
)
MODEL_GONE = RawReply(404, error_body("Model 'gpt-image-9' not found", _INVALID, "MODEL_NOT_FOUND"))
RATE_LIMITED = RawReply(429, error_body("Rate limit exceeded", "rate_limit_error", "RATE_LIMITED"))
EXHAUSTED = RawReply(502, error_body("All providers failed", "server_error", "ALL_PROVIDERS_EXHAUSTED"))
INTERNAL = RawReply(500, error_body("Internal error", "server_error", "INTERNAL_ERROR"))
UPSTREAM = RawReply(503, error_body("The provider failed", "server_error", "UPSTREAM_ERROR"))


class FakeLumenfall(HttpFake):
    """Context manager. Attributes may be changed at any time."""

    def __init__(self, *, key: str = "lmnfl_test.secret0123456", port: int = 0) -> None:
        super().__init__(key=key, port=port)
        self.answer_form: Literal["asked", "url", "b64_json"] = "asked"
        """The form images are sent in; other than "asked" it may be the one that was not asked for."""
        self.with_cost = True
        """Whether `metadata` tells the charge."""
        self.creates = 0
        """Paid requests that were carried out, also when their answer was lost."""
        self.models: dict[str, rules.Model] = dict(rules.MODELS)
        self.log: list[Object] = []
        """What `GET /v1/requests` lists, newest last; faults that stand for a whole answer leave no trace."""
        self._lock = threading.Lock()

    @property
    def base_url(self) -> str:
        """The OpenAI-compatible base."""
        return f"{self.origin}/openai/v1"

    def is_paid(self, request: Request) -> bool:
        """Whether this request asks for images; one that only asks for the price does not."""
        if request.method != "POST":
            return False
        return request.path == EDITS or (request.path == GENERATIONS and request.query.get("dryRun") != "true")

    def answer(self, request: Request, fault: Fault | None) -> Answer:
        """Judges and answers one request."""
        bent_replies.check_known(fault)
        if request.path not in _METHODS:
            self.violate(request, "no such path")
            return Answer(404, error_body("Not found", _INVALID, "NOT_FOUND"))
        if request.method != _METHODS[request.path]:
            self.violate(request, "wrong method")
            return Answer(405, error_body("Method not allowed", _INVALID, "INVALID_REQUEST"))
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return Answer(BAD_KEY.status, BAD_KEY.body)
        if request.method == "POST":
            return self._images(request, fault)
        reads: Mapping[str, Callable[[Request], Answer]] = {
            MODELS: self._models,
            BALANCE: self._balance,
            REQUESTS: self._requests,
        }
        return reads[request.path](request)

    def _models(self, request: Request) -> Answer:
        self._no_query(request)
        entries = [
            {"id": name, "object": "model", "created": CREATED, "owned_by": "openai"} for name in sorted(self.models)
        ]
        return Answer(body={"object": "list", "data": entries})

    def _balance(self, request: Request) -> Answer:
        self._no_query(request)
        available = {"amount": "12.34", "currency": "usd"}
        return Answer(body={"object": "balance", "billing_type": "prepaid", "available": available})

    def _no_query(self, request: Request) -> None:
        if request.query:
            self.violate(request, f"unknown query {dict(request.query)!r}")

    def _requests(self, request: Request) -> Answer:
        limit, status = request.query.get("limit", "100"), request.query.get("status")
        if set(request.query) - {"limit", "status"} or not re.fullmatch(r"[1-9]\d{0,2}", limit, re.ASCII):
            return self._refused(request, Problem(f"Invalid query {dict(request.query)!r}."))
        if status not in (None, *STATUSES):
            return self._refused(request, Problem(f"Invalid status {status!r}."))
        with self._lock:
            found = [entry for entry in reversed(self.log) if status in (None, entry["status"])]
        return Answer(body={"data": found[: int(limit)]})

    def _images(self, request: Request, fault: Fault | None) -> Answer:
        dry = request.query.get("dryRun") == "true"
        verdict = self._judge(request)
        if request.query and not (request.path == GENERATIONS and dict(request.query) == {"dryRun": "true"}):
            verdict = Verdict(problems=[Problem(f"Invalid query {dict(request.query)!r}."), *verdict.problems])
        for problem in verdict.problems:
            if problem.broken:
                self.violate(request, problem.message)
        if verdict.order is None:
            return self._rejected(verdict.problems[0], dry=dry)
        return Answer(body=_estimate(verdict.order)) if dry else self._made(verdict.order, fault)

    def _judge(self, request: Request) -> Verdict:
        kind, _ = media_type(request.headers.get("content-type", ""))
        if request.path == EDITS:
            if kind != "multipart/form-data":
                return Verdict(problems=[Problem(f"Expected a multipart form, but got {kind!r}.")])
            return rules.judge_edit(request.parts(), self.models)
        if kind != "application/json":
            return Verdict(problems=[Problem(f"Expected application/json, but got {kind!r}.")])
        return rules.judge_generation(request.json(), self.models)

    def _refused(self, request: Request, problem: Problem) -> Answer:
        if problem.broken:
            self.violate(request, problem.message)
        return Answer(problem.status, error_body(problem.message, _INVALID, problem.code))

    def _rejected(self, problem: Problem, *, dry: bool) -> Answer:
        if not dry:
            self._note({"status": "rejected", "error_code": problem.code, "cost": 0})
        return Answer(problem.status, error_body(problem.message, _INVALID, problem.code))

    def _note(self, entry: Object) -> str:
        """Adds to the list of requests; the id it got."""
        with self._lock:
            request_id = f"req_lf_{len(self.log) + 1}"
            self.log.append({"id": request_id, "error_code": None, "duration_ms": 17_800, **entry})
            self.creates += entry["status"] == "completed"
        return request_id

    def _made(self, order: Order, fault: Fault | None) -> Answer:
        cost = order.micros / 1_000_000
        request_id = self._note({"status": "completed", "model": order.model_id, "cost": cost})
        size = bent_replies.bent_size(order.size, fault)
        count = bent_replies.bent_count(order.n, fault)
        images = [
            encoded(size, order.output_format, number=self.next_number(), alpha=order.transparent) for _ in range(count)
        ]
        sent = [bent_replies.bent_file(image, fault) for image in images]
        with self._lock:
            self.served += sent
        metadata: Object = {
            "model": order.model_id,
            "executed_model": order.executed_model,
            "provider": order.provider,
            "provider_name": rules.PROVIDERS[order.provider],
        }
        if self.with_cost:
            metadata |= {"cost": cost, "cost_currency": "USD"}
        width, height = order.size
        body: Object = {
            "created": CREATED,
            "size": f"{width}x{height}",
            "output_format": order.output_format,
            "data": [bent_replies.bent_item(self._item(order, image), fault) for image in sent],
            "metadata": metadata,
        }
        headers = {
            "X-Lumenfall-Provider": order.provider,
            "X-Lumenfall-Model": order.model_id,
            "X-Lumenfall-Request-Id": request_id,
        }
        return Answer(200, bent_replies.bent_body(body, fault), headers)

    def _item(self, order: Order, image: bytes) -> Object:
        form = order.response_format if self.answer_form == "asked" else self.answer_form
        if form == "b64_json":
            return {"b64_json": base64.b64encode(image).decode()}
        return {"url": self.publish(image, order.output_format)}


def encoded(size: tuple[int, int], image_format: str, *, number: int, alpha: bool) -> bytes:
    """A picture in any format the gateway converts to."""
    if image_format not in ("gif", "avif"):
        return picture(size, cast("Format", image_format), number=number, alpha=alpha)
    stream = io.BytesIO()
    with Image.open(io.BytesIO(picture(size, "png", number=number))) as drawn:
        if image_format == "gif":
            drawn.quantize(64, method=Image.Quantize.FASTOCTREE).save(stream, "GIF")
        else:
            drawn.save(stream, "AVIF", speed=10, quality=80)
    return stream.getvalue()


def _estimate(order: Order) -> Object:
    """The answer to `?dryRun=true`: as in the reference, the text tokens are in the total but are no component."""
    component = {
        "type": "output",
        "metric": "image_tokens",
        "quantity": order.image_tokens,
        "billable_quantity": order.image_tokens,
        "unit_price": float(order.model.image_rate / 1_000_000),
        "total_cost": float(order.image_usd),
    }
    return {
        "estimated": True,
        "model": order.model_id,
        "provider": order.provider,
        "total_cost_micros": order.micros,
        "currency": "USD",
        "components": [component],
    }
