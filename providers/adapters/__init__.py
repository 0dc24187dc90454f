"""One file for each wire format, no I/O. `ADAPTERS` names them for the rows of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping

from providers.adapter import Adapter
from providers.adapters.openai import OpenAIAdapter

ADAPTERS: Mapping[str, Adapter] = {"openai": OpenAIAdapter()}
