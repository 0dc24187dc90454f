"""The call as a module of JavaScript with `fetch`, as Node.js 18 and later runs it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from playground.samples.jobs import JOBS, JobTexts
from playground.samples.literals import JAVASCRIPT, Leaf, quoted, source
from playground.samples.subject import Subject
from providers.adapter import Attachment, SecretKey

_AS_BASE64 = 'const asBase64 = async (name) => (await readFile(name)).toString("base64");'
_DATA_URI = "const dataUri = async (name, kind) => `data:${kind};base64,${await asBase64(name)}`;"
_CHECKED = """\
async function checked(sent) {
  const reply = await sent;
  if (!reply.ok) throw new Error(`${reply.status}: ${await reply.text()}`);
  return reply;
}"""
_PAUSE = """\
const end = Date.now() + TIMEOUT;
async function pause() {
  if (Date.now() > end) throw new Error("Not finished in time.");
  await new Promise((resolve) => setTimeout(resolve, 1000));
}"""
_LINES = """\
async function* linesOf(stream) {
  let parts = [];
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const [first, ...others] = chunk.split("\\n");
    parts.push(first);
    for (const next of others) {
      yield parts.join("");
      parts = [next];
    }
  }
  yield parts.join("");
}"""
_SAVE_BASE64 = """\
for (const [index, image] of answer.data.entries()) {
  await writeFile(`result-${index + 1}.<ending>`, Buffer.from(image.b64_json, "base64"));
}"""
_SAVE_EITHER = """\
for (const [index, image] of answer.data.entries()) {
  const bytes = image.url
    ? Buffer.from(await (await checked(fetch(new URL(image.url, `${BASE}/`)))).arrayBuffer())
    : Buffer.from(image.b64_json, "base64");
  await writeFile(`result-${index + 1}.<ending>`, bytes);
}"""
_SAVE_ADDRESSES = """\
for (const [index, address] of addresses.entries()) {
  const image = await (await checked(fetch(address))).arrayBuffer();
  await writeFile(`result-${index + 1}.<ending>`, Buffer.from(image));
}
if (!addresses.length) throw new Error(JSON.stringify(answer));"""
_SAVE_EVENTS = """\
let previews = 0;
let results = 0;
for await (const line of linesOf(reply.body)) {
  if (!line.startsWith("data:") || !line.includes("{")) continue;
  const event = JSON.parse(line.slice(5));
  let name;
  if (event.type.endsWith(".partial_image")) name = `preview-${++previews}.<ending>`;
  else if (event.type.endsWith(".completed")) name = `result-${++results}.<ending>`;
  else throw new Error(line);
  await writeFile(name, Buffer.from(event.b64_json, "base64"));
}
if (!results) throw new Error("No image came.");"""
_PART = """\
// Put together by hand: FormData would change the line breaks of a text.
const boundary = randomUUID();
const head = `--${boundary}\\r\\nContent-Disposition: form-data; `;
const part = (name, content) => [head, name, "\\r\\n\\r\\n", content, "\\r\\n"];
const body = new Blob(["""


def javascript_code(subject: Subject) -> str:
    """The module."""
    job = JOBS.get(subject.adapter)
    blocks = [
        _imports(subject),
        _setting(subject, job),
        *_functions(subject, job),
        _given(subject),
        *_making(subject, job),
    ]
    return "\n\n".join(blocks) + "\n"


def _imports(subject: Subject) -> str:
    names = "readFile, writeFile" if subject.files else "writeFile"
    lines = [f'import {{ {names} }} from "node:fs/promises";']
    if subject.has_own_id or _is_written_out(subject):
        lines.insert(0, 'import { randomUUID } from "node:crypto";')
    return "\n".join(lines)


def _setting(subject: Subject, job: JobTexts | None) -> str:
    lines = [f"const BASE = {_address(subject.base_variable, subject.base_url)};"]
    if subject.uploads and job and "REST" in job.javascript_upload:
        lines.append(f"const REST = {_address(subject.upload_variable, subject.upload_url or '')};")
    key = (
        f' "Authorization": `{subject.scheme} ${{process.env.{subject.key_variable}}}` ' if subject.key_variable else ""
    )
    lines.append(f"const headers = {{{key}}};")
    lines.append(f"const TIMEOUT = {subject.timeout_s * 1000:.0f};")
    if subject.has_own_id:
        lines += ["const taskId = randomUUID();", f"const wanted = {subject.calls[0]};"]
    return "\n".join(lines)


def _address(variable: str, usual: str) -> str:
    return f"process.env.{variable} || {quoted(usual)}" if usual else f"process.env.{variable}"


def _functions(subject: Subject, job: JobTexts | None) -> Iterator[str]:
    if subject.uploads and job:
        yield f"async function upload(name, kind) {{\n{job.javascript_upload}\n}}"
    inline = [file for file in subject.attachments if not subject.is_uploaded(file)]
    if inline:
        has_uri = any(file.form == "data_uri" for file in inline)
        yield "\n".join([_AS_BASE64, *([_DATA_URI] if has_uri else [])])
    yield _CHECKED
    if subject.is_job:
        yield _PAUSE
    if subject.call.is_stream:
        yield _LINES


# What is sent


def _given(subject: Subject) -> str:
    call = subject.call
    if call.json is not None:
        return f"const body = {source(call.json, JAVASCRIPT, lambda leaf: _expression(leaf, subject))};"
    return _written_out(subject) if _is_written_out(subject) else _form(subject)


def _expression(leaf: Leaf, subject: Subject) -> str:
    if isinstance(leaf, SecretKey):
        return f"process.env.{leaf.variable}"
    if not isinstance(leaf, Attachment):
        return "taskId"
    if not subject.is_uploaded(leaf) and leaf.form == "base64":
        return f"await asBase64({quoted(leaf.filename)})"
    way = "upload" if subject.is_uploaded(leaf) else "dataUri"
    return f"await {way}({quoted(leaf.filename)}, {quoted(leaf.media_type)})"


def _is_written_out(subject: Subject) -> bool:
    """Whether the form is put together by hand: `FormData` would send each line break of a text as CR and LF."""
    return any("\n" in value or "\r" in value for _, value in subject.call.form)


def _form(subject: Subject) -> str:
    lines = ["const body = new FormData();"]
    lines += [f"body.append({quoted(name)}, {quoted(value)});" for name, value in subject.call.form]
    for part in subject.call.files:
        blob = f"new Blob([await readFile({quoted(part.filename)})], {{ type: {quoted(part.media_type)} }})"
        lines.append(f"body.append({quoted(part.name)}, {blob}, {quoted(part.filename)});")
    return "\n".join(lines)


def _written_out(subject: Subject) -> str:
    lines = [_PART]
    for name, value in subject.call.form:
        lines.append(f"  ...part({quoted(_named(name))}, {quoted(value)}),")
    for part in subject.call.files:
        head = f'{_named(part.name)}; filename="{part.filename}"\r\nContent-Type: {part.media_type}'
        lines.append(f"  ...part({quoted(head)}, await readFile({quoted(part.filename)})),")
    lines += ["  `--${boundary}--\\r\\n`,", "]);"]
    return "\n".join(lines)


def _named(name: str) -> str:
    return f'name="{name}"'


# Sending, and what is done with the answer


def _making(subject: Subject, job: JobTexts | None) -> Iterator[str]:
    sending = _sending(subject)
    if subject.call.is_stream:
        yield f"const reply = {sending};"
        yield _SAVE_EVENTS.replace("<ending>", subject.ending)
        return
    yield f"let answer = await ({sending}).json();" if job else f"const answer = await ({sending}).json();"
    if job:
        yield job.javascript
    yield _saving(subject, job).replace("<ending>", subject.ending)


def _sending(subject: Subject) -> str:
    call = subject.call
    to = f"BASE + {quoted(call.path)}" if call.path else "BASE"
    further = [f"{quoted(name)}: {quoted(value)}" for name, value in call.headers.items()]
    if call.json is not None:
        further.insert(0, '"Content-Type": "application/json"')
    elif _is_written_out(subject):
        further.insert(0, '"Content-Type": `multipart/form-data; boundary=${boundary}`')
    headers = f"headers: {{ ...headers, {', '.join(further)} }}" if further else "headers"
    body = "body: JSON.stringify(body)" if call.json is not None else "body"
    lines = [
        f"  method: {quoted(call.method)},",
        f"  {headers},",
        f"  {body},",
        "  signal: AbortSignal.timeout(TIMEOUT),",
    ]
    return "await checked(fetch(" + to + ", {\n" + "\n".join(lines) + "\n}))"


def _saving(subject: Subject, job: JobTexts | None) -> str:
    if job:
        return _SAVE_ADDRESSES
    return _SAVE_EITHER if subject.may_answer_with_address else _SAVE_BASE64
