"""The call as a Python script with httpx. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from playground.samples.jobs import JOBS, JobTexts
from playground.samples.literals import PYTHON, Leaf, quoted, source
from playground.samples.subject import Subject
from providers.adapter import Attachment, SecretKey

AS_BASE64 = """\
def as_base64(name):
    return base64.b64encode(Path(name).read_bytes()).decode()"""
_DATA_URI = """\
def data_uri(name, kind):
    return f"data:{kind};base64,{as_base64(name)}\""""
_CHECKED = """\
def checked(reply):
    if reply.is_error:
        raise SystemExit(f"{reply.status_code}: {reply.text}")
    return reply"""
_PAUSE = """\
def pause():
    if time.monotonic() > end:
        raise SystemExit("Not finished in time.")
    time.sleep(1)"""
_SAVE_BASE64 = """\
for number, image in enumerate(answer["data"], 1):
    Path(f"result-{number}.<ending>").write_bytes(base64.b64decode(image["b64_json"]))"""
_SAVE_EITHER = """\
for number, image in enumerate(answer["data"], 1):
    if image.get("url"):
        to = httpx.URL(BASE + "/").join(image["url"])
        data = checked(httpx.get(to, follow_redirects=True, timeout=60)).content
    else:
        data = base64.b64decode(image["b64_json"])
    Path(f"result-{number}.<ending>").write_bytes(data)"""
_SAVE_ADDRESSES = """\
for number, address in enumerate(addresses, 1):
    image = checked(httpx.get(address, follow_redirects=True, timeout=60))
    Path(f"result-{number}.<ending>").write_bytes(image.content)
if not addresses:
    raise SystemExit(str(answer))"""
_SAVE_EVENTS = """\
previews = results = 0
with <opening> as reply:
    if reply.is_error:
        raise SystemExit(f"{reply.status_code}: {reply.read().decode()}")
    for line in reply.iter_lines():
        if not line.startswith("data:") or "{" not in line:
            continue
        event = json.loads(line.removeprefix("data:"))
        if event["type"].endswith(".partial_image"):
            previews += 1
            name = f"preview-{previews}.<ending>"
        elif event["type"].endswith(".completed"):
            results += 1
            name = f"result-{results}.<ending>"
        else:
            raise SystemExit(str(event))
        Path(name).write_bytes(base64.b64decode(event["b64_json"]))
if not results:
    raise SystemExit("No image came.")"""

_MODULES = ("base64", "json", "os", "time", "uuid")


def python_code(subject: Subject) -> str:
    """The script."""
    job = JOBS.get(subject.adapter)
    before, after = [_setting(subject, job), *_functions(subject, job)], list(_making(subject, job))
    return joined([imports([*before, *after], "import httpx"), *before, _given(subject), *after])


def imports(code: Iterable[str], package: str) -> str:
    """What the code needs, and the package's line. No text of anybody's is in `code`: a name may stand there by chance."""
    text = "\n".join(code)
    modules = [name for name in _MODULES if re.search(rf"\b{name}\.", text)]
    return "\n".join([*(f"import {name}" for name in modules), "from pathlib import Path", "", package])


def joined(blocks: list[str]) -> str:
    """The blocks as a file: two empty lines round a function, one elsewhere."""
    text = blocks[0]
    for before, block in zip(blocks, blocks[1:], strict=False):
        has_function = before.startswith("def ") or block.startswith("def ")
        text += ("\n\n\n" if has_function else "\n\n") + block
    return text + "\n"


def address(variable: str, usual: str) -> str:
    """The address by its variable, or the usual one."""
    if not usual:
        return f"os.environ[{quoted(variable)}]"
    return f"os.environ.get({quoted(variable)}) or {quoted(usual)}"


def expression(leaf: Leaf, *, is_uploaded: bool = False) -> str:
    """What stands in a body for a file, a key or an id."""
    if isinstance(leaf, SecretKey):
        return f"os.environ[{quoted(leaf.variable)}]"
    if not isinstance(leaf, Attachment):
        return "task_id"
    if is_uploaded or leaf.form == "data_uri":
        return f"{'upload' if is_uploaded else 'data_uri'}({quoted(leaf.filename)}, {quoted(leaf.media_type)})"
    return f"as_base64({quoted(leaf.filename)})"


def _setting(subject: Subject, job: JobTexts | None) -> str:
    lines = [f"BASE = {address(subject.base_variable, subject.base_url)}"]
    if subject.uploads and job and "REST" in job.python_upload:
        lines.append(f"REST = {address(subject.upload_variable, subject.upload_url or '')}")
    key = (
        f'"Authorization": "{subject.scheme} " + os.environ[{quoted(subject.key_variable)}]'
        if subject.key_variable
        else ""
    )
    lines.append(f"HEADERS = {{{key}}}")
    lines.append(f"TIMEOUT = {subject.timeout_s:.0f}")
    if subject.has_own_id:
        lines += ["task_id = str(uuid.uuid4())", f"wanted = {subject.calls[0]}"]
    if subject.is_job:
        lines.append("end = time.monotonic() + TIMEOUT")
    return "\n".join(lines)


def _functions(subject: Subject, job: JobTexts | None) -> Iterator[str]:
    """Those that are called in what follows."""
    if subject.uploads and job:
        yield f"def upload(name, kind):\n{job.python_upload}"
    inline = [file for file in subject.attachments if not subject.is_uploaded(file)]
    if inline:
        yield AS_BASE64
    if any(file.form == "data_uri" for file in inline):
        yield _DATA_URI
    if not subject.call.is_stream:
        yield _CHECKED
    if subject.is_job:
        yield _PAUSE


def _given(subject: Subject) -> str:
    """What is sent."""
    call = subject.call
    if call.json is not None:
        body = source(call.json, PYTHON, lambda leaf: _expression(leaf, subject))
        return f"body = {body}"
    form = source(dict(call.form), PYTHON, lambda leaf: _expression(leaf, subject))
    files = "".join(
        f"    ({quoted(part.name)}, {file_tuple(part.filename, part.media_type)}),\n" for part in call.files
    )
    return f"form = {form}\nfiles = [\n{files}]"


def _expression(leaf: Leaf, subject: Subject) -> str:
    return expression(leaf, is_uploaded=isinstance(leaf, Attachment) and subject.is_uploaded(leaf))


def file_tuple(name: str, media_type: str) -> str:
    """Name, bytes and type of a file of the folder."""
    return f"({quoted(name)}, Path({quoted(name)}).read_bytes(), {quoted(media_type)})"


def _making(subject: Subject, job: JobTexts | None) -> Iterator[str]:
    if subject.call.is_stream:
        opening = f'httpx.stream(\n    "POST",\n{_sending(subject)})'
        yield _SAVE_EVENTS.replace("<ending>", subject.ending).replace("<opening>", opening)
        return
    yield f"answer = checked(httpx.post(\n{_sending(subject)})).json()"
    if job:
        yield job.python
    yield _saving(subject, job).replace("<ending>", subject.ending)


def _sending(subject: Subject) -> str:
    """Arguments of the call."""
    call = subject.call
    further = ", ".join(f"{quoted(name)}: {quoted(value)}" for name, value in call.headers.items())
    lines = [
        f"BASE + {quoted(call.path)}" if call.path else "BASE",
        f"headers=HEADERS | {{{further}}}" if further else "headers=HEADERS",
        *(["json=body"] if call.json is not None else ["data=form", "files=files"]),
        "timeout=TIMEOUT",
    ]
    return "".join(f"    {line},\n" for line in lines)


def _saving(subject: Subject, job: JobTexts | None) -> str:
    if job:
        return _SAVE_ADDRESSES
    return _SAVE_EITHER if subject.may_answer_with_address else _SAVE_BASE64
