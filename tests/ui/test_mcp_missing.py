"""`serve --mcp` where the package for it is missing, or another line of it: a plain refusal before anything is opened."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize(("version", "words"), [(None, "is not installed"), ("2.3.0", "is version 2.3.0")])
@pytest.mark.parametrize("way", ["option", "variable"])
def test_it_is_asserted_to_be_there(
    here: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, version: str | None, words: str, way: str
) -> None:
    def told(_name: str) -> str:
        if version is None:
            raise importlib.metadata.PackageNotFoundError
        return version

    monkeypatch.setattr(importlib.metadata, "version", told)
    options = ["--mcp"] if way == "option" else []
    env = {"DIPTYCH_MCP": "on"} if way == "variable" else {}
    code, document, said = here("serve", *options, "--json", env=env)
    assert code == 2
    assert document["problems"][0]["field"] == "DIPTYCH_MCP"
    assert f"the package mcp {words}" in said
    assert "requirements-mcp.txt" in said
