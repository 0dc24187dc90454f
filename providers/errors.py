"""Everything that can go wrong with a provider, as one tree.

ProviderError                kind         may have been billed
├── MissingKey               auth         no
├── InvalidKey               auth         no
├── NotPermitted             permission   no
├── InvalidRequest           validation   no
├── ContentRefused           moderation   no
├── QuotaExceeded            quota        no
├── RateLimited              rate_limit   no
├── ModelUnavailable         not_found    no
├── TimedOut                 timeout      when it was sent
├── JobUnknown               not_found    yes: it may have been taken and lost
├── ProviderDown             server       when it answered 500, 502 or 504
│   └── JobCancelled         server       no; tokens may be, by whose they are, when it had begun
├── ConnectionFailed         network      when it was sent
└── MalformedReply           malformed    yes

`kind` is what the command line, the database and the page call it. A call that may have been billed is never sent
again by itself.
"""

from __future__ import annotations

from typing import ClassVar, TypedDict, Unpack


class ProviderError(Exception):
    """A call that gave no images. The message can be shown: it holds no key and says what to do next."""

    kind: ClassVar[str] = "unknown"
    retryable: bool = False
    """Whether trying again can help at all."""

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        status: int | None = None,
        param: str | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
        may_have_been_billed: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.provider = provider
        self.status = status
        self.param = param
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.may_have_been_billed = may_have_been_billed


class _Details(TypedDict, total=False):
    """What every error may be told beside its words."""

    provider: str
    status: int | None
    param: str | None
    request_id: str | None
    retry_after_s: float | None
    may_have_been_billed: bool


class MissingKey(ProviderError):
    """No key is known for the provider."""

    kind = "auth"


class InvalidKey(ProviderError):
    """The provider refused the key."""

    kind = "auth"


class NotPermitted(ProviderError):
    """The key is good but may not do this."""

    kind = "permission"


class InvalidRequest(ProviderError):
    """The provider refused a field of the request."""

    kind = "validation"


class ContentRefused(ProviderError):
    """The provider's safety filter stopped the request."""

    kind = "moderation"


class QuotaExceeded(ProviderError):
    """The account has no credit left or reached its own limit."""

    kind = "quota"


class RateLimited(ProviderError):
    """Too many requests; nothing was run."""

    kind = "rate_limit"
    retryable = True


class ModelUnavailable(ProviderError):
    """The provider does not have the model, or no longer."""

    kind = "not_found"


class JobUnknown(ProviderError):
    """The provider does not know, or not yet, the job that it is asked for."""

    kind = "not_found"


class TimedOut(ProviderError):
    """The time limit passed before the answer was complete."""

    kind = "timeout"
    retryable = True


class ProviderDown(ProviderError):
    """The provider answered with a server error."""

    kind = "server"
    retryable = True


class JobCancelled(ProviderDown):
    """The job was cancelled at the provider before it had made an image."""

    has_begun: bool = False
    """Whether it may have been at work: then whoever bills its tokens, where that is not the provider, may bill some."""


class ConnectionFailed(ProviderError):
    """The provider could not be reached, or the connection broke."""

    kind = "network"
    retryable = True


class MalformedReply(ProviderError):
    """An answer came that holds no readable image."""

    kind = "malformed"

    def __init__(self, message: str, *, unreadable: bytes | None = None, **details: Unpack[_Details]) -> None:
        super().__init__(message, **details)
        self.unreadable = unreadable
        """Bytes that should have been an image, kept as they came."""
