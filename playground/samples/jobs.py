"""What a sample does between sending a job and having the addresses of its images: written by hand, once for each provider.

The texts hold nothing of a request. What stands before them in a sample, and what they must leave behind:

| | there | left behind |
| --- | --- | --- |
| curl | `$BASE`, `$REST`, `$AUTH`, `$ID`, `$WANTED`, `answer.json`, `in_time` | the end of the job in `answer.json` |
| Python | `BASE`, `REST`, `HEADERS`, `task_id`, `wanted`, `answer`, `checked()`, `pause()` | `addresses` |
| JavaScript | `BASE`, `REST`, `headers`, `taskId`, `wanted`, `answer`, `checked()`, `pause()` | `addresses` |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JobTexts:
    """How jobs of one wire format are brought to their end, in each language."""

    curl: str
    curl_addresses: str
    """`jq` filter that gives the addresses of the images in `answer.json`."""
    python: str
    javascript: str
    curl_upload: str = ""
    """Body of `upload FILE TYPE`, which prints the file's address; empty: files are never uploaded."""
    python_upload: str = ""
    """Body of `upload(name, kind)`."""
    javascript_upload: str = ""


_REPLICATE = JobTexts(
    curl="""\
ID=$(jq -er .id answer.json)
while jq -e '.status == "starting" or .status == "processing"' answer.json > /dev/null; do
  in_time
  curl -sS --fail-with-body --retry 3 "$BASE/v1/predictions/$ID" -H "$AUTH" -o answer.json
done""",
    curl_addresses='select(.status == "succeeded") | .output | if type == "array" then .[] else . end',
    python="""\
while answer["status"] in ("starting", "processing"):
    pause()
    answer = checked(httpx.get(f"{BASE}/v1/predictions/{answer['id']}", headers=HEADERS)).json()
if answer["status"] != "succeeded":
    raise SystemExit(f"{answer['status']}: {answer.get('error')}")
addresses = answer["output"] if isinstance(answer["output"], list) else [answer["output"]]""",
    javascript="""\
while (["starting", "processing"].includes(answer.status)) {
  await pause();
  answer = await (await checked(fetch(`${BASE}/v1/predictions/${answer.id}`, { headers }))).json();
}
if (answer.status !== "succeeded") throw new Error(`${answer.status}: ${answer.error}`);
const addresses = [answer.output].flat();""",
    curl_upload="""\
  curl -sS --fail-with-body "$BASE/v1/files" -H "$AUTH" -F "content=@$1;type=$2" | jq -er .urls.get""",
    python_upload="""\
    files = {"content": (name, Path(name).read_bytes(), kind)}
    return checked(httpx.post(BASE + "/v1/files", headers=HEADERS, files=files, timeout=60)).json()["urls"]["get"]""",
    javascript_upload="""\
  const form = new FormData();
  form.append("content", new Blob([await readFile(name)], { type: kind }), name);
  const reply = await checked(fetch(`${BASE}/v1/files`, { method: "POST", headers, body: form }));
  return (await reply.json()).urls.get;""",
)

_RUNWARE = JobTexts(
    curl="""\
until [ "$(jq '[.data[]? | select(.imageURL or .status == "error")] | length' answer.json)" -ge "$WANTED" ]; do
  jq -e '.errors // [] | length == 0' answer.json > /dev/null || break
  in_time
  curl -sS --fail-with-body --retry 3 "$BASE" -H "$AUTH" -H 'Content-Type: application/json' \\
    -d '[{"taskType": "getResponse", "taskUUID": "'"$ID"'"}]' -o answer.json || break
done""",
    curl_addresses=".data[]? | .imageURL // empty",
    python="""\
while not answer.get("errors"):
    ended = [item for item in answer.get("data", []) if item.get("imageURL") or item.get("status") == "error"]
    if len(ended) >= wanted:
        break
    pause()
    ask = [{"taskType": "getResponse", "taskUUID": task_id}]
    answer = checked(httpx.post(BASE, headers=HEADERS, json=ask)).json()
addresses = [item["imageURL"] for item in answer.get("data", []) if item.get("imageURL")]""",
    javascript="""\
while (!answer.errors?.length) {
  const ended = (answer.data || []).filter((item) => item.imageURL || item.status === "error");
  if (ended.length >= wanted) break;
  await pause();
  const ask = JSON.stringify([{ taskType: "getResponse", taskUUID: taskId }]);
  const asking = { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body: ask };
  answer = await (await checked(fetch(BASE, asking))).json();
}
const addresses = (answer.data || []).map((item) => item.imageURL).filter(Boolean);""",
)

_FAL = JobTexts(
    curl="""\
STATUS=$(jq -er .status_url answer.json)
RESULT=$(jq -er .response_url answer.json)
until curl -sS --fail-with-body --retry 3 "$STATUS" -H "$AUTH" | jq -e '.status == "COMPLETED"' > /dev/null; do
  in_time
done
curl -sS --fail-with-body --retry 3 "$RESULT" -H "$AUTH" -o answer.json || { cat answer.json >&2; exit 1; }""",
    curl_addresses=".images[].url",
    python="""\
while checked(httpx.get(answer["status_url"], headers=HEADERS)).json()["status"] != "COMPLETED":
    pause()
answer = checked(httpx.get(answer["response_url"], headers=HEADERS)).json()
addresses = [image["url"] for image in answer["images"]]""",
    javascript="""\
while ((await (await checked(fetch(answer.status_url, { headers }))).json()).status !== "COMPLETED") {
  await pause();
}
answer = await (await checked(fetch(answer.response_url, { headers }))).json();
const addresses = answer.images.map((image) => image.url);""",
    curl_upload="""\
  token=$(curl -sS --fail-with-body "$REST/storage/auth/token?storage_type=fal-cdn-v3" \\
    -H "$AUTH" -H 'Content-Type: application/json' -d '{}')
  curl -sS --fail-with-body "$(printf '%s' "$token" | jq -er .base_url)/files/upload" \\
    -H "Authorization: $(printf '%s' "$token" | jq -er '.token_type + " " + .token')" \\
    -H "Content-Type: $2" -H "X-Fal-File-Name: $1" --data-binary "@$1" | jq -er .access_url""",
    python_upload="""\
    token = checked(httpx.post(REST + "/storage/auth/token?storage_type=fal-cdn-v3", headers=HEADERS, json={})).json()
    headers = {
        "Authorization": f"{token['token_type']} {token['token']}",
        "Content-Type": kind,
        "X-Fal-File-Name": name,
    }
    to = token["base_url"] + "/files/upload"
    return checked(httpx.post(to, headers=headers, content=Path(name).read_bytes(), timeout=60)).json()["access_url"]""",
    javascript_upload="""\
  const asking = { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body: "{}" };
  const token = await (await checked(fetch(`${REST}/storage/auth/token?storage_type=fal-cdn-v3`, asking))).json();
  const reply = await checked(fetch(`${token.base_url}/files/upload`, {
    method: "POST",
    headers: {
      "Authorization": `${token.token_type} ${token.token}`,
      "Content-Type": kind,
      "X-Fal-File-Name": name,
    },
    body: await readFile(name),
  }));
  return (await reply.json()).access_url;""",
)

JOBS: Mapping[str, JobTexts] = {"replicate": _REPLICATE, "runware": _RUNWARE, "fal": _FAL}
"""Adapter -> texts; a test holds it against the adapters that have jobs."""
