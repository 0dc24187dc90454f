"""The set-up of `deploy/docker-compose.yml`, held against the settings, the tested nginx, and what its example tells."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from playground.settings import Settings
from providers.rows import CATALOG
from tests.deploy.nginx import CONFIG
from tests.fakes import s3

DEPLOY = CONFIG.parent
ROOT = DEPLOY.parent
TEXT = (DEPLOY / "docker-compose.yml").read_text(encoding="utf-8")
SECRET = re.compile(r"\$\{(\w+):[?-]")
ENDPOINT = "AWS_ENDPOINT_URL_S3"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return yaml.safe_load(TEXT)["services"]


def test_both_replicas_are_told_what_the_app_understands(services: dict[str, Any]) -> None:
    one, two = services["app-1"], services["app-2"]
    assert {**one, "volumes": 0} == {**two, "volumes": 0}
    assert one["volumes"] != two["volumes"]
    told = {name: SECRET.sub("x" * 16, str(value)).replace("}", "") for name, value in one["environment"].items()}
    documented = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in told:
        assert f"| `{name}` |" in documented or name in {*s3.KEYS, ENDPOINT}, name
    settings = Settings.from_env({**told, "DIPTYCH_ALLOWED_HOSTS": "localhost"}, CATALOG)
    assert settings.mode == "public"
    assert settings.public.trusted_proxies == 1
    assert settings.database_url.reveal() == f"postgresql://diptych:{'x' * 16}@postgres/diptych"
    assert settings.images is not None
    assert settings.drain_s < int(one["stop_grace_period"].removesuffix("s"))


def test_nginx_reads_the_file_that_is_tested_and_reaches_the_replicas(services: dict[str, Any]) -> None:
    (mounted,) = services["nginx"]["volumes"]
    assert (DEPLOY / mounted.partition(":")[0]).samefile(CONFIG)
    config = CONFIG.read_text(encoding="utf-8")
    port = re.search(r"^EXPOSE (\d+)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.M)[1]
    assert sorted(re.findall(r"^    server (\S+) max_fails", config, re.M)) == [f"app-1:{port}", f"app-2:{port}"]
    assert sorted(services["nginx"]["depends_on"]) == ["app-1", "app-2"]
    assert services["nginx"]["ports"][0].endswith(":" + re.search(r"^    listen (\d+);", config, re.M)[1])


def test_every_service_says_how_it_is_seen_to_work_and_waits_for_those_that_do(services: dict[str, Any]) -> None:
    assert "HEALTHCHECK" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    healthy = {name for name, one in services.items() if "healthcheck" in one or one.get("build")}
    assert set(services) - healthy == {"bucket"}
    for one in services.values():
        for name, wanted in one.get("depends_on", {}).items():
            assert wanted["condition"] == ("service_healthy" if name in healthy else "service_completed_successfully")


def test_the_example_names_every_secret_and_holds_none() -> None:
    example = (DEPLOY / "example.env").read_text(encoding="utf-8")
    told = dict(re.findall(r"^(\w+)=(.*)$", example, re.M))
    assert set(told) == set(SECRET.findall(TEXT))
    assert {name for name in told if name.endswith(("PASSWORD", "TOKEN"))} == {name for name in told if not told[name]}
    assert "deploy/.env" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()
