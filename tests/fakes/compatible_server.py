"""A fake of self-hosted servers that call themselves OpenAI-compatible, in seven dialects.

Fields the server does not know are refused but break no rule, because a user may have asked for them. What does break
one is noted in `violations`: a wrong form, a missing field, a key where none was given, a refused request sent again
and again.
"""

import base64
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Literal, cast

from tests.fakes import bent_replies, compatible_rules
from tests.fakes.compatible_dialects import DIALECTS, DialectName, Refusal, error_body, status_of
from tests.fakes.compatible_rules import Order, Verdict
from tests.fakes.faults import Fault
from tests.fakes.http_fake import Answer, HttpFake, RawReply, Request
from tests.fakes.pictures import Format, picture
from tests.fakes.wire import media_type

Object = dict[str, object]

GENERATIONS = "/v1/images/generations"
EDITS = "/v1/images/edits"
MODELS = "/v1/models"

BAD_KEY_DETAIL = RawReply(403, {"detail": "Invalid API key"})
NOT_LOADED = RawReply(500, {"error": "model not loaded"})
VLLM_BAD_REQUEST = RawReply(
    400, {"object": "error", "message": "The prompt is too long.", "type": "BadRequestError", "code": 400}
)
BUSY = RawReply(429, {"detail": "The server is busy"})
NOT_AVAILABLE = RawReply(503, {"detail": "Model not available"})


class FakeCompatible(HttpFake):
    """Context manager. Attributes may be changed at any time.

    `key` None: the server knows no keys, and a client that sends one breaks a rule.
    """

    def __init__(
        self,
        *,
        dialect: DialectName = "plain",
        key: str | None = None,
        models: Sequence[str] = ("local-model",),
        port: int = 0,
    ) -> None:
        super().__init__(key=key or "", port=port)
        self.dialect: DialectName = dialect
        self.models = tuple(models)
        self.models_status = 200
        """Of the list of models; 404 as servers answer that have none."""
        self.extra_fields: frozenset[str] = frozenset()
        """Text fields the server takes besides those of its dialect."""
        self.url_form: Literal["absolute", "relative", "data"] = "absolute" if dialect == "localai" else "relative"
        self.b64_form: Literal["bare", "data_uri"] = "bare"
        self.answer_form: Literal["asked", "url", "b64_json"] = "asked"
        """The form images are sent in; other than "asked" it may be the one that was not asked for."""
        self.created: float | None = 1795248000.5 if dialect in ("plain", "aquiles") else 1795248000
        """None: the answer has no such field."""
        self.cost: str | None = "0.04"
        """What a gateway says in its header; only litellm does."""
        self.creates = 0
        """Paid requests that were carried out, also when their answer was lost."""
        self.repeats = 0
        """Requests refused for what the same prompt was refused for before, with no success in between.

        From the second repeat on it is a violation. Refused keys do not count.
        """
        self._refused: dict[tuple[str, str], Counter[Refusal]] = {}
        self._lock = threading.Lock()

    @property
    def base_url(self) -> str:
        """Where clients are pointed."""
        return f"{self.origin}/v1"

    def is_paid(self, request: Request) -> bool:
        """Whether this request asks for images."""
        return request.method == "POST" and request.path in (GENERATIONS, EDITS)

    def answer(self, request: Request, fault: Fault | None) -> Answer:
        """Judges and answers one request."""
        bent_replies.check_known(fault)
        if request.path in self.media:
            return self._file(request)
        if (refusal := self._check_key(request)) is not None:
            return self._error(refusal)
        if request.query:
            self.violate(request, f"unknown query {dict(request.query)!r}")
        if request.method == "GET" and request.path == MODELS:
            return self._models()
        known = DIALECTS[self.dialect].edits or request.path != EDITS
        if self.is_paid(request) and known:
            return self._images(request, fault)
        if not self.is_paid(request):
            self.violate(request, "no such path")
        return self._refuse(request, Refusal("path", "Not Found"))

    def _file(self, request: Request) -> Answer:
        """A result file beside the API; of planned faults only whole answers are carried out here."""
        if not self.key and "authorization" in request.headers:
            self.violate(request, "this server was given no key")
        planned = self.media_faults.popleft() if self.media_faults else None
        self.media_reads.append(request.path)
        if isinstance(planned, RawReply):
            return Answer(planned.status, planned.body, planned.headers)
        data, content_type = self.media[request.path]
        return Answer(200, data, content_type=content_type)

    def _check_key(self, request: Request) -> Refusal | None:
        sent = request.headers.get("authorization")
        if not self.key:
            if sent is not None:
                self.violate(request, "this server was given no key")
            return None
        if sent == f"Bearer {self.key}":
            return None
        return Refusal("key_wrong", "Invalid API key") if sent else Refusal("key_missing", "API key missing")

    def _models(self) -> Answer:
        if self.models_status != 200:
            return Answer(self.models_status, error_body(self.dialect, Refusal("path", "Not Found")))
        entries = [{"id": name, "object": "model"} for name in self.models]
        return Answer(body={"object": "list", "data": entries})

    def _images(self, request: Request, fault: Fault | None) -> Answer:
        verdict = self._judge(request)
        for refusal in verdict.refusals:
            if refusal.broken:
                self.violate(request, refusal.message)
        if verdict.order is None:
            return self._refuse(request, verdict.refusals[0])
        with self._lock:
            self._refused.pop((request.path, _prompt(request)), None)
            self.creates += 1
        return self._made(verdict.order, fault)

    def _judge(self, request: Request) -> Verdict:
        dialect = DIALECTS[self.dialect]
        kind, _ = media_type(request.headers.get("content-type", ""))
        wanted = "application/json" if request.path == GENERATIONS else "multipart/form-data"
        if kind != wanted:
            return Verdict(refusals=[Refusal("type", f"Expected {wanted}, but got {kind!r}.", broken=True)])
        if request.path == GENERATIONS:
            return compatible_rules.judge_generation(request.json(), dialect, self.models, self.extra_fields)
        return compatible_rules.judge_edit(request.parts(), dialect, self.models, self.extra_fields)

    def _refuse(self, request: Request, refusal: Refusal) -> Answer:
        with self._lock:
            seen = self._refused.setdefault((request.path, _prompt(request)), Counter())
            seen[refusal] += 1
            self.repeats += seen[refusal] > 1
            looping = seen[refusal] > 2
        if looping:
            self.violate(request, f"sent again and again although refused: {refusal.message}")
        return self._error(refusal)

    def _error(self, refusal: Refusal) -> Answer:
        return Answer(status_of(self.dialect, refusal), error_body(self.dialect, refusal))

    def _made(self, order: Order, fault: Fault | None) -> Answer:
        size = bent_replies.bent_size(order.size, fault)
        images = [
            picture(size, cast("Format", order.image_format), number=self.next_number())
            for _ in range(bent_replies.bent_count(order.n, fault))
        ]
        sent = [bent_replies.bent_file(image, fault) for image in images]
        with self._lock:
            self.served += sent
        body: Object = {} if self.created is None else {"created": self.created}
        body["data"] = [bent_replies.bent_item(self._item(order, image), fault) for image in sent]
        body |= self._additions()
        told = self.dialect == "litellm" and self.cost is not None
        headers = {"x-litellm-response-cost": str(self.cost)} if told else {}
        return Answer(200, bent_replies.bent_body(body, fault), headers)

    def _additions(self) -> Object:
        match self.dialect:
            case "localai":
                return {"id": "x", "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}}
            case "vllm":
                return {"metrics": {"total_s": 1.5}}
            case _:
                return {}

    def _item(self, order: Order, image: bytes) -> Object:
        form = order.form if self.answer_form == "asked" else self.answer_form
        text = base64.b64encode(image).decode()
        data_uri = f"data:image/{order.image_format};base64,{text}"
        item: Object = {}
        if form == "b64_json":
            item["b64_json"] = data_uri if self.b64_form == "data_uri" else text
        else:
            item["url"] = data_uri if self.url_form == "data" else self._put_up(image, order.image_format)
        if self.dialect == "localai":
            return {"b64_json": None, "url": None} | item
        if self.dialect == "sglang":
            return item | {"file_path": f"outputs/{self.next_number()}.png", "resize": None}
        return item

    def _put_up(self, image: bytes, image_format: str) -> str:
        """Puts a result file up; its address in the form asked for."""
        if self.url_form == "absolute" and self.dialect != "localai":
            return self.publish(image, image_format)
        folder = "generated-images" if self.dialect == "localai" else "v1/images"
        path = f"/{folder}/{self.next_number()}.{image_format}"
        self.media[path] = (image, f"image/{image_format}")
        return path if self.url_form == "relative" else self.origin + path


def _prompt(request: Request) -> str:
    """The prompt of any request, or an empty string."""
    body = request.json() if request.path == GENERATIONS else None
    if isinstance(body, dict):
        return str(body.get("prompt", ""))
    return next((part.data.decode("utf-8", "replace") for part in request.parts() if part.name == "prompt"), "")
