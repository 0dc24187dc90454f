"""Gradio with next to nothing in it, the peer of the page: empty, or a button that asks an upstream and shows what it kept.

It is what one would write first: a prompt, a button, an image; the answer decoded, written to a folder and shown by its path.
It checks nothing, keeps no record and makes no thumbnail.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import sqlite3
import tempfile
from pathlib import Path

import gradio as gr
import httpx

BODY = {"model": "gpt-image-2", "size": "1024x1024", "quality": "low"}


def picture_page(upstream: str, folder: Path) -> gr.Blocks:
    """A prompt, a button and the picture."""
    names = itertools.count()
    client = httpx.AsyncClient(timeout=60)

    async def draw(prompt: str) -> str:
        answer = await client.post(f"{upstream}/images/generations", json={**BODY, "prompt": prompt})
        path = folder / f"{next(names)}.png"
        path.write_bytes(base64.b64decode(answer.json()["data"][0]["b64_json"]))
        return str(path)

    demo = gr.Blocks()
    with demo:
        box = gr.Textbox(label="Prompt", elem_id="prompt")
        run = gr.Button("Run", elem_id="run")
        shown = gr.Image(type="filepath", elem_id="shown")
        run.click(draw, box, shown, concurrency_limit=None)
    return demo


def empty_page(folder: Path) -> gr.Blocks:
    """One line of text; for programs an endpoint that commits one row with a full sync."""
    rows = sqlite3.connect(folder / "votes.sqlite", check_same_thread=False, isolation_level=None)
    rows.execute("pragma journal_mode=wal")
    rows.execute("pragma synchronous=full")
    rows.execute("create table votes(battle text primary key, outcome text)")

    async def vote(battle_id: str, outcome: str) -> dict[str, object]:
        rows.execute("insert into votes values (?, ?)", [battle_id, outcome])
        return {"counted": True}

    demo = gr.Blocks()
    with demo:
        gr.Markdown("Nothing")
        gr.api(vote, api_name="vote", concurrency_limit=None)
    return demo


def main() -> None:
    """Serves until it is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", help="makes it the page with a picture")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        page = picture_page(given.upstream, folder) if given.upstream else empty_page(folder)
        page.launch(server_port=given.port, quiet=True, ssr_mode=False, allowed_paths=[made], footer_links=[])


if __name__ == "__main__":
    main()
