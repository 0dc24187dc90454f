"""What a sample is of: one planned call, and how its provider is reached. Holds no key and no file's contents are shown."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from playground.plan import PlannedRun
from playground.samples.jobs import JOBS
from playground.samples.literals import leaves
from providers.adapter import Attachment, CallId, FilePart, HttpCall
from providers.transport import Access, address_of

BASE_VARIABLE = "BASE_URL"
"""Names the address in a sample where the provider has no variable of its own."""
_ENDINGS = {"jpeg": "jpg", "jpg": "jpg", "webp": "webp", "gif": "gif", "avif": "avif"}


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that goes along."""

    name: str
    """Under which a sample reads it from its folder, as `image-1.png`."""
    media_type: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Subject:
    """One call as a sample shows it."""

    call: HttpCall
    """The object that is sent."""
    adapter: str
    """Which wire format it is in."""
    provider_name: str
    url: str
    """The whole address of the call."""
    base_url: str
    """Where it goes unless the variable says otherwise; empty: there is no address, and the variable must be set."""
    base_variable: str
    key_variable: str | None
    """Environment variable with the key; `None`: it is sent without one."""
    scheme: str
    """What stands before the key in the header."""
    upload_url: str | None
    """Where files are uploaded first; `None`: they travel inside the call."""
    upload_variable: str
    timeout_s: float
    calls: tuple[int, ...]
    """Images asked for by each call of the run, of which this is the first."""
    ending: str
    """Of the files it makes."""

    @property
    def is_job(self) -> bool:
        """Whether the answer names a job that is asked for until it ends."""
        return self.adapter in JOBS

    @property
    def calls_note(self) -> str:
        """How many calls there are beside this one; empty when it is the only one."""
        if len(self.calls) == 1:
            return ""
        each = f"each for {_images(self.calls[0])}"
        if len(set(self.calls)) > 1:
            each = f"for {', '.join(str(count) for count in self.calls[:-1])} and {_images(self.calls[-1])}"
        return f"The first of {len(self.calls)} calls that go out at once, {each}."

    @property
    def may_answer_with_address(self) -> bool:
        """Whether an answer that is no job may hold the address of an image in place of its bytes."""
        form = dict(self.call.form) if self.call.json is None else self.call.json
        return self.adapter == "compatible" and isinstance(form, dict) and form.get("response_format") != "b64_json"

    @property
    def files(self) -> tuple[SentFile, ...]:
        """What it reads from disk, each once."""
        found: list[FilePart | Attachment] = [*self.call.files, *self.attachments]
        named = {item.filename: item for item in found}
        return tuple(SentFile(name, item.media_type, len(item.data), item.sha256) for name, item in named.items())

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """Files inside a JSON body."""
        return tuple(leaf for leaf in leaves(self.call.json) if isinstance(leaf, Attachment))

    @property
    def uploads(self) -> tuple[Attachment, ...]:
        """Those of them that are uploaded first."""
        return tuple(item for item in self.attachments if self.is_uploaded(item))

    @property
    def has_own_id(self) -> bool:
        """Whether the body holds an id that the sender makes up."""
        return any(isinstance(leaf, CallId) for leaf in leaves(self.call.json))

    def is_uploaded(self, file: Attachment) -> bool:
        """Whether the file goes to the upload address first, and stands in the body by the address it has there."""
        return file.upload and self.upload_url is not None


def subject_of(run: PlannedRun, access: Access, *, has_key: bool) -> Subject:
    """The run's first call. `access` may be without a key, and is not asked for it; `has_key`: whether one is sent."""
    provider = run.provider
    return Subject(
        call=run.call,
        adapter=provider.adapter,
        provider_name=provider.name,
        url=address_of(run.call, access),
        base_url="" if _has_no_server(access.base_url) else access.base_url,
        base_variable=provider.base_url_variable or BASE_VARIABLE,
        key_variable=provider.key_variable if has_key else None,
        scheme="Key" if provider.auth == "key" else "Bearer",
        upload_url=access.upload_url,
        upload_variable=provider.upload_url_variable or "UPLOAD_URL",
        timeout_s=run.request.timeout_s,
        calls=tuple(planned.images for planned in run.calls),
        ending=_ending(run),
    )


def _images(count: int) -> str:
    return f"{count} image" if count == 1 else f"{count} images"


def _has_no_server(base_url: str) -> bool:
    """Whether it is an address that by RFC 2606 nobody has: what answers there, as the Demo, is inside this app."""
    return (urlsplit(base_url).hostname or "").endswith(".invalid")


def _ending(run: PlannedRun) -> str:
    """That of the format the provider is asked for; where none is, of PNG."""
    sent = next((row.value for row in run.fields if row.field == "output_format" and row.sent_as), None)
    return _ENDINGS.get(str(sent).lower(), "png")
