"""Rules of the house that no linter knows, read from the source tree."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.adapters import ADAPTERS
from providers.rows import CATALOG, DEFAULT_MODEL
from storage.migrations import RELEASED, migrations

ROOT = Path(__file__).parents[1]
PACKAGES = ("ui", "arena", "playground", "providers", "storage")
MAX_LINES = 400


def sources(*words: str) -> Iterator[tuple[Path, str]]:
    """All, or those in which one of these words stands."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    for path in (*paths, ROOT / "app.py"):
        text = path.read_text(encoding="utf-8")
        if not words or any(word in text for word in words):
            yield path.relative_to(ROOT), text


def test_the_environment_is_read_in_one_file() -> None:
    # Code samples name it inside texts.
    asked = {"os.environ", "os.getenv"}
    readers = [
        str(path)
        for path, text in sources("environ", "getenv")
        if any(isinstance(node, ast.Attribute) and ast.unparse(node) in asked for node in ast.walk(ast.parse(text)))
    ]
    assert readers == ["playground/settings.py"]


def test_no_page_is_built_at_import() -> None:
    for path, text in sources("Blocks"):
        for node in ast.parse(text).body:
            assert "gr.Blocks(" not in ast.unparse(node) or isinstance(node, ast.FunctionDef | ast.ClassDef), path


def test_a_gradio_error_is_only_made_to_be_raised_or_returned_by_the_one_place_that_words_it() -> None:
    for path, text in sources("Error"):
        if path != Path("ui/notices.py"):
            tree = ast.parse(text)
            raised = {id(node.exc) for node in ast.walk(tree) if isinstance(node, ast.Raise)}
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "gr.Error":
                    assert id(node) in raised, f"{path}:{node.lineno}"


LISTENERS = ("click", "change", "input", "submit", "select", "load", "upload", "then", "success", "tick", "unload")


def test_no_lambda_handles_an_event() -> None:
    for path, text in sources():
        if path.parts[0] != "ui":
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LISTENERS:
                given = [*node.args, *(word.value for word in node.keywords)]
                assert not any(isinstance(value, ast.Lambda) for value in given), f"{path}:{node.lineno}"


def test_every_offer_names_a_known_model_and_provider_and_every_price_its_source() -> None:
    for offer in CATALOG.offers:
        assert CATALOG.model(offer.model_id) is not None
        provider = CATALOG.provider(offer.provider_id)
        assert provider.adapter in ADAPTERS
        if offer.price is None:
            assert "price for this model is not known" in CATALOG.spec(offer).note, offer.offer_id
            continue
        assert offer.price.source, offer.offer_id
        assert re.search(r"read \d{4}-\d\d-\d\d|on this machine", offer.price.source), offer.offer_id
        assert offer.price.price_id == f"{offer.offer_id}@{offer.price.valid_from}" or offer.provider_id == "demo"
    named = [offer.offer_id for offer in CATALOG.offers]
    assert len(named) == len(set(named))
    assert CATALOG.model(DEFAULT_MODEL) is not None
    for model in CATALOG.models:
        assert model.source


def test_the_list_of_migrations_only_grows() -> None:
    assert tuple(migration.name for migration in migrations._migrations) == RELEASED


def test_the_app_only_composes() -> None:
    tree = ast.parse((ROOT / "app.py").read_text(encoding="utf-8"))
    assert [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)] == ["compose"]


def test_no_file_has_grown_too_long() -> None:
    long = [str(path) for path, text in sources() if text.count("\n") > MAX_LINES]
    long += [
        str(path.relative_to(ROOT))
        for ending in ("*.css", "*.js")
        for path in (ROOT / "ui").rglob(ending)
        if path.read_text(encoding="utf-8").count("\n") > MAX_LINES
    ]
    assert long == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_says_what_it_is_for(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


def test_nothing_is_hidden_from_mypy_where_it_does_not_look() -> None:
    """There such a comment suppresses nothing, and a reader takes it for a fault that somebody has weighed."""
    checked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]["packages"]
    hushed = re.compile(r"#\s*type:\s*ignore")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in sorted({"tests", "benchmarks", *PACKAGES} - {*checked})
        for path in sorted((ROOT / folder).rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if hushed.search(line)
    ]
    assert found == []


def test_the_project_speaks_only_of_itself() -> None:
    """No path of a machine and no registry host in anything that is kept."""
    words = ("/root/", "/home/", "pypi.org", "files.pythonhosted", "registry.npmjs")
    for path in [*ROOT.glob("*.*"), *ROOT.glob("docs/*"), ROOT / ".ci" / "run", ROOT / "Makefile"]:
        if path.is_file() and path.suffix not in (".png",):
            text = path.read_text(encoding="utf-8")
            assert not [word for word in words if word in text], path
