"""A session of the page holds what is its own and no copy of the page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from gradio.state_holder import SessionState

from tests.harness import Harness
from ui.blocks import build_app


@pytest.mark.asyncio
async def test_a_session_describes_no_component_and_keeps_no_value_of_one(harness: Callable[..., Harness]) -> None:
    demo = build_app(harness().app)
    described = demo.config["components"]
    session = SessionState(demo)
    prompt = next(item["id"] for item in described if item["props"].get("elem_id") == "pg-prompt")
    session._update_value_in_config(prompt, "A fox " * 1000)
    session._update_config(prompt)
    assert list(session.components) == []
    # The components themselves are there, and the page still describes them.
    assert prompt in session
    assert len(demo.get_config_file()["components"]) == len(described) > 100
