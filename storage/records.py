"""What the store keeps, as values: one frozen dataclass for each kind of row.

What was asked, what was sent and what came back are three columns of a run and are never folded into one. Times are
UTC text as `2026-08-21T10:15:30.123Z`, so that text order is time order. Money is integer micro-dollars; `None` is
unknown and `0` is known to be free.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

GroupKind = Literal["run", "compare", "parity", "sweep", "battle"]
Operation = Literal["generate", "edit"]
RunState = Literal["queued", "sending", "waiting", "downloading", "succeeded", "failed", "cancelled", "unknown"]
LedgerState = Literal["reserved", "settled", "released", "unknown"]
CostSource = Literal["reported", "computed", "estimated", "by_hand", "unknown"]
"""The provider's figure, its usage times the price, the price table alone, what a person found out, or nothing."""
LimitSpan = Literal["run", "session", "day", "month", "visitor_day", "visitor_month"]
LimitAction = Literal["block", "warn"]
InputRole = Literal["image", "mask"]
DerivedKind = Literal["locked", "drift"]
LockState = Literal["due", "made", "refused"]
BattleState = Literal["open", "voted", "skipped", "expired", "reported"]
BoardName = Literal["generate", "edit-single", "edit-multi"]
"""What is compared: images from a prompt, edits of one image, or of several."""
Question = Literal["better", "follows", "looks"]
"""What is asked of a voter; the first always, the others when they like."""
Answer = Literal["a", "b", "tie"]
"""To a second question."""
ExclusionKind = Literal["favourite", "side", "agreement", "too_fast", "by_hand"]
ReportReason = Literal["broken", "offensive", "maker_shown", "other"]
BattleSource = Literal["history", "new", "chosen"]
"""Drawn among images that were there, made for the battle, or two that the voter picked with their makers in sight."""
Outcome = Literal["a", "b", "tie", "both_bad"]

OPEN_STATES: tuple[RunState, ...] = ("queued", "sending", "waiting", "downloading")
"""States of a run that somebody still has to end."""

Json = Mapping[str, object]
Document = Mapping[str, Any]
"""JSON that this app wrote into a column of its own: as with rows, the writer vouches for the types."""


@dataclass(frozen=True, slots=True)
class Group:
    """The runs of one press of Run."""

    group_id: str
    owner: str
    """Who pressed: `local` on a machine of one's own, otherwise a hash of the visitor's token."""
    kind: GroupKind
    operation: Operation
    template: str
    """The prompt as typed, before variables are filled in."""
    created_at: str
    layout: Json | None = None
    """Axes and cells of a sweep, see `playground.sweeps`; `None`: runs in a row."""


@dataclass(frozen=True, slots=True)
class RunError:
    """Why a run did not end well, in words that can be shown."""

    kind: str
    message: str
    param: str | None = None
    """The field the provider blames, by its name there."""
    status: int | None = None
    """HTTP status, where one was received."""
    retryable: bool = False
    retry_after_s: float | None = None
    may_have_been_billed: bool = False


@dataclass(frozen=True, slots=True)
class StoredImage:
    """One image a run produced; its bytes lie in the blob folder under `sha256`, exactly as they came."""

    image_id: str
    run_id: str
    position: int
    """0-based place among the images of the run."""
    sha256: str
    media_type: str
    width: int
    height: int
    size_bytes: int
    created_at: str
    seed: int | None = None
    revised_prompt: str | None = None
    checks: tuple[str, ...] = ()
    """What was noticed about the image, by kind; see `playground.delivery`."""
    converted_sha256: str | None = None
    """Blob with the same picture in the format that was asked, made here; the original stays."""
    converted_type: str | None = None
    """Media type of that blob; `None` where there is none."""
    phash: str | None = None
    """How it looks: 64 bits in hexadecimal, see `playground.delivery.phash_of`. `None`: not looked at, or unreadable."""
    favourite: bool = False
    stars: int = 0
    """0 (none) to 5."""
    trashed_at: str | None = None
    """When it went to the trash; `None`: it is not there."""
    deleted_at: str | None = None
    """When its bytes were deleted for ever; such a row stays only where a battle needs it."""


@dataclass(frozen=True, slots=True)
class DerivedImage:
    """A picture made here of an image a run produced; the image itself stays as it came."""

    image_id: str
    kind: DerivedKind
    """`locked`: the original put back outside the mask. `drift`: a heat map of where the answer is off there."""
    sha256: str
    media_type: str
    width: int
    height: int
    size_bytes: int
    figures: Document
    """What was measured; see `playground.locking.Drift`."""
    created_at: str


@dataclass(frozen=True, slots=True)
class ImageLock:
    """How the lock outside the mask stands for one image, with what was made."""

    image_id: str
    state: LockState
    """`due` until it is made, or is found to be impossible."""
    note: str
    """Why it was refused, or what had to be done to the answer first, as a sentence; may be empty."""
    tries: int
    """How often it was begun."""
    at: str
    locked: DerivedImage | None = None
    drift: DerivedImage | None = None


@dataclass(frozen=True, slots=True)
class StoredInput:
    """One reference image or mask a run was given."""

    run_id: str
    position: int
    """0-based; the first image is the base that a mask belongs to."""
    role: InputRole
    sha256: str
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Template:
    """A prompt that somebody kept under a name."""

    template_id: str
    owner: str
    name: str
    """One line, 1 to 80 characters; one owner has it once."""
    prompt: str
    settings: Json | None
    """The form's settings that were kept with it; `None`: the prompt alone."""
    updated_at: str


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture somebody brought along, kept from the moment it was dropped, whether or not a run uses it."""

    owner: str
    sha256: str
    media_type: str
    width: int
    height: int
    size_bytes: int
    name: str
    """The file's name as the browser gave it: to show, never to open."""
    created_at: str


@dataclass(frozen=True, slots=True)
class StoredPartial:
    """A preview that came before the image was done."""

    run_id: str
    image_position: int
    partial_position: int
    sha256: str
    media_type: str
    at: str


@dataclass(frozen=True, slots=True)
class StoredJob:
    """One call of a run that the provider took as a job of its own, to be fetched later, even after a restart."""

    run_id: str
    position: int
    """Which call of the run, from 0."""
    provider: str
    remote_id: str
    """The provider's id of the job. At one provider, one id belongs to one call of one run."""
    tracking: Mapping[str, str]
    """What the adapter needs to ask for the job again, as addresses the provider named; never a key."""
    images: int
    """How many images this call asked for."""
    first_position: int
    """Place in the run of its first image."""
    claimed_at: str
    ended: Json | None = None
    """How it ended, in the caller's words; `None` while it has not."""


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One line of the ledger. The sum of these lines is the spend; nothing else is."""

    ledger_id: str
    run_id: str
    state: LedgerState
    amount_microusd: int | None
    """Reserved: what was estimated. Settled: what it cost. Released: 0. `None`: nobody knows."""
    source: CostSource
    price_id: str | None
    """Which price row was used, for example `openai/gpt-image-2@2026-11-21`."""
    at: str
    payer: str | None = None
    """provider_id of whoever bills it; `None`: the provider that is asked."""
    session: str = ""
    """The process that reserved it."""
    reserved_at: str | None = None
    """`None`: as `at`. It decides the day on which the line counts."""
    settled_by: str | None = None
    """Who settled it by hand."""
    note: str = ""
    """What they wrote beside it."""


@dataclass(frozen=True, slots=True)
class Run:
    """One request to one offer, from the press of Run to its end."""

    run_id: str
    group_id: str
    owner: str
    position: int
    """0-based place in its group."""
    offer: str
    """`provider/model`, as `openai/gpt-image-2`."""
    operation: Operation
    prompt: str
    asked: Json
    """Canonical fields as the person set them; see `playground.plan.asked_document`."""
    state: RunState
    queued_at: str
    estimate_microusd: int | None
    sent: Json | None = None
    """Fields of the provider's request, without keys and without image bytes."""
    got: Json | None = None
    """What the provider says it used: size, quality, background, output_format, usage."""
    worker: str | None = None
    """The process that carries the run out; its lock file tells whether it lives."""
    key_source: str | None = None
    """`server`, `session` or `none`: where the key comes from, never the key."""
    sent_at: str | None = None
    finished_at: str | None = None
    latency_ms: int | None = None
    """Call sent to last byte received, monotonic clock."""
    first_byte_ms: int | None = None
    """Call sent to the head of the answer."""
    first_preview_ms: int | None = None
    request_id: str | None = None
    remote_id: str | None = None
    unreadable_sha256: str | None = None
    """Blob with bytes of an answer that could not be read as an image, kept as they came."""
    error: RunError | None = None
    trashed_at: str | None = None
    """When nothing of it was left outside the trash; `None`: lists show it."""
    deleted_at: str | None = None
    """When it was deleted for ever: the row stays for the ledger, without words and pictures."""
    note: str = ""
    tags: tuple[str, ...] = ()
    """In the order of the alphabet."""
    brought_at: str | None = None
    """When it came in an archive; `None`: it was made here."""


@dataclass(frozen=True, slots=True)
class RunView:
    """A run with all that a page shows of it."""

    run: Run
    images: tuple[StoredImage, ...]
    """Those that are not in the trash."""
    inputs: tuple[StoredInput, ...]
    partials: tuple[StoredPartial, ...]
    cost_microusd: int | None
    """Sum of the settled lines; `None` while reserved or when unknown."""
    cost_source: CostSource
    ledger_state: LedgerState
    locks: tuple[ImageLock, ...] = ()
    """Of those images that are locked outside a mask, in the order of the images."""
    trashed: tuple[StoredImage, ...] = ()
    """Its images in the trash."""

    @property
    def all_images(self) -> tuple[StoredImage, ...]:
        """In the trash or not, in order: all that the run made and that was not deleted for ever."""
        return tuple(sorted((*self.images, *self.trashed), key=_place)) if self.trashed else self.images

    def lock_of(self, image_id: str) -> ImageLock | None:
        """How the lock stands for one of the images; `None` where none was asked."""
        return next((lock for lock in self.locks if lock.image_id == image_id), None)


def _place(image: StoredImage) -> int:
    return image.position


@dataclass(frozen=True, slots=True)
class Battle:
    """Two images of one prompt, shown blind. Side a and side b were drawn by the server's coin."""

    battle_id: str
    """128 random bits; all that the browser learns before the vote."""
    voter: str
    operation: Operation
    prompt: str
    image_a: str
    """`image_id` on side a."""
    image_b: str
    offer_a: str
    offer_b: str
    source: BattleSource
    is_demo: bool
    """Battles of drawn pictures are kept apart from real ratings."""
    probability: float
    """Chance with which this pair was drawn."""
    state: BattleState
    created_at: str
    expires_at: str
    board: BoardName = "generate"
    category: str = "own"
    """Of the prompt bank, or `own`."""
    prompt_id: str | None = None
    """In the prompt bank."""
    quality_a: str = "auto"
    """As asked."""
    quality_b: str = "auto"
    shown_at: str | None = None
    """When it was last put before its voter; `None`: never."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One judgement of one battle; there is never a second."""

    battle_id: str
    voter: str
    outcome: Outcome
    decided_ms: int | None
    counted: bool
    """Counts on its voter's own board, and on everybody's where no reason speaks against it."""
    reason: str | None
    """Why it does not count on everybody's boards; `None`: it does, as long as its voter is not left out."""
    voted_at: str
    follows: Answer | None = None
    """Which follows the prompt better, where it was said."""
    looks: Answer | None = None
    """Which looks better, where it was said."""
