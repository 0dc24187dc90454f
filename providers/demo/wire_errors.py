"""Refusals in OpenAI's words and shape: `{"error": {"message", "type", "param", "code"}}` with their status.

Source: providers reference, section 1 "Errors" (OpenAI's API, read 2026-11).
"""

from __future__ import annotations

from typing import Final

USER_ERROR: Final = "image_generation_user_error"
REQUEST_ERROR: Final = "invalid_request_error"


class WireError(Exception):
    """A reply other than 200: what `DemoServer` turns into a body."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = REQUEST_ERROR,
        param: str | None = None,
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.param = param
        self.code = code
        self.headers = headers or {}

    def body(self) -> dict[str, object]:
        """The JSON of the reply."""
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}


def invalid_value(param: str, message: str) -> WireError:
    """A value outside what the parameter takes."""
    return WireError(400, message, kind=USER_ERROR, param=param, code="invalid_value")


def invalid_type(param: str, wanted: str, got: object) -> WireError:
    """A value of another JSON type."""
    names = {
        bool: "a boolean",
        int: "an integer",
        float: "a decimal",
        str: "a string",
        list: "an array",
        dict: "an object",
    }
    message = f"Invalid type for '{param}': expected {wanted}, but got {names.get(type(got), 'null')} instead."
    return WireError(400, message, param=param, code="invalid_type")


def unknown_parameter(name: str) -> WireError:
    """A field the route does not have."""
    return WireError(400, f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")


def missing_parameter(name: str) -> WireError:
    """A required field that is absent."""
    return WireError(400, f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter")


def fault_of(prompt: str, request_id: str) -> WireError | None:
    """The refusal a word in brackets asks for, `None` when the prompt holds none.

    `[slow]` and `[cut]` are no refusals: they change how the answer is sent.
    """
    faults = {
        "[key]": WireError(
            401,
            "Incorrect API key provided: sk-demo. You can find your API key at https://platform.openai.com/account/api-keys.",
            code="invalid_api_key",
        ),
        "[blocked]": WireError(
            400,
            "Your request was rejected by the safety system. If you believe this is an error, contact us at "
            f"help.openai.com and include the request ID {request_id}. safety_violations=[violence].",
            kind=USER_ERROR,
            code="moderation_blocked",
        ),
        "[quota]": WireError(
            429,
            "You exceeded your current quota, please check your plan and billing details. For more information on this "
            "error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
            kind="insufficient_quota",
            code="insufficient_quota",
        ),
        "[rate]": WireError(
            429,
            "Rate limit reached for the demo on input-images per min: Limit 5, Used 5, Requested 1. "
            "Please try again in 2s.",
            kind="input-images",
            code="rate_limit_exceeded",
            headers={"retry-after": "2"},
        ),
        "[fail]": WireError(
            500,
            "The server had an error processing your request. Sorry about that! You can retry your request, or contact "
            f"us through our help center at help.openai.com if you keep seeing this error. (Please include the request "
            f"ID {request_id} in your email.)",
            kind="server_error",
        ),
    }
    low = prompt.lower()
    return next((error for word, error in faults.items() if word in low), None)
