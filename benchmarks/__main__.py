"""Runs every benchmark and prints its lines."""

from __future__ import annotations

import asyncio

from benchmarks import provider_call

if __name__ == "__main__":
    for line in asyncio.run(provider_call.measure()):
        print(line)
