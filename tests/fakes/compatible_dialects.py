"""What self-hosted servers that call themselves OpenAI-compatible take, and how each words a refusal.

Written from the provider reference (section (c), fixtures C1 to C7), never from this program's own code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

DialectName = Literal["plain", "localai", "vllm", "sglang", "litellm", "sdcpp", "aquiles"]
Form = Literal["url", "b64_json"]
Kind = Literal["key_missing", "key_wrong", "missing", "unknown", "type", "value", "both", "model", "path"]
"""What a request was refused for."""

_BASIC = frozenset({"model", "prompt", "n", "size", "response_format"})
_OPENAI = _BASIC | {
    "quality",
    "background",
    "moderation",
    "output_format",
    "output_compression",
    "user",
    "style",
    "input_fidelity",
    "stream",
    "partial_images",
    "safety_identifier",
}
_DIFFUSION = _BASIC | {"seed", "negative_prompt", "num_inference_steps", "guidance_scale"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kind of server."""

    fields: frozenset[str] | None
    """Text fields it knows; None: it takes any field and looks at those it knows."""
    default_form: Form
    edits: bool = True
    image_fields: tuple[str, ...] = ("image", "image[]")
    repeats_image: bool = True
    """Whether plain `image` may come several times."""
    both_images: bool = True
    """Whether `image` and `image[]` may stand in one form."""
    image_urls: bool = False
    """Whether `url` and `url[]` name input images."""
    mask_fields: tuple[str, ...] = ("mask",)
    image_types: tuple[str, ...] = ("image/png", "image/jpeg", "image/webp")
    formats: tuple[str, ...] = ("png",)
    edit_prompt_max: int | None = None
    images_max: int = 16
    free_size: bool = False
    """Whether a size it cannot read is silently 512x512."""
    bare_references: bool = False
    """Whether a generation takes references: URLs or bare base64, without a data URI's prefix."""
    clamps_n: bool = False
    takes_url: bool = True
    """Whether `response_format` may be `url`."""
    statuses: Mapping[Kind, int] = field(default_factory=dict)
    """Statuses that differ from `STATUSES`."""


STATUSES: Mapping[Kind, int] = MappingProxyType(
    {
        "key_missing": 401,
        "key_wrong": 401,
        "missing": 400,
        "unknown": 400,
        "type": 400,
        "value": 400,
        "both": 400,
        "model": 404,
        "path": 404,
    }
)
_VALIDATED: Mapping[Kind, int] = MappingProxyType({"missing": 422, "unknown": 422, "type": 422, "both": 422})

DIALECTS: Mapping[DialectName, Dialect] = MappingProxyType(
    {
        "plain": Dialect(_BASIC, "url", repeats_image=False, both_images=False, formats=("png", "jpeg", "webp")),
        "localai": Dialect(None, "url", edits=False, free_size=True, bare_references=True),
        "vllm": Dialect(
            _DIFFUSION, "b64_json", image_urls=True, mask_fields=("mask_image",), takes_url=False, statuses=_VALIDATED
        ),
        "sglang": Dialect(
            None, "url", image_urls=True, clamps_n=True, takes_url=False, statuses=MappingProxyType({"missing": 422})
        ),
        "litellm": Dialect(
            _OPENAI,
            "b64_json",
            repeats_image=False,
            both_images=False,
            mask_fields=("mask", "mask[]"),
            formats=("png", "jpeg", "webp"),
            statuses=MappingProxyType({"both": 422, "type": 422, "model": 400}),
        ),
        "sdcpp": Dialect(
            frozenset({"model", "prompt", "n", "size", "output_format", "output_compression"}),
            "b64_json",
            image_types=("image/png", "image/jpeg"),
            formats=("png", "jpeg", "webp"),
        ),
        "aquiles": Dialect(
            _BASIC | {"stream", "input_fidelity"},
            "url",
            mask_fields=(),
            images_max=10,
            edit_prompt_max=1000,
            statuses=MappingProxyType({**_VALIDATED, "key_missing": 403, "key_wrong": 403}),
        ),
    }
)

_DETAIL_TYPES = MappingProxyType({"missing": "missing", "unknown": "extra_forbidden"})
_DETAIL_WORDS = MappingProxyType({"missing": "Field required", "unknown": "Extra inputs are not permitted"})
_CODES: Mapping[Kind, str] = MappingProxyType(
    {
        "key_missing": "invalid_api_key",
        "key_wrong": "invalid_api_key",
        "missing": "missing_required_parameter",
        "unknown": "unknown_parameter",
        "type": "invalid_type",
        "value": "invalid_value",
        "both": "duplicate_parameter",
        "model": "model_not_found",
        "path": "not_found",
    }
)
_VLLM_TYPES = MappingProxyType({401: "AuthenticationError", 404: "NotFoundError"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is refused."""

    kind: Kind
    message: str
    param: str | None = None
    broken: bool = False
    """Whether no honest client sends this; an unknown field is no such thing, the user may have asked for it."""


def status_of(name: DialectName, refusal: Refusal) -> int:
    """The status this kind of server answers with."""
    return DIALECTS[name].statuses.get(refusal.kind, STATUSES[refusal.kind])


def error_body(name: DialectName, refusal: Refusal) -> object:
    """The JSON this kind of server answers with."""
    status = status_of(name, refusal)
    match name:
        case "localai":
            return {"error": refusal.message}
        case "vllm" if status != 422:
            kind = _VLLM_TYPES.get(status, "BadRequestError")
            return {"object": "error", "message": refusal.message, "type": kind, "code": status}
        case "vllm" | "sglang" | "aquiles":
            return {"detail": [_detail(refusal)] if status == 422 else refusal.message}
        case _:
            code = str(status) if name == "litellm" else _CODES[refusal.kind]
            kind = "invalid_request_error"
            return {"error": {"message": refusal.message, "type": kind, "param": refusal.param, "code": code}}


def _detail(refusal: Refusal) -> dict[str, object]:
    return {
        "type": _DETAIL_TYPES.get(refusal.kind, "value_error"),
        "loc": ["body", refusal.param] if refusal.param else ["body"],
        "msg": _DETAIL_WORDS.get(refusal.kind, refusal.message),
    }
