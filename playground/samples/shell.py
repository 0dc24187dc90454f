"""The call as a shell script of curl and jq. Pure.

It runs in a subshell, so that a failure does not close the terminal it was pasted into, and has no comments, which zsh does
not know there. Whatever somebody typed stands in single quotes, where nothing means anything to any shell: not `$`, not
backticks, not the `!` of an interactive one.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from playground.samples.jobs import JOBS, JobTexts
from playground.samples.literals import JSON, Leaf, tokens
from playground.samples.subject import Subject
from providers.adapter import Attachment, SecretKey

_LONGEST_ARGUMENT = 100_000
"""Bytes; Linux refuses an argument of 128 KiB. What is longer is piped."""
_CURL = "curl -sS --fail-with-body"
_OR_SAY_WHY = "|| { cat answer.json >&2; exit 1; }"
_NONE_CAME = '[ "$n" -gt 0 ] || { cat answer.json >&2; exit 1; }'
_IN_TIME = """\
in_time() {
  sleep 1
  [ "$(date +%s)" -lt "$END" ] || { echo 'Not finished in time.' >&2; exit 1; }
}"""
_NEW_ID = "ID=$( (uuidgen || cat /proc/sys/kernel/random/uuid) 2> /dev/null | tr 'A-F' 'a-f')"
"""Not every Linux has `uuidgen`; a Mac writes it in capitals."""


def shell_code(subject: Subject) -> str:
    """The script."""
    job = JOBS.get(subject.adapter)
    return (
        "\n".join(["(", "set -e", *_setting(subject, job), "", *_sending(subject), *_ending(subject, job), ")"]) + "\n"
    )


def quoted(text: str) -> str:
    """The text as one word of a shell."""
    return "'" + _within(text) + "'"


def _within(text: str) -> str:
    return text.replace("'", "'\\''")


def _in_double(text: str) -> str:
    """The text within double quotes, also as the default of a variable."""
    return re.sub(r'([\\"$`}])', r"\\\1", text)


# Before the call


def _setting(subject: Subject, job: JobTexts | None) -> Iterator[str]:
    if subject.base_url:
        yield f'BASE="${{{subject.base_variable}:-{_in_double(subject.base_url)}}}"'
    else:
        yield f'BASE="${{{subject.base_variable}:?is not set}}"'
    if subject.is_job:
        yield f'AUTH="{_authorization(subject)}"'
        yield f"END=$(($(date +%s) + {subject.timeout_s:.0f}))"
        yield _IN_TIME
    if subject.has_own_id:
        yield _NEW_ID
        yield f"WANTED={subject.calls[0]}"
    if subject.attachments:
        # A file that is missing would otherwise be sent as an empty one.
        yield f"ls {' '.join(shlex.quote(file.name) for file in subject.files)} > /dev/null"
    yield from _uploads(subject, job)


def _uploads(subject: Subject, job: JobTexts | None) -> Iterator[str]:
    if not subject.uploads or job is None:
        return
    if "$REST" in job.curl_upload:
        yield f'REST="${{{subject.upload_variable}:-{_in_double(subject.upload_url or "")}}}"'
    yield f"upload() {{\n{job.curl_upload}\n}}"
    for file in subject.uploads:
        yield f"{_variable(file)}=$(upload {shlex.quote(file.filename)} {shlex.quote(file.media_type)})"


def _variable(file: Attachment) -> str:
    """`IMAGE_1` for `image-1.png`."""
    return re.sub(r"\W", "_", file.filename.rpartition(".")[0]).upper()


def _authorization(subject: Subject) -> str:
    return f"Authorization: {subject.scheme} ${subject.key_variable}"


# The call


def _sending(subject: Subject) -> Iterator[str]:
    given, arguments = _body(subject)
    lines = [
        f"{given}{_CURL} --max-time {subject.timeout_s:.0f}",
        f'  "$BASE{_in_double(subject.call.path)}"',
        *(f"  -H {header}" for header in _headers(subject)),
        *(f"  {argument}" for argument in arguments),
        f"  -o answer.json {_OR_SAY_WHY}",
    ]
    yield " \\\n".join(lines)


def _headers(subject: Subject) -> Iterator[str]:
    if subject.is_job:
        yield '"$AUTH"'
    elif subject.key_variable:
        yield f'"{_authorization(subject)}"'
    if subject.call.json is not None:
        yield "'Content-Type: application/json'"
    for name, value in subject.call.headers.items():
        yield quoted(f"{name}: {value}")


def _body(subject: Subject) -> tuple[str, list[str]]:
    """What is piped into curl, with the pipe, and curl's own arguments."""
    call = subject.call
    if call.json is None:
        fields = [f"--form-string {quoted(f'{name}={value}')}" for name, value in call.form]
        return "", [
            *fields,
            *(f"-F {quoted(f'{part.name}=@{part.filename};type={part.media_type}')}" for part in call.files),
        ]
    pieces = list(_pieces(subject))
    if len(pieces) == 1 and len(pieces[0].encode("utf-8", "replace")) < _LONGEST_ARGUMENT:
        return "", [f"-d {pieces[0]}"]
    lines = [piece if _is_command(piece) else f"printf '%s' {piece}" for piece in pieces]
    return "{\n" + "\n".join(f"  {line}" for line in lines) + "\n} | ", ["--data-binary @-"]


def _is_command(piece: str) -> bool:
    return not piece.startswith("'")


def _pieces(subject: Subject) -> Iterator[str]:
    """The JSON body as words of the shell, with commands between them that print the contents of a file."""
    text = ""
    for token in tokens(subject.call.json, JSON, 1):
        if isinstance(token, str):
            text += _within(token)
        elif isinstance(token, Attachment) and not subject.is_uploaded(token):
            start = f"data:{token.media_type};base64," if token.form == "data_uri" else ""
            yield f"'{text}\"{start}'"
            yield f"base64 < {shlex.quote(token.filename)} | tr -d '\\n'"
            text = '"'
        else:
            text += f'"\'"${_name(token)}"\'"'
    yield f"'{text}'"


def _name(leaf: Leaf) -> str:
    if isinstance(leaf, SecretKey):
        return leaf.variable
    return _variable(leaf) if isinstance(leaf, Attachment) else "ID"


# After it


def _ending(subject: Subject, job: JobTexts | None) -> Iterator[str]:
    if job is not None:
        yield from ("", job.curl, "", _from_addresses(subject, job), _NONE_CAME)
    else:
        yield from ("", _from_events(subject) if subject.call.is_stream else _from_answer(subject), _NONE_CAME)


def _from_answer(subject: Subject) -> str:
    bytes_of = 'jq -r ".data[$i].b64_json" answer.json | base64 --decode > "result-$n.<ending>"'
    if not subject.may_answer_with_address:
        step = f"  {bytes_of}"
    else:
        step = f"""\
  url=$(jq -r ".data[$i].url // empty" answer.json)
  case $url in /*) url=$(printf '%s' "$BASE" | sed -E 's#^(https?://[^/]+).*#\\1#')$url ;; esac
  if [ -n "$url" ]; then curl -sSLg --fail -o "result-$n.<ending>" "$url"
  else {bytes_of}; fi"""
    return f"""\
n=0
for i in $(jq '.data // [] | keys[]' answer.json); do
  n=$((n + 1))
{step}
done""".replace("<ending>", subject.ending)


def _from_events(subject: Subject) -> str:
    return """\
n=0 previews=0
sed -n 's/^data: *{/{/p' answer.json > events.json
for i in $(jq -s 'keys[]' events.json); do
  case $(jq -rs ".[$i].type" events.json) in
    *.partial_image) previews=$((previews + 1)) file="preview-$previews.<ending>" ;;
    *.completed) n=$((n + 1)) file="result-$n.<ending>" ;;
    *) continue ;;
  esac
  jq -rs ".[$i].b64_json" events.json | base64 --decode > "$file"
done""".replace("<ending>", subject.ending)


def _from_addresses(subject: Subject, job: JobTexts) -> str:
    return f"""\
n=0
for url in $(jq -r {quoted(job.curl_addresses)} answer.json); do
  n=$((n + 1))
  curl -sSLg --fail --retry 3 -o "result-$n.{subject.ending}" "$url"
done"""
