"""OpenAI's error object, and short ways to make the ones a wrong request gets."""

from dataclasses import dataclass

_REQUEST = "invalid_request_error"
_USER = "image_generation_user_error"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One broken rule as the service words it."""

    message: str
    code: str | None = "invalid_value"
    param: str | None = None
    type: str = _REQUEST
    status: int = 400

    def body(self) -> dict[str, dict[str, str | None]]:
        """The JSON the service answers with."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


def unknown(name: str) -> Refusal:
    return Refusal(f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)


def missing(name: str) -> Refusal:
    return Refusal(f"Missing required parameter: '{name}'.", code="missing_required_parameter", param=name)


def wrong_type(name: str, expected: str, got: object) -> Refusal:
    shown = repr(got) if len(repr(got)) < 80 else type(got).__name__
    return Refusal(f"Invalid type for '{name}': expected {expected}, but got {shown}.", code="invalid_type", param=name)


def bad_value(name: str, problem: str) -> Refusal:
    return Refusal(problem if f"'{name}'" in problem else f"'{name}': {problem}", param=name)


def user_error(name: str, message: str, *, code: str = "invalid_value") -> Refusal:
    return Refusal(message, code=code, param=name, type=_USER)


def duplicate(name: str) -> Refusal:
    return Refusal(
        f"Duplicate parameter: '{name}'. You provided multiple values for this parameter, whereas only one is allowed."
        f" If you are trying to provide a list of values, use the array syntax instead e.g. '{name}[]=<value>'.",
        code="duplicate_parameter",
        param=name,
    )
