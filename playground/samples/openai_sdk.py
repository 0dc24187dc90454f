"""The call with OpenAI's own Python client, where it is in OpenAI's format. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from playground.samples.literals import PYTHON, Leaf, quoted, source
from playground.samples.python import AS_BASE64, address, expression, file_tuple, imports, joined
from playground.samples.subject import Subject
from providers.adapter import FilePart
from providers.adapters.openai_shape import EDITS

SPEAKS = ("openai", "lumenfall", "compatible")
"""Adapters of the routes that the client knows."""
GENERATE = frozenset(
    {
        *("model", "prompt", "n", "size", "quality", "background", "output_format", "output_compression"),
        *("moderation", "style", "response_format", "stream", "partial_images", "user"),
    }
)
"""Arguments of `images.generate` that are used. Source: OpenAI's Python SDK 3.52.0; a test compares."""
EDIT = (GENERATE - {"moderation", "style"}) | {"input_fidelity"}
"""Arguments of `images.edit`, beside the files."""
_NUMBERS = ("n", "output_compression", "partial_images")

_SAVE_BASE64 = """\
for number, image in enumerate(answer.data, 1):
    Path(f"result-{number}.<ending>").write_bytes(base64.b64decode(image.b64_json))"""
_SAVE_EITHER = """\
for number, image in enumerate(answer.data, 1):
    if image.url:
        data = urlopen(urljoin(str(client.base_url), image.url)).read()
    else:
        data = base64.b64decode(image.b64_json)
    Path(f"result-{number}.<ending>").write_bytes(data)"""
_SAVE_EVENTS = """\
previews = results = 0
for event in answer:
    if event.type.endswith(".partial_image"):
        previews += 1
        name = f"preview-{previews}.<ending>"
    else:
        results += 1
        name = f"result-{results}.<ending>"
    Path(name).write_bytes(base64.b64decode(event.b64_json))
if not results:
    raise SystemExit("No image came.")"""


def why_not(subject: Subject) -> str:
    """Why the client cannot make this call; empty when it can."""
    if subject.adapter not in SPEAKS:
        return f"OpenAI’s client does not speak the format of {subject.provider_name}."
    if not _has_usual_files(subject.call.files):
        return "OpenAI’s client has names of its own for the files, and this server was set to others."
    return ""


def _has_usual_files(files: tuple[FilePart, ...]) -> bool:
    """Whether the files are named as the client names them: one `image` or several `image[]`, and a `mask`."""
    names = Counter(part.name for part in files)
    images = {name: count for name, count in names.items() if name != "mask"}
    return images in ({}, {"image": 1}) or set(images) == {"image[]"}


def sdk_code(subject: Subject) -> str:
    """The script. Only for a call of which `why_not` says nothing."""
    call = subject.call
    inline = [AS_BASE64] if subject.attachments else []
    before = [_client(subject), *inline]
    making = f"answer = client.images.{'edit' if call.path == EDITS else 'generate'}(\n{_arguments(subject)})"
    saving = _saving(subject).replace("<ending>", subject.ending)
    package = "from openai import OpenAI"
    if "urlopen(" in saving:
        return joined([_with_urlopen(imports([*before, saving], package)), *before, making, saving])
    return joined([imports([*before, saving], package), *before, making, saving])


def _with_urlopen(text: str) -> str:
    return text.replace(
        "from pathlib import Path",
        "from pathlib import Path\nfrom urllib.parse import urljoin\nfrom urllib.request import urlopen",
    )


def _client(subject: Subject) -> str:
    # The client wants a key, also for a server that wants none.
    key = f"os.environ[{quoted(subject.key_variable)}]" if subject.key_variable else '"none"'
    return f"""\
client = OpenAI(
    base_url={address(subject.base_variable, subject.base_url)},
    api_key={key},
    timeout={subject.timeout_s:.0f},
    max_retries=0,  # each try may be paid for
)"""


def _arguments(subject: Subject) -> str:
    call = subject.call
    known = EDIT if call.path == EDITS else GENERATE
    given = dict(_typed(dict(call.form))) if call.json is None else _as_mapping(call.json)
    lines = [f"    {name}={_source(value)},\n" for name, value in given.items() if name in known]
    lines += _files(call.files)
    further = {name: value for name, value in given.items() if name not in known}
    if further:
        lines.append(f"    extra_body={_source(further)},\n")
    return "".join(lines)


def _source(value: object) -> str:
    return source(value, PYTHON, _expression, 1)


def _expression(leaf: Leaf) -> str:
    return expression(leaf)


def _as_mapping(body: object) -> Mapping[str, object]:
    return body if isinstance(body, Mapping) else {}


def _typed(form: Mapping[str, str]) -> Iterator[tuple[str, object]]:
    """The fields of a form as the client wants them given; it writes them as the same text."""
    for name, value in form.items():
        if name in _NUMBERS and value.isdecimal():
            yield name, int(value)
        else:
            yield name, value == "true" if name == "stream" else value


def _files(files: tuple[FilePart, ...]) -> list[str]:
    images = [file_tuple(part.filename, part.media_type) for part in files if part.name != "mask"]
    masks = [file_tuple(part.filename, part.media_type) for part in files if part.name == "mask"]
    is_list = any(part.name == "image[]" for part in files)
    several = "".join(f"        {one},\n" for one in images)
    lines = [f"    image=[\n{several}    ],\n"] if is_list else [f"    image={one},\n" for one in images]
    return lines + [f"    mask={one},\n" for one in masks]


def _saving(subject: Subject) -> str:
    if subject.call.is_stream:
        return _SAVE_EVENTS
    return _SAVE_EITHER if subject.may_answer_with_address else _SAVE_BASE64
