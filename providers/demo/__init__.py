"""The Demo provider: OpenAI's image routes answered in process with drawn pictures. Free, offline, deterministic."""

from providers.demo.server import DemoReply, DemoServer
from providers.demo.wire_requests import MODELS

__all__ = ["MODELS", "DemoReply", "DemoServer"]
