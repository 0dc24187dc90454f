"""Documents that are made from code: `python -m tests.generated_docs` rewrites them, a test compares."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from playground.settings import VARIABLES
from providers.rows import CATALOG
from storage.describe import data_model_markdown

ROOT = Path(__file__).parents[1]


def providers_table() -> str:
    """What each provider needs."""
    rows = ["| provider | key | address | what it needs |", "| --- | --- | --- | --- |"]
    for row in CATALOG.providers:
        key = f"`{row.key_variable}`" if row.key_variable else "none"
        address = f"`{row.base_url_variable}`" if row.base_url_variable else "in this process"
        needs = f"[a key]({row.key_url})" if row.key_url else "nothing: no key, no network"
        rows.append(f"| {row.name} | {key} | {address} | {needs} |")
    return "\n".join(rows)


def models_table() -> str:
    """Models, when they end and what they can do."""
    rows = ["| model | ends | sizes | qualities | USD per million output tokens |", "| --- | --- | --- | --- | --- |"]
    for offer in CATALOG.offers:
        spec = CATALOG.spec(offer)
        ends = f"{spec.retires_on}" if spec.retires_on else "–"
        sizes = ", ".join(spec.sizes.fixed) or f"any up to {spec.sizes.max_edge} px"
        price = "free" if offer.price is None or offer.price.is_free else f"{offer.price.image_out}"
        qualities = " ".join(name for name in spec.qualities if name != "auto")
        rows.append(f"| `{offer.offer_id}` | {ends} | {sizes} | {qualities} | {price} |")
    return "\n".join(rows)


def settings_table() -> str:
    """Environment variables."""
    rows = ["| variable | default | meaning |", "| --- | --- | --- |"]
    rows += [f"| `{row.name}` | {row.default} | {row.meaning} |" for row in VARIABLES]
    for provider in CATALOG.providers:
        if provider.key_variable:
            rows.append(f"| `{provider.key_variable}` | none | Key for {provider.name}. |")
        if provider.base_url_variable:
            rows.append(
                f"| `{provider.base_url_variable}` | `{provider.base_url}` | Another address for {provider.name}. |"
            )
    return "\n".join(rows)


def readme_with(text: str, tables: Mapping[str, str]) -> str:
    """The README with each marked table replaced."""
    for name, table in tables.items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, _, rest = text.partition(start)
        _, _, after = rest.partition(end)
        text = f"{before}{start}\n{table}\n{end}{after}"
    return text


def documents() -> dict[Path, str]:
    """Each generated file with the text it should have."""
    readme = ROOT / "README.md"
    tables = {"providers": providers_table(), "models": models_table(), "settings": settings_table()}
    return {
        readme: readme_with(readme.read_text(encoding="utf-8"), tables),
        ROOT / "docs" / "data-model.md": data_model_markdown(),
    }


if __name__ == "__main__":
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")
