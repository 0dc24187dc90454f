"""The only reader of the environment. `Settings.from_env` is called once, by `app.py`; everything else is handed values.

Each field names its variable and default in `VARIABLES`, from which the table in the README is made.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from socket import INADDR_ANY
from types import MappingProxyType
from typing import Literal

from playground import database_settings, image_store
from playground.addresses import SettingsError, address_fault
from playground.image_store import ImageStore, read_image_store
from playground.money_settings import machine_zone, read_limit_action, read_limits, read_time_zone
from playground.plain_settings import switch, usd, whole_number
from playground.secrets import Secret as Secret
from playground.servers import Server, read_servers
from playground.visitor_settings import PublicSettings, read_public, refuse_uncapped
from providers.catalog import Catalog
from storage.hub_places import PLACE
from storage.records import LimitAction, LimitSpan
from storage.workers import LEASE_S

Mode = Literal["local", "public"]
ArenaPrompts = Literal["any", "bank"]
"""What battles may be fought over: any prompt, or those of the prompt bank."""

# On a Space and nowhere else. Its proxy comes from outside the container, so that on loopback nobody would reach the app, and
# nothing but that proxy comes in. Every other machine gets a loopback address until its operator names another one.
_EVERYWHERE = str(IPv4Address(INADDR_ANY))
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
PORTS = (0, 65535)
"""The lowest and the highest port to listen on."""


@dataclass(frozen=True, slots=True)
class SnapshotPlace:
    """Where the store is copied to, and how often."""

    place: str
    """`hf://buckets/owner/name` or `hf://datasets/owner/name`, and a folder below."""
    token: Secret | None
    every_s: float = 300.0
    endpoint: str | None = None
    """Another Hub than the public one."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable, as the README shows it."""

    name: str
    default: str
    meaning: str


VARIABLES: tuple[Variable, ...] = (
    Variable("DIPTYCH_DATA_DIR", "`./data`", "Folder of the database and the images; always a local disk."),
    Variable(*database_settings.VARIABLE),
    Variable(*database_settings.LEASE_VARIABLE),
    Variable(
        "DIPTYCH_MODE",
        "`local`",
        "`local`: one owner. `public`: each visitor sees only what is theirs, and the server's keys are used as "
        "`DIPTYCH_SERVER_KEYS` says. A Hugging Face Space is public by itself.",
    ),
    Variable("DIPTYCH_HOST", "`127.0.0.1`", "Address to listen on (`0.0.0.0` on a Space)."),
    Variable("DIPTYCH_PORT", "`7860`", "Port to listen on."),
    Variable(
        "DIPTYCH_ALLOWED_HOSTS", "none", "Further host names, separated by commas, that the page may be opened under."
    ),
    Variable("DIPTYCH_DEMO", "`on`", "`off` hides the Demo provider."),
    Variable(
        "DIPTYCH_IMAGE_HOSTS",
        "none",
        "Further hosts, separated by commas, that result images may be fetched from; without it only public https hosts, "
        "the hosts of base URLs set here, and this machine where a base URL names it.",
    ),
    Variable(
        "DIPTYCH_SERVERS",
        "none",
        "OpenAI-compatible servers as `name=http://host:port/v1`, separated by commas, each with options behind it as "
        "`;mask=mask_image;max_n=1`; the key of the server `name`, if it needs one, is read from `DIPTYCH_SERVER_NAME_KEY`.",
    ),
    Variable(
        "DIPTYCH_SERVER_NAME_EXTRA",
        "none",
        'Further fields of each call to the server `name`, as JSON: `{"seed": 7, "num_inference_steps": 20}`.',
    ),
    Variable("DIPTYCH_OPENAI_BASE_URL", "none", "One more such server, under the name `compatible`; options as above."),
    Variable("DIPTYCH_OPENAI_API_KEY", "none", "Its key, if it needs one."),
    Variable(
        "DIPTYCH_ARENA_PROMPTS",
        "`any`",
        "`bank`: battles are fought over the prompts that ship with the app only, so that nobody can choose what suits "
        "a model.",
    ),
    Variable("DIPTYCH_DRAIN_S", "`20`", "Seconds that a stop waits for calls under way."),
    Variable("DIPTYCH_LIMIT_RUN", "none", "Most US dollars that one run may be expected to cost, as `0.50`."),
    Variable("DIPTYCH_LIMIT_SESSION", "none", "Most US dollars of one person from the start of the app on."),
    Variable("DIPTYCH_LIMIT_DAY", "none", "Most US dollars of everybody together in a day."),
    Variable("DIPTYCH_LIMIT_MONTH", "none", "Most US dollars of everybody together in a month."),
    Variable("DIPTYCH_LIMIT_VISITOR_DAY", "none", "Most US dollars of each visitor in a day, where the app is public."),
    Variable(
        "DIPTYCH_LIMIT_VISITOR_MONTH", "none", "Most US dollars of each visitor in a month, where the app is public."
    ),
    Variable(
        "DIPTYCH_LIMIT_ACTION", "`block`", "`warn`: what would pass these limits is sent all the same, with a word."
    ),
    Variable(
        "DIPTYCH_TIME_ZONE",
        "this machine's",
        "Where days and months of the costs begin, as `Europe/Berlin`. Kept in the store: a change moves old costs too.",
    ),
    Variable(
        "DIPTYCH_SERVER_KEYS",
        "`off`",
        "Who may run on the server's keys in public mode: `off` (nobody), `signed-in` (with Hugging Face) or `everyone`. "
        "Needs `DIPTYCH_LIMIT_DAY` and `DIPTYCH_LIMIT_VISITOR_DAY`, which hold for what these keys pay.",
    ),
    Variable(
        "DIPTYCH_SERVER_OFFERS",
        "all with a price",
        "The only offers that run on the server's keys in public mode, as `openai/gpt-image-1-mini`, separated by commas.",
    ),
    Variable(
        "DIPTYCH_VISITOR_LIMITS",
        "see [privacy](docs/privacy.md)",
        "What one visitor of a public server may use, as `runs=60,running=4,votes=200,uploads=60,upload_mb=200,"
        "storage_mb=500,key_tries=20,address=4`. Runs, votes, uploads and tries count in any hour; 0 is no limit; an address "
        "may use `address` times as much.",
    ),
    Variable("DIPTYCH_OPERATORS", "none", "Hugging Face names, separated by commas, that run a public server."),
    Variable(
        "DIPTYCH_OPERATOR_TOKEN", "none", "Whoever types it in Settings runs a public server; 16 characters or more."
    ),
    Variable(
        "DIPTYCH_TRUSTED_PROXIES",
        "`0` (`1` on a Space)",
        "How many proxies stand in front; so many entries at the end of `X-Forwarded-For` are believed.",
    ),
    Variable(
        "DIPTYCH_SNAPSHOT",
        "none",
        "Private place at the Hugging Face Hub that the store is copied to and, at the start of an empty one, put back from: "
        "`hf://buckets/owner/name` or `hf://datasets/owner/name`.",
    ),
    Variable(
        "DIPTYCH_SNAPSHOT_EVERY_S", "`300`", "Seconds between two snapshots, 10 to 86400; one more follows a stop."
    ),
    Variable("HF_TOKEN", "none", "Token that may write to places at the Hub."),
    *(Variable(*row) for row in image_store.VARIABLES),
    Variable("DIPTYCH_ROOT_PATH", "none", "Path below which a proxy shows the page, as `/diptych`."),
    Variable(
        "DIPTYCH_MCP",
        "`off`",
        "`on`: agents reach the app by the Model Context Protocol, under `/mcp`. Needs `requirements-mcp.txt`.",
    ),
    Variable(
        "DIPTYCH_MCP_MAX_USD",
        "`1`",
        "Most US dollars that one call of an agent may be expected to cost; `0`: no limit of this kind.",
    ),
    Variable(
        "DIPTYCH_CALLS_PER_MINUTE",
        "`30`",
        "Calls by endpoint or agent that make images, for each caller in a minute.",
    ),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator decided, read once."""

    data_dir: Path = Path("data")
    database_url: Secret | None = None
    """Of a PostgreSQL database; `None`: a file of the data folder holds the rows."""
    lease_s: float = LEASE_S
    """After so many seconds a replica that is not seen counts as dead."""
    mode: Mode = "local"
    host: str = "127.0.0.1"
    port: int = 7860
    allowed_hosts: tuple[str, ...] = ()
    demo: bool = True
    arena_prompts: ArenaPrompts = "any"
    drain_s: float = 20.0
    keys: Mapping[str, Secret] = field(default_factory=dict)
    """provider_id -> key from the environment."""
    base_urls: Mapping[str, str] = field(default_factory=dict)
    """provider_id -> base URL without a trailing slash, where the environment moves it."""
    upload_urls: Mapping[str, str] = field(default_factory=dict)
    """provider_id -> upload address, where the environment moves it."""
    jobs_urls: Mapping[str, str] = field(default_factory=dict)
    """provider_id -> address of the list of jobs, where the environment moves it."""
    servers: tuple[Server, ...] = ()
    """OpenAI-compatible servers the operator named."""
    image_hosts: tuple[str, ...] = ()
    """Further hosts, lower case, that images may be fetched from."""
    limits: Mapping[LimitSpan, int] = field(default_factory=dict)
    """span -> micro-dollars, where the environment sets a limit."""
    limit_action: LimitAction = "block"
    """What becomes of a press that would pass one of those."""
    time_zone: str | None = None
    """IANA name; `None`: as the store has it, else this machine's."""
    machine_zone: str = "UTC"
    public: PublicSettings = PublicSettings()
    on_space: bool = False
    """Whether this is a Hugging Face Space, whose disk is empty after each restart."""
    snapshot: SnapshotPlace | None = None
    """Where the store is copied to, if anywhere."""
    images: ImageStore | None = None
    """Where images are kept, if not in the data folder."""
    root_path: str = ""
    """Path below which a proxy shows the page: empty, or `/name`."""
    mcp: bool = False
    """Whether agents are served."""
    mcp_max_microusd: int | None = 1_000_000
    """Most that one call of an agent may be expected to cost; `None`: no limit."""
    calls_per_minute: int = 30
    """Calls of a program or agent that make images, for each caller."""

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """All that must never be printed."""
        token = self.snapshot.token if self.snapshot else None
        others = (*(self.images.secrets if self.images else ()), token, self.public.operator_token, self.database_url)
        return (*self.keys.values(), *(secret for secret in others if secret))

    @classmethod
    def from_env(cls, environ: Mapping[str, str], catalog: Catalog) -> Settings:
        """Settings from environment variables.

        Raises: SettingsError when a value cannot be used.
        """
        on_space = bool(environ.get("SPACE_ID"))
        mode = environ.get("DIPTYCH_MODE", "").strip() or ("public" if on_space else "local")
        if mode not in ("local", "public"):
            raise SettingsError(f"DIPTYCH_MODE is {mode!r}; it must be local or public.", "DIPTYCH_MODE")
        servers = read_servers(environ)
        limits, limit_action, public = read_limits(environ), read_limit_action(environ), read_public(environ)
        refuse_uncapped(public, limits, limit_action)
        variables = {row.provider_id: row.key_variable for row in catalog.providers}
        variables |= {server.server_id: server.key_variable for server in servers}
        hosts = [name.strip() for name in environ.get("DIPTYCH_ALLOWED_HOSTS", "").split(",")]
        hosts += [name.strip() for name in environ.get("SPACE_HOST", "").split(",")]
        return cls(
            data_dir=Path(environ.get("DIPTYCH_DATA_DIR", "").strip() or "data"),
            database_url=database_settings.read_database_url(environ),
            lease_s=database_settings.read_lease_s(environ),
            mode="public" if mode == "public" else "local",
            host=environ.get("DIPTYCH_HOST", "").strip() or (_EVERYWHERE if on_space else "127.0.0.1"),
            port=whole_number(environ, "DIPTYCH_PORT", 7860, low=PORTS[0], high=PORTS[1]),
            allowed_hosts=tuple(name for name in hosts if name),
            demo=switch(environ, "DIPTYCH_DEMO", default=True),
            arena_prompts=_arena_prompts(environ),
            drain_s=float(whole_number(environ, "DIPTYCH_DRAIN_S", 20, low=0, high=3600)),
            keys=_keys(environ, variables),
            servers=servers,
            base_urls=_addresses(environ, {row.provider_id: row.base_url_variable for row in catalog.providers}),
            upload_urls=_addresses(environ, {row.provider_id: row.upload_url_variable for row in catalog.providers}),
            jobs_urls=_addresses(environ, {row.provider_id: row.jobs_url_variable for row in catalog.providers}),
            image_hosts=tuple(
                name.strip().lower() for name in environ.get("DIPTYCH_IMAGE_HOSTS", "").split(",") if name.strip()
            ),
            limits=limits,
            limit_action=limit_action,
            time_zone=read_time_zone(environ),
            machine_zone=machine_zone(environ),
            on_space=on_space,
            snapshot=_snapshot(environ),
            images=read_image_store(
                environ,
                cache_mb=whole_number(environ, "DIPTYCH_BLOBS_CACHE_MB", 5000, low=1, high=100_000_000),
                redirects=switch(environ, "DIPTYCH_BLOBS_REDIRECT", default=False),
                endpoint=_addresses(environ, {"hub": "HF_ENDPOINT"}).get("hub"),
            ),
            root_path=_root_path(environ),
            mcp=switch(environ, "DIPTYCH_MCP", default=False),
            mcp_max_microusd=usd(environ, "DIPTYCH_MCP_MAX_USD", default=1_000_000),
            calls_per_minute=whole_number(environ, "DIPTYCH_CALLS_PER_MINUTE", 30, low=1, high=10_000),
            public=public,
        )


def _snapshot(environ: Mapping[str, str]) -> SnapshotPlace | None:
    place = environ.get("DIPTYCH_SNAPSHOT", "").strip().rstrip("/")
    every_s = float(whole_number(environ, "DIPTYCH_SNAPSHOT_EVERY_S", 300, low=10, high=86_400))
    if not place:
        return None
    if not PLACE.fullmatch(place):
        raise SettingsError(
            f"DIPTYCH_SNAPSHOT is {place[:80]!r}; it must be hf://buckets/owner/name or hf://datasets/owner/name.",
            "DIPTYCH_SNAPSHOT",
        )
    token = environ.get("HF_TOKEN", "").strip()
    endpoint = _addresses(environ, {"hub": "HF_ENDPOINT"}).get("hub")
    return SnapshotPlace(place, Secret(token) if token else None, every_s, endpoint)


def _root_path(environ: Mapping[str, str]) -> str:
    path = environ.get("DIPTYCH_ROOT_PATH", "").strip().rstrip("/")
    if path and not re.fullmatch(r"(?:/[\w.-]+)+", path, re.ASCII):
        raise SettingsError(
            f"DIPTYCH_ROOT_PATH is {path[:80]!r}; it must be a path such as /diptych.", "DIPTYCH_ROOT_PATH"
        )
    return path


KEY_SHAPE = re.compile(r"[\x21-\x7e]{8,512}")
"""What can stand in a header: a stray space or line break would make the HTTP library print the whole key."""


def clean_key(text: str) -> str:
    """The key without the white space around it. Raises: SettingsError when it cannot be a key; never quotes it."""
    key = text.strip()
    if not KEY_SHAPE.fullmatch(key):
        raise SettingsError(
            "This is not a key: a key has 8 to 512 visible characters and no spaces. Copy it once more."
        )
    return key


def _keys(environ: Mapping[str, str], variables: Mapping[str, str | None]) -> dict[str, Secret]:
    """The keys that are set. `variables`: provider_id -> variable."""
    found = {}
    for provider_id, name in variables.items():
        text = environ.get(name or "", "")
        if text.strip():
            try:
                found[provider_id] = Secret(clean_key(text))
            except SettingsError as error:
                raise SettingsError(f"{name}: {error}", name) from None
    return found


def _addresses(environ: Mapping[str, str], variables: Mapping[str, str | None]) -> dict[str, str]:
    """The addresses that are set. `variables`: provider_id -> variable."""
    found = {}
    for provider_id, name in variables.items():
        url = environ.get(name or "", "").strip().rstrip("/")
        if name and url:
            fault = address_fault(url)
            if fault:
                raise SettingsError(f"{name} {fault}", name)
            found[provider_id] = url
    return found


def _arena_prompts(environ: Mapping[str, str]) -> ArenaPrompts:
    text = environ.get("DIPTYCH_ARENA_PROMPTS", "").strip().lower() or "any"
    if text not in ("any", "bank"):
        raise SettingsError(f"DIPTYCH_ARENA_PROMPTS is {text[:40]!r}; it must be any or bank.", "DIPTYCH_ARENA_PROMPTS")
    return "bank" if text == "bank" else "any"


def environment() -> Mapping[str, str]:
    """The process environment; the one place that touches it."""
    return os.environ


QUIET_HUB: Mapping[str, str] = MappingProxyType({"HF_HUB_DISABLE_TELEMETRY": "1"})
"""For `preset_environment` before the Hub's client is loaded: else it tells there which program started this one."""


def preset_environment(values: Mapping[str, str]) -> None:
    """Sets variables that libraries read when they are imported, where the operator has not set them."""
    for name, value in values.items():
        os.environ.setdefault(name, value)
