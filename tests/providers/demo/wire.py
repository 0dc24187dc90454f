"""Calls to the demo server as a client puts them on the wire, and its replies taken apart."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from providers.demo import DemoServer

SMALL = "1024x640"
"""The smallest legal area keeps the tests fast."""


@dataclass(frozen=True)
class File:
    """A file part of a form."""

    field: str
    content: bytes
    mime: str = "image/png"
    name: str = "image.png"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    chunks: Sequence[bytes]

    @property
    def json(self) -> Any:
        return json.loads(b"".join(self.chunks))

    @property
    def error(self) -> Any:
        return self.json["error"]

    def events(self) -> list[tuple[str, Any]]:
        """(event name, data) pairs of a stream."""
        found = []
        for block in b"".join(self.chunks).decode().strip().split("\n\n"):
            name, data = block.split("\n")
            found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
        return found

    def images(self) -> list[Image.Image]:
        return [decoded(row["b64_json"]) for row in self.json["data"]]


def decoded(b64_json: str) -> Image.Image:
    picture = Image.open(io.BytesIO(base64.b64decode(b64_json)))
    picture.load()
    return picture


async def call(method: str, path: str, headers: Mapping[str, str], body: bytes, *, pace: float = 0) -> Answer:
    reply = await DemoServer(pace=pace).answer(method, path, headers, body)
    return Answer(reply.status, reply.headers, [chunk async for chunk in reply.chunks])


async def generate(prompt: object = "hello world", **fields: object) -> Answer:
    sent = {"model": "flat", "size": SMALL, "quality": "low", "prompt": prompt, **fields}
    return await call("POST", "/v1/images/generations", {"Content-Type": "application/json"}, json.dumps(sent).encode())


async def edit(prompt: str, files: Sequence[File], **fields: str) -> Answer:
    sent = {"model": "flat", "quality": "low", "prompt": prompt, **fields}
    content_type, body = form(sent, files)
    return await call("POST", "/v1/images/edits", {"CONTENT-TYPE": content_type}, body)


def form(fields: Mapping[str, str], files: Sequence[File]) -> tuple[str, bytes]:
    """A multipart body written as the official SDK writes it: text parts first, then files, CRLF throughout."""
    boundary = "a1b2c3d4e5f60718"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    parts += [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{file.field}"; filename="{file.name}"\r\n'
        f"Content-Type: {file.mime}\r\n\r\n".encode()
        + file.content
        + b"\r\n"
        for file in files
    ]
    return f"multipart/form-data; boundary={boundary}", b"".join(parts) + f"--{boundary}--\r\n".encode()


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def base_picture(size: tuple[int, int] = (1024, 640), seed: int = 1) -> Image.Image:
    """A picture with shapes and a gradient, another for each seed."""
    height, width = size[1], size[0]
    y, x = np.mgrid[0:height, 0:width]
    disc = np.hypot(x - width * 0.6, y - height * 0.4) < height * 0.3
    blue = np.where(disc, 255 - seed * 11 % 256, seed * 11 % 256)
    layers = np.stack([x * 255 / width, y * 255 / height, blue], axis=2)
    return Image.fromarray(layers.astype(np.uint8))


def half_mask(size: tuple[int, int] = (1024, 640)) -> Image.Image:
    """Alpha 0 (repaint) in an ellipse left of the middle, opaque elsewhere."""
    mask = Image.new("RGBA", size, (0, 0, 0, 255))
    ImageDraw.Draw(mask).ellipse((100, 100, 480, 560), fill=(0, 0, 0, 0))
    return mask


def pixels(picture: Image.Image) -> np.ndarray[Any, np.dtype[np.int16]]:
    return np.asarray(picture.convert("RGB"), dtype=np.int16)


def distance(first: Image.Image, second: Image.Image) -> float:
    """Mean difference per channel, 0 to 255."""
    return float(np.abs(pixels(first) - pixels(second)).mean())
