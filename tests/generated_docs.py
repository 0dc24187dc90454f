"""Documents that are made from code: `python -m tests.generated_docs` rewrites them, a test compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from playground.settings import VARIABLES
from providers.adapter import JobAdapter
from providers.adapters import ADAPTERS
from providers.pricing import estimate
from providers.rows import CATALOG
from providers.types import ImageRequest, InputImage
from storage.describe import data_model_markdown
from ui.privacy_words import privacy_markdown

ROOT = Path(__file__).parents[1]


def providers_table() -> str:
    """What each provider needs and can do."""
    rows = [
        "| provider | key | address | previews | masks | a crash in mid-run |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in CATALOG.providers:
        key = f"`{row.key_variable}`" if row.key_variable else "no key"
        key = f"[{key}]({row.key_url})" if row.key_variable and row.key_url else key
        address = f"`{row.base_url_variable}`" if row.base_url_variable else "in this process"
        specs = [CATALOG.spec(offer) for offer in CATALOG.offers if offer.provider_id == row.provider_id]
        previews, masks = _some([spec.max_partials > 0 for spec in specs]), _some([spec.mask for spec in specs])
        after = "fetches what was made" if isinstance(ADAPTERS[row.adapter], JobAdapter) else "says *unknown*"
        rows.append(f"| {row.name} | {key} | {address} | {previews} | {masks} | {after} |")
    return "\n".join(rows)


def _some(has: Sequence[bool]) -> str:
    return "yes" if all(has) else "some models" if any(has) else "no"


def models_table() -> str:
    """Models, when they end, what they can do, and what one image costs where."""
    sellers = [
        row for row in CATALOG.providers if any(offer.provider_id == row.provider_id for offer in CATALOG.offers)
    ]
    names = ["model", "ends", "sizes", "qualities", *(row.name for row in sellers)]
    rows = ["| " + " | ".join(names) + " |", "| --- " * len(names) + "|"]
    for spec in CATALOG.models:
        prices = [_price(row.provider_id, spec.model_id) for row in sellers]
        sizes = "three" if spec.sizes.fixed else f"any to {spec.sizes.max_edge} px"
        qualities = " ".join(name for name in spec.qualities if name != "auto")
        cells = [f"`{spec.model_id}`", str(spec.retires_on or "–"), sizes, qualities, *prices]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _price(provider_id: str, model_id: str) -> str:
    """USD of one square image at the lowest quality; empty where the model is not sold."""
    offer = next((row for row in CATALOG.offers if row.offer_id == f"{provider_id}/{model_id}"), None)
    if offer is None:
        return ""
    image = InputImage(b"", "image/png", 1024, 1024, "")
    images = (image,) * CATALOG.spec(offer).min_images
    request = ImageRequest("A red fox in snow", size="1024x1024", quality="low", images=images)
    amount = estimate(request, CATALOG.spec(offer), offer).high_microusd
    return "unknown" if amount is None else f"${amount / 1e6:.4f}" if amount else "free"


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
        if provider.upload_url_variable:
            rows.append(
                f"| `{provider.upload_url_variable}` | `{provider.upload_url}` | Where {provider.name} takes uploads; "
                "files travel inside the call when only the other address is moved. |"
            )
        if provider.jobs_url_variable:
            rows.append(
                f"| `{provider.jobs_url_variable}` | `{provider.jobs_url}` | Where {provider.name} lists past calls, to "
                "find one whose answer was lost; not asked when only the other address is moved. |"
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
        ROOT / "docs" / "privacy.md": privacy_markdown(),
    }


if __name__ == "__main__":
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")
