"""Runs every benchmark and prints its lines."""

from __future__ import annotations

import asyncio

from benchmarks import provider_call, ratings

if __name__ == "__main__":
    for line in (*ratings.measure(), *asyncio.run(provider_call.measure())):
        print(line)
