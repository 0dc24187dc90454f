"""Two replicas of the app as `deploy/docker-compose.yml` starts them, without Docker: PostgreSQL, an S3 server and nginx."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import postgres_server
from tests.deploy import nginx
from tests.fakes import s3
from tests.ui.browser import RunningApp


@dataclass(frozen=True)
class TwoReplicas:
    """What runs. Each replica has a data folder of its own; rows and images are shared."""

    apps: tuple[RunningApp, RunningApp]
    front: nginx.Front
    database_url: str
    objects: s3.S3
    bucket: str

    def object_of(self, name: str) -> bytes | None:
        """The image of this file name at the object store."""
        return self.objects.object(self.bucket, f"pictures/{name[:2]}/{name}")


@contextmanager
def two_replicas(folder: Path, **environment: str) -> Iterator[TwoReplicas]:
    """All parts, started. Both replicas have to end in order and without a traceback, but for one that a test has killed."""
    nginx.need_nginx()
    with ExitStack() as stack:
        database_url = stack.enter_context(postgres_server.running_server()).url_of(folder)
        objects = stack.enter_context(s3.S3())
        bucket = objects.new_bucket()
        given = {
            "DIPTYCH_MODE": "public",
            "DIPTYCH_TRUSTED_PROXIES": "1",
            "DIPTYCH_DATABASE_URL": database_url,
            "DIPTYCH_BLOBS_URL": f"s3://{bucket}/pictures",
            **objects.environment(),
            **environment,
        }

        def started(name: str) -> RunningApp:
            app = RunningApp(folder / name, folder / f"{name}.txt", **given)
            stack.callback(app.kill)  # nothing, where it has ended
            return app

        one, two = started("app-1"), started("app-2")
        front = stack.enter_context(nginx.nginx([one.port, two.port]))
        yield TwoReplicas((one, two), front, database_url, objects, bucket)
        for app in (one, two):
            if app.is_running():
                assert app.stop() == 0
            assert "Traceback" not in app.log.read_text(), app.log.read_text()
