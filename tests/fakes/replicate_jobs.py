"""One prediction of the fake of Replicate: its state, and the object a client sees."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from tests.fakes.faults import Fault
from tests.fakes.replicate_rules import MODELS

Status = Literal["starting", "processing", "succeeded", "failed", "canceled", "aborted"]
"""`canceled` is the service's spelling."""


def now() -> str:
    """The present time as the service writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class ReplicateJob:
    """One prediction."""

    id: str
    model: str
    input: Mapping[str, Any]
    """As sent, the OpenAI key redacted."""
    fault: Fault | None
    pending: int
    """Polls to answer before it ends."""
    made_at: float
    """Seconds of the monotonic clock."""
    status: Status = "starting"
    polls: int = 0
    """GETs of it, those that broke too."""
    cancelled: bool = False
    steps: int = 0
    """Polls that were answered in full."""
    output: list[str] | None = None
    error: str | None = None
    logs: str = ""
    created_at: str = field(default_factory=now)
    started_at: str | None = None
    completed_at: str | None = None
    images: int = 0

    @property
    def ended(self) -> bool:
        """Whether its status is final."""
        return self.status not in ("starting", "processing")

    def finish(self, status: Status) -> None:
        """Ends it."""
        self.status, self.completed_at = status, now()
        if status in ("succeeded", "failed"):
            self.started_at = self.started_at or self.created_at

    def described(self, origin: str) -> dict[str, Any]:
        """The prediction object, with addresses at the server of this origin."""
        address = f"{origin}/v1/predictions/{self.id}"
        times = {"predict_time": 12.7, "total_time": 12.9, "image_count": self.images}
        return {
            "id": self.id,
            "model": self.model,
            "version": MODELS[self.model].version,
            "status": self.status,
            "input": self.input,
            "output": self.output,
            "error": self.error,
            "logs": self.logs,
            "created_at": self.created_at,
            "started_at": self.started_at,
            "completed_at": self.completed_at,
            "data_removed": False,
            "metrics": times if self.status == "succeeded" else {},
            "urls": {"get": address, "cancel": f"{address}/cancel", "web": f"https://replicate.com/p/{self.id}"},
        }
