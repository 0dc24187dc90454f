"""Money, time and states as words, and runs as tiles."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from playground.library import GroupView
from providers.rows import CATALOG
from storage.records import Group, Run, RunError, RunView, StoredImage, StoredPartial
from ui import tiles, views
from ui.naming import offer_names
from ui.tiles import Live

AT = "2026-11-21T10:15:30.123Z"


def run_view(
    state: Any = "succeeded",
    *,
    images: tuple[StoredImage, ...] = (),
    error: RunError | None = None,
    partials: int = 0,
    ledger: Any = "settled",
    cost: int | None = 0,
    source: Any = "computed",
    estimate: int | None = 0,
    offer: str = "openai/gpt-image-2",
    **asked: object,
) -> RunView:
    run = Run(
        run_id="r1",
        group_id="g1",
        owner="local",
        position=0,
        offer=offer,
        operation="generate",
        prompt="A red fox",
        asked={"n": 1, "size": "1536x1024", "partial_images": 3, **asked},
        state=state,
        queued_at=AT,
        sent_at=AT,
        estimate_microusd=estimate,
        latency_ms=24_800 if state not in tiles.OPEN_STATES else None,
        first_preview_ms=6_100 if partials else None,
        error=error,
    )
    seen = tuple(StoredPartial("r1", 0, number, f"{number:064x}", "image/png", AT) for number in range(partials))
    return RunView(run, images, (), seen, cost, source, ledger)


def image(position: int = 0, width: int = 1536, height: int = 1024, checks: tuple[str, ...] = ()) -> StoredImage:
    return StoredImage(f"i{position}", "r1", position, "e" * 64, "image/jpeg", width, height, 9, AT, checks=checks)


def tiles_of(run: RunView, live: Live | None = None) -> list[dict[str, Any]]:
    return tiles.tiles_of(run, CATALOG, live or Live())


def chips(tile: dict[str, Any]) -> list[str]:
    return [" ".join(filter(None, (chip["figure"], chip["text"]))) for chip in tile["chips"]]


@pytest.mark.parametrize(
    ("microusd", "text"),
    [
        (None, "unknown"),
        (0, "free"),
        (12, "under $0.0001"),
        (5_900, "$0.0059"),
        (41_200, "$0.041"),
        (210_000, "$0.21"),
        (1_240_000, "$1.24"),
        (1_234_560_000, "$1,234.56"),
    ],
)
def test_money_has_the_digits_that_matter(microusd: int | None, text: str) -> None:
    assert views.money(microusd) == text


def test_what_was_paid_has_four_digits_and_nothing_spent_is_no_word() -> None:
    assert views.cost(41_200) == "$0.0412"
    assert views.dollars(0) == "$0"
    assert views.dollars(-3_500_000) == "−$3.50"


@pytest.mark.parametrize(
    ("amounts", "text", "short"),
    [
        ([(0, 0), (0, 0)], "Run 2 · free", "free"),
        ([(63_000, 63_000)] * 2, "Run 2 · about $0.126", "$0.126"),
        ([(6_000, 210_000)], "Run · $0.006 to $0.21", "up to $0.21"),
        ([(0, 0), (0, 12_000)], "Run 2 · $0 to $0.012", "up to $0.012"),
        ([(None, None)], "Run · price unknown", "price unknown"),
        ([(24_000, 24_000), (None, None)], "Run 2 · $0.024 and 1 unknown", "over $0.024"),
        ([(0, 0), (None, None)], "Run 2 · free and 1 unknown", "not all known"),
        ([], "Run", "price unknown"),
    ],
)
def test_the_run_button_says_the_price(amounts: list[tuple[int | None, int | None]], text: str, short: str) -> None:
    assert views.run_label(views.total(amounts)) == text
    assert views.total(amounts).at_most() == short


def test_small_words() -> None:
    assert [views.ordinal(number) for number in (1, 2, 11, 12, 22)] == ["First", "Second", "11th", "12th", "22nd"]
    assert (views.counted(1, "run"), views.counted(1204, "image")) == ("1 run", "1,204 images")
    assert [views.seconds(value) for value in (None, 12, 24_810, 300_400)] == ["", "under 0.1 s", "24.8 s", "300 s"]
    assert views.at_most(6_000, 210_000) == "up to $0.21"


def test_a_finished_image_shows_its_cost_with_where_the_figure_comes_from() -> None:
    (tile,) = tiles_of(run_view(images=(image(),), cost=41_200, source="reported", partials=2))
    assert tile["state"] == "done"
    assert chips(tile) == ["$0.0412 reported"]
    assert tile["figures"] == "24.8 s, preview at 6.1 s · 1536 × 1024"
    assert tile["ratio"] == "1536 / 1024"
    assert tile["image"]["original"] == f"media/{'e' * 64}.jpg"


def test_an_image_of_another_size_keeps_the_box_that_was_asked_for_and_says_so() -> None:
    (tile,) = tiles_of(run_view(images=(image(width=1248, height=832, checks=("size_differs",)),)))
    assert tile["ratio"] == "1536 / 1024"
    assert "Size differs" in chips(tile)
    assert tile["figures"].endswith("1248 × 832, asked 1536 × 1024")


def test_a_run_under_way_shows_its_newest_preview_and_what_is_reserved() -> None:
    (tile,) = tiles_of(run_view("sending", partials=2, ledger="reserved", cost=None, estimate=34_000))
    assert (tile["state"], tile["progress"], tile["since"]) == ("running", [2, 3], AT)
    assert tile["preview"] == f"media/{1:064x}.png"
    assert chips(tile) == ["Preview 2 of 3", "$0.034 reserved"]


def test_a_queued_run_says_its_place_or_what_it_waits_for() -> None:
    queued = run_view("queued", ledger="reserved", cost=None)
    assert tiles_of(queued, Live(place_in_line=2))[0]["waits"] == "Second in line at OpenAI"
    assert tiles_of(queued, Live(note="OpenAI asks to wait 12 s"))[0]["waits"] == "OpenAI asks to wait 12 s"


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("in line, place 3", "In line at OpenAI, place 3"),
        ("processing", "Processing at OpenAI"),
        ("fal is busy. It is sent again in 2 s.", "fal is busy. It is sent again in 2 s."),
    ],
)
def test_a_job_says_how_it_stands_at_its_provider(note: str, said: str) -> None:
    (tile,) = tiles_of(run_view("waiting", ledger="reserved", cost=None), Live(note=note))
    assert (tile["state"], tile["waits"]) == ("running", said)


def test_a_run_that_waits_for_a_key_says_so_and_leads_there() -> None:
    parked = Live(note="It goes on when your Replicate key is here again: add it in Settings.", is_parked=True)
    (tile,) = tiles_of(run_view("sending", offer="replicate/gpt-image-2", ledger="reserved", cost=None), parked)
    assert (tile["state"], tile["waits"], tile["waits_for"]) == ("parked", parked.note, "#settings/replicate")
    assert (chips(tile)[0], tile["since"]) == ("Waits for a key", None)


def test_a_converted_image_is_saved_in_the_format_asked_for_and_as_it_came() -> None:
    made = replace(image(), converted_sha256="f" * 64, converted_type="image/gif")
    (tile,) = tiles_of(run_view(images=(made,), output_format="gif"))
    assert tile["image"]["downloads"] == [
        {"url": f"media/{'f' * 64}.gif", "label": "Download GIF", "word": "GIF"},
        {"url": f"media/{'e' * 64}.jpg", "label": "Download original JPEG", "word": "JPEG"},
    ]
    assert tile["figures"].endswith("GIF made here")
    (plain,) = tiles_of(run_view(images=(image(),)))
    assert [one["label"] for one in plain["image"]["downloads"]] == ["Download original"]


def test_a_gateway_tells_who_made_it_and_a_bill_of_two_parts_is_told_apart() -> None:
    lines = [
        {"label": "Tokens, billed by OpenAI", "amount_microusd": 3_100},
        {"label": "Fee of the provider", "amount_microusd": 1_000},
    ]
    view = run_view(images=(image(),), cost=4_100)
    view = replace(view, run=replace(view.run, got={"provider_name": "OpenAI", "route": "a/b", "cost_lines": lines}))
    (tile,) = tiles_of(view)
    assert tile["figures"].endswith("made by OpenAI")
    assert tile["chips"][0]["title"] == "Tokens, billed by OpenAI: $0.0031. Fee of the provider: $0.001"


def test_a_ratio_gives_the_box_its_shape_and_is_no_size_to_differ_from() -> None:
    (tile,) = tiles_of(
        run_view("sending", ledger="reserved", cost=None, size=None, aspect_ratio="16:9", resolution="1K")
    )
    width, height = (int(side) for side in tile["ratio"].split(" / "))
    assert abs(width / height - 16 / 9) < 0.05
    (done,) = tiles_of(run_view(images=(image(width=1024, height=1024),), size=None, aspect_ratio="1:1"))
    assert "Size differs" not in chips(done)


@pytest.mark.parametrize(
    ("state", "error", "shown", "title", "label"),
    [
        ("failed", RunError("moderation", "x"), "refused", "OpenAI refused this prompt", "Edit the prompt"),
        ("failed", RunError("auth", "x", status=401), "failed", "OpenAI refused the key", "Check the key"),
        ("failed", RunError("auth", "x"), "failed", "No key for OpenAI", "Check the key"),
        ("failed", RunError("server", "x"), "failed", "OpenAI had an error", "Retry"),
        ("failed", RunError("validation", "x"), "failed", "OpenAI refused a setting", "Change the settings"),
        ("unknown", RunError("timeout", "x"), "unknown", "No answer from OpenAI in 24.8 s", "Retry"),
        ("unknown", RunError("network", "x"), "unknown", "The answer was lost", "Retry"),
        ("cancelled", RunError("cancelled", "x"), "stopped", "Stopped", "Run again"),
        ("unknown", RunError("cancelled", "x"), "stopped", "Stopped", "Run again"),
    ],
)
def test_a_failure_says_who_did_what_and_the_next_step(
    state: str, error: RunError, shown: str, title: str, label: str
) -> None:
    (tile,) = tiles_of(run_view(state, error=error, ledger="released", n=4))
    assert (tile["state"], tile["failure"]["title"], tile["failure"]["label"]) == (shown, title, label)


def test_a_retry_says_what_it_risks() -> None:
    lost = RunError("network", "x", may_have_been_billed=True)
    (tile,) = tiles_of(run_view("unknown", error=lost, ledger="unknown", cost=None, estimate=40_000))
    assert tile["failure"]["aside"] == "A new charge is possible"
    assert chips(tile) == ["Unknown", "cost unknown"]
    (tile,) = tiles_of(run_view("failed", error=RunError("server", "x"), ledger="released", estimate=40_000))
    assert tile["failure"]["aside"] == "about $0.04"
    assert chips(tile) == ["Failed", "$0 not billed"]


def test_the_title_is_not_said_twice() -> None:
    error = RunError("moderation", "OpenAI refused this prompt. Change the wording.")
    assert tiles_of(run_view("failed", error=error))[0]["failure"]["text"] == "Change the wording."


def test_each_image_has_a_tile_and_one_that_did_not_come_says_so() -> None:
    shown = tiles_of(run_view(images=(image(0), image(1)), n=3, cost=90_000))
    assert [tile["state"] for tile in shown] == ["done", "done", "missing"]
    assert [chips(tile)[0] for tile in shown] == ["$0.09 computed for 2 images", "2 of 3", "Missing"]
    assert shown[2]["failure"]["title"] == "2 of 3 images came"
    assert len(tiles_of(run_view("queued", n=4))) == 4
    why = RunError("moderation", "2 of 3 images came. fal refused the third.")
    told = run_view(images=(image(0), image(1)), n=3, cost=90_000, error=why)
    assert tiles_of(told)[2]["failure"]["text"] == "fal refused the third."
    assert tiles.caption([told]) == "1 run · $0.09 · 1 incomplete"


def test_a_typed_or_forgotten_offer_still_has_a_name() -> None:
    assert offer_names("openai/gpt-image-9", CATALOG) == ("gpt-image-9", "OpenAI")
    assert offer_names("gone/some-model", CATALOG) == ("some-model", "gone")
    assert offer_names("demo/flat", CATALOG) == ("Demo, flat", "")


def test_a_group_says_its_money_and_its_exceptions() -> None:
    refused = run_view("failed", error=RunError("moderation", "x"), ledger="released", estimate=50_000)
    done = run_view(images=(image(),), cost=92_000, estimate=90_000)
    going = run_view("sending", ledger="reserved", cost=None, estimate=41_000)
    assert tiles.caption([done, going, refused]) == "3 runs · $0.092 so far, $0.041 reserved · 1 refused"
    assert tiles.caption([run_view(images=(image(),))]) == "1 run · free"
    assert tiles.caption([refused]) == "1 run · nothing billed · 1 refused"
    group = GroupView(Group("g1", "local", "run", "generate", "A red fox", AT), (done, going))
    assert tiles.group_view(group, CATALOG, lambda _: Live())["again"] == "Again · about $0.131"


def test_the_previews_of_a_finished_image_stay_with_it() -> None:
    run = run_view(images=(image(),), partials=2)
    later = replace(run.partials[1], at="2026-11-21T10:15:42.623Z")
    (tile,) = tiles_of(replace(run, partials=(later, run.partials[0])))
    assert [one["words"] for one in tile["previews"]] == ["Preview 1 at 6.1 s", "Preview 2 at 12.5 s"]
    assert tile["previews"][0]["src"] == f"media/{0:064x}.png"
    assert tiles_of(run_view("sending", partials=2))[0]["previews"] == []


def test_the_filter_knows_every_badge_also_those_that_the_tile_has_no_room_for() -> None:
    many = ("size_differs", "format_differs", "no_alpha", "near_duplicate", "flagged")
    (tile,) = tiles_of(run_view(images=(image(checks=many),)))
    assert len(tile["chips"]) == 3
    assert tile["badges"] == ["Size differs", "Format differs", "No alpha", "Near-duplicate", "Flagged"]
    assert tiles_of(run_view("sending"))[0]["badges"] == []
