"""The list under Where, and what of the form does not reach each offer."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from playground.ready import Sources
from playground.servers import Server, with_servers
from providers.catalog import Catalog
from providers.rows import CATALOG
from providers.types import ImageRequest
from ui import forms
from ui.forms import FormValues
from ui.pages.playground import offers
from ui.pages.playground.outlook import Outlook, missing_image, outlook_of

TODAY = date(2026, 11, 21)
SD = with_servers(CATALOG, [Server("sd", "sd", "http://127.0.0.1:1234/v1", "DIPTYCH_SERVER_SD_KEY")])
MADE_BY_ALL = tuple(offer.offer_id for offer in CATALOG.offers if offer.model_id == "gpt-image-2")


def sources(*ready: str, catalog: Catalog = CATALOG) -> Sources:
    return Sources(catalog, frozenset(ready), TODAY)


def view(given: Sources, *ticked: str) -> dict[str, Any]:
    return offers.offers_view(ticked, ImageRequest("A red fox", size="1024x1024", quality="low"), given)


def models(shown: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {model["id"]: model for family in shown["families"] for model in family["models"]}


def outlook(*ticked: str, catalog: Catalog = CATALOG, **changes: Any) -> Outlook:
    everybody = sources(*(row.provider_id for row in catalog.providers), catalog=catalog)
    return outlook_of(FormValues(prompt="A red fox", offers=ticked, **changes), everybody)


def notices(seen: Outlook) -> dict[str, dict[str, str]]:
    shown: Any = seen.notices or {"offers": []}
    return {one["id"]: {item["field"]: item["text"] for item in one["items"]} for one in shown["offers"]}


def test_each_model_stands_once_with_the_ready_providers_that_sell_it() -> None:
    shown = view(sources("openai", "fal", "demo"))
    assert [family["name"] for family in shown["families"]] == [
        *("GPT Image 2.6", "GPT Image 2.5", "GPT Image 2", "GPT Image 1", "Demo"),
    ]
    assert [one["provider"] for one in models(shown)["gpt-image-2"]["offers"]] == ["OpenAI", "fal"]
    assert models(shown)["gpt-image-1.5"]["note"] == "Retires 1 Dec 2026"
    needing = [row.provider_id for row in CATALOG.providers if row.key_variable]
    assert [row["id"] for row in shown["keyless"]] == [name for name in needing if name not in ("openai", "fal")]
    assert {"name": "GPT Image 1", "note": "Retired 23 Oct 2026"} in shown["retired"]
    assert "gpt-image-1" not in models(shown)


def test_an_unknown_price_is_said_and_never_a_figure() -> None:
    prices = {
        one["provider"]: one["price"] for one in models(view(sources("openai", "replicate")))["gpt-image-2"]["offers"]
    }
    assert prices["Replicate"] == "price unknown"
    assert prices["OpenAI"].startswith("$0.00")


def test_an_offer_on_a_second_key_says_so_and_waits_for_it() -> None:
    mini = "replicate/gpt-image-1-mini"
    (without,) = models(view(sources("replicate")))["gpt-image-1-mini"]["offers"]
    assert (without["ready"], without["second_key"]) == (False, "needs your OpenAI key too")
    assert without["key_link"] == "#settings/openai"
    assert not sources("replicate").is_usable(mini)
    both = models(view(sources("replicate", "openai")))["gpt-image-1-mini"]["offers"]
    assert [one["second_key"] for one in both if one["offer"] == mini] == ["runs on your OpenAI key too"]
    assert sources("replicate", "openai").is_usable(mini)


def test_a_short_list_begins_with_the_best_of_each_provider() -> None:
    suggested = view(sources("openai", "fal", "demo"))["suggested"]
    assert suggested[:3] == ["openai/gpt-image-2.5-flare", "fal/gpt-image-2.5-flare", "demo/painterly"]
    assert len({name.partition("/")[0] for name in suggested[:3]}) == 3


def test_a_model_of_an_own_server_is_typed_and_stands_under_the_servers_name() -> None:
    shown = view(sources("sd", "openai", catalog=SD), "sd/stabilityai/sdxl-turbo")
    assert [row["id"] for row in shown["typed"]] == ["sd", "openai"]
    family = next(family for family in shown["families"] if family["name"] == "sd, typed by hand")
    (one,) = family["models"][0]["offers"]
    assert (one["offer"], one["price"]) == ("sd/stabilityai/sdxl-turbo", "price unknown")


def test_defaults_are_sent_everywhere_without_a_word() -> None:
    seen = outlook(*MADE_BY_ALL, "demo/flat")
    assert seen.notices is None
    assert seen.problems == ()


def test_previews_are_left_out_where_none_are_sent_and_stand_in_nobodys_way() -> None:
    seen = outlook("openai/gpt-image-2", "fal/gpt-image-2", partial_images=2)
    assert seen.problems == ()
    assert [run.request.partial_images for run in seen.plan.runs] == [2, None]
    assert notices(seen) == {"fal/gpt-image-2": {"Previews": "fal sends none."}}
    assert seen.notices is not None
    assert seen.notices["summary"] == "Not sent as asked: 1 setting to fal"


def test_an_own_server_is_asked_for_the_basics_and_the_rest_is_said() -> None:
    seen = outlook("openai/gpt-image-2", "sd/flux", catalog=SD, output_format="webp", background="opaque")
    assert seen.problems == ()
    sent = seen.plan.runs[1].request
    assert (sent.quality, sent.output_format, sent.background) == (None, None, None)
    assert set(notices(seen)["sd/flux"]) == {"Quality, Background, Format, Compression"}


def test_what_is_split_into_calls_is_said() -> None:
    seen = outlook("replicate/gpt-image-2", n=3)
    assert "3 calls go out at once" in notices(seen)["replicate/gpt-image-2"]["Images per run"]


def test_the_same_words_about_two_fields_are_said_once() -> None:
    seen = outlook("fal/gpt-image-1.5", aspect_ratio="16:9", resolution="2K")
    assert list(notices(seen)["fal/gpt-image-1.5"]) == ["Aspect ratio, Resolution"]


@pytest.mark.parametrize(
    ("count", "said"), [(2, "1 setting to Replicate, 1 to Runware"), (3, "settings to 3 providers")]
)
def test_the_line_names_two_providers_and_counts_more(count: int, said: str) -> None:
    seen = outlook(*MADE_BY_ALL[1 : count + 1], "openai/gpt-image-2", partial_images=1)
    assert seen.notices is not None
    assert seen.notices["summary"] == f"Not sent as asked: {said}"


def test_one_unknown_price_does_not_hide_the_others() -> None:
    seen = outlook("openai/gpt-image-2", "replicate/gpt-image-2", size=forms.SQUARE)
    assert seen.run_label.startswith("Run 2 · $0.00")
    assert seen.run_label.endswith(" and 1 unknown")
    assert {value: label for label, value in seen.qualities}["low"].startswith("Low\nover $0.00")


@pytest.mark.parametrize(
    ("prompt", "references", "said"),
    [
        ("Put the hat of image 3 on the dog", 2, "The prompt names image 3, but there are only 2 references."),
        ("Image #2 in the style of photo 1", 1, "The prompt names image 2, but there is only 1 reference."),
        ("The dog of picture 1", 0, "The prompt names image 1, but there are no reference images."),
        ("Image 2 beside image 1", 2, ""),
        ("An image of 3 dogs, 1 photo", 0, ""),
    ],
)
def test_an_image_that_the_prompt_names_and_nobody_gave_is_told(prompt: str, references: int, said: str) -> None:
    assert missing_image(prompt, references) == said
