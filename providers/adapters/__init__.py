"""One file for each wire format, no I/O. `ADAPTERS` names them for the rows of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping

from providers.adapter import Adapter
from providers.adapters.compatible import CompatibleAdapter
from providers.adapters.fal import FalAdapter
from providers.adapters.lumenfall import LumenfallAdapter
from providers.adapters.openai import OpenAIAdapter
from providers.adapters.replicate import ReplicateAdapter
from providers.adapters.runware import RunwareAdapter

ADAPTERS: Mapping[str, Adapter] = {
    "openai": OpenAIAdapter(),
    "replicate": ReplicateAdapter(),
    "runware": RunwareAdapter(),
    "lumenfall": LumenfallAdapter(),
    "fal": FalAdapter(),
    "compatible": CompatibleAdapter(),
}
