"""Documents say what the code does: tables made from rows, commands that exist."""

from __future__ import annotations

import re

from tests.generated_docs import ROOT, documents
from ui.command_line import COMMANDS


def test_generated_documents_are_up_to_date() -> None:
    for path, text in documents().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is stale; run `make docs`"


def test_every_command_of_the_readme_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"app\.py (\w+)", readme):
        assert name in COMMANDS


def test_every_link_inside_the_project_leads_somewhere() -> None:
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"
