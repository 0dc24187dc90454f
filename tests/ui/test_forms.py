"""Component values to requests and back, and which controls the ticked models call for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from providers.catalog import ModelSpec
from providers.rows import CATALOG
from providers.types import ImageRequest, InputImage
from ui import drafts, forms
from ui.forms import FormValues, Reference

FOX = Reference("a" * 64, "image/png", 900, 600, "fox.png")
OWL = Reference("b" * 64, "image/webp", 800, 800)
HEN = Reference("c" * 64, "image/jpeg", 640, 480)


def spec(model_id: str) -> ModelSpec:
    found = CATALOG.model(model_id)
    assert found is not None
    return found


FREE_SIZE, FIXED_SIZE = spec("gpt-image-2.6-flare"), spec("gpt-image-1.5")


def request_of(values: FormValues, *specs: ModelSpec) -> ImageRequest:
    images = [forms.stand_in(item) for item in values.references]
    return forms.request_of(values, forms.controls_of(specs, values), images)


def test_nothing_dear_is_a_default() -> None:
    request = request_of(FormValues(prompt="A red fox"), FREE_SIZE)
    assert (request.quality, request.n, request.size, request.partial_images) == ("low", 1, "1024x1024", None)
    assert request.output_compression is None


def test_a_field_no_ticked_model_has_is_not_said() -> None:
    values = FormValues(prompt="A red fox", input_fidelity="high", references=(FOX,))
    assert request_of(values, FIXED_SIZE).input_fidelity == "high"
    assert request_of(values, FREE_SIZE).input_fidelity is None
    assert request_of(replace(values, references=()), FIXED_SIZE).input_fidelity is None


@pytest.mark.parametrize(("output_format", "shown"), [("png", False), ("jpeg", True), ("webp", True)])
def test_compression_goes_with_formats_that_can_be_compressed(output_format: str, shown: bool) -> None:
    values = FormValues(prompt="A red fox", output_format=output_format, output_compression=70)
    assert forms.controls_of([FREE_SIZE], values).compression is shown
    assert request_of(values, FREE_SIZE).output_compression == (70 if shown else None)


def test_controls_are_the_union_of_the_ticked_models_and_say_what_only_some_have() -> None:
    both = forms.controls_of([FREE_SIZE, FIXED_SIZE], FormValues(references=(FOX,)))
    assert set(both.qualities) == {"auto", "low", "medium", "high", "xhigh", "max"}
    assert both.fidelities == ("low", "high")
    assert {"quality", "size", "input_fidelity"} <= both.some_only
    assert "background" not in both.some_only
    assert forms.controls_of([FIXED_SIZE], FormValues()).some_only == frozenset()


def test_a_mask_is_only_for_an_edit() -> None:
    assert not forms.controls_of([FREE_SIZE], FormValues()).mask
    assert forms.controls_of([FREE_SIZE], FormValues(references=(FOX,))).mask


def test_asked_values_come_back_into_the_form() -> None:
    mask = InputImage(b"", "image/png", 900, 600, "d" * 64)
    asked = ImageRequest(
        prompt="A red fox",
        n=3,
        size="1536x1024",
        quality="high",
        background="opaque",
        output_format="webp",
        output_compression=0,
        moderation="low",
        input_fidelity="high",
        partial_images=2,
        user="u-1",
        timeout_s=90.0,
        images=(forms.stand_in(FOX),),
        mask=mask,
        lock_outside_mask=True,
    )
    values = forms.from_request(asked, ["openai/gpt-image-1.5"], [replace(FOX, name="")], forms.as_reference(mask))
    controls = forms.controls_of([FIXED_SIZE], values)
    again = forms.request_of(values, controls, asked.images, mask)
    assert again == asked


@pytest.mark.parametrize(
    ("asked", "shape", "controls"),
    [
        ({"aspect_ratio": "16:9", "resolution": "2K"}, ("16:9", "2K"), ("16:9", "5:4", "2K")),
        ({"aspect_ratio": "7:5"}, ("7:5", ""), ("custom", "7:5", "any")),
        ({"resolution": "4K"}, ("", "4K"), ("1:1", "5:4", "4K")),
        ({"size": "3:2"}, ("3:2", ""), ("3:2", "5:4", "any")),
    ],
)
def test_a_ratio_comes_back_into_the_form(
    asked: dict[str, str], shape: tuple[str, str], controls: tuple[str, str, str]
) -> None:
    values = forms.from_request(ImageRequest("A red fox", **asked), [])
    assert (values.aspect_ratio, values.resolution) == shape
    assert forms.size_controls(values, ())[:2] == ("other", "ratio")
    assert forms.ratio_controls(values) == controls
    request = request_of(values, FREE_SIZE)
    assert (request.size, request.aspect_ratio, request.resolution) == (None, shape[0] or None, shape[1] or None)


def test_pixels_go_before_a_ratio() -> None:
    asked = ImageRequest("A red fox", size="1536x1024", aspect_ratio="1:1", resolution="4K")
    values = forms.from_request(asked, [])
    assert (values.size, values.is_by_ratio) == ("1536x1024", False)


@pytest.mark.parametrize(
    ("choice", "shape"),
    [
        (("21:9", "5:4", "1K"), ("21:9", "1K")),
        (("custom", " 5:4 ", "any"), ("5:4", "")),
        (("custom", "", "2K"), (":", "2K")),
        ((None, None, None), ("1:1", "")),
    ],
)
def test_three_controls_say_one_shape(choice: tuple[str | None, ...], shape: tuple[str, str]) -> None:
    assert forms.chosen_ratio(*choice) == shape


def test_gif_and_avif_are_offered_beside_what_the_models_make() -> None:
    controls = forms.controls_of([FREE_SIZE], FormValues())
    assert controls.formats == ("png", "jpeg", "webp", "gif", "avif")
    assert controls.made_here == {"gif", "avif"}
    gateway = CATALOG.spec(CATALOG.offer("lumenfall/gpt-image-2"))
    both = forms.controls_of([FREE_SIZE, gateway], FormValues())
    assert both.made_here == frozenset()
    assert "output_format" not in both.some_only


def test_a_draft_survives_a_reload_and_holds_no_bytes() -> None:
    values = FormValues(
        prompt="A red fox",
        offers=("demo/flat",),
        size="2048x1152",
        aspect_ratio="7:5",
        resolution="2K",
        references=(FOX, OWL),
        mask=HEN,
        timeout_s=60.0,
    )
    draft = drafts.draft_of(values)
    assert drafts.from_draft(draft, FormValues()) == values


@pytest.mark.parametrize(
    "draft",
    [None, [], "x", {}, {"prompt": 7, "n": "many", "timeout_s": True, "references": [{"sha256": "../x"}], "mask": 3}],
)
def test_a_draft_that_cannot_be_read_changes_nothing(draft: object) -> None:
    assert drafts.from_draft(draft, FormValues()) == FormValues()


@pytest.mark.parametrize(
    ("controls", "size"),
    [
        (("1536x1024", "auto", 1, 1), "1536x1024"),
        (("other", "auto", 1, 1), "auto"),
        (("other", "2048x1152", 1, 1), "2048x1152"),
        (("other", "custom", 1500, 1000), "1500x1000"),
        (("other", "custom", None, 1000), "0x1000"),
    ],
)
def test_four_controls_say_one_size(controls: tuple[str, str, float | None, float | None], size: str) -> None:
    assert forms.chosen_size(*controls) == size


def test_a_size_goes_back_to_the_control_that_says_it() -> None:
    offered = ("2048x1152",)
    assert forms.size_controls(FormValues(size="1024x1536"), offered)[:2] == ("1024x1536", "auto")
    assert forms.size_controls(FormValues(size="auto"), offered)[:2] == ("other", "auto")
    assert forms.size_controls(FormValues(size="2048x1152"), offered)[:2] == ("other", "2048x1152")
    assert forms.size_controls(FormValues(size="1504x1024"), offered) == ("other", "custom", 1504, 1024)
    typed = FormValues(size="1024x1024", is_custom_size=True)
    assert forms.size_controls(typed, offered)[:2] == ("other", "custom")


def test_the_first_reference_makes_it_an_edit_of_its_own_size() -> None:
    edit = forms.add_references(FormValues(), [FOX])
    assert (edit.size, edit.references) == ("auto", (FOX,))
    assert forms.add_references(FormValues(size="1536x1024"), [FOX]).size == "1536x1024"


def test_an_image_is_in_the_tray_once_and_at_most_sixteen_are() -> None:
    many = [replace(FOX, sha256=f"{number:064x}") for number in range(20)]
    assert len(forms.add_references(FormValues(), many).references) == 16
    assert forms.add_references(FormValues(references=(FOX,)), [FOX, OWL]).references == (FOX, OWL)


def test_a_new_base_leaves_the_mask_of_the_old_one_behind() -> None:
    masked = FormValues(references=(FOX, OWL), mask=HEN)
    assert forms.add_references(masked, [HEN]).mask == HEN
    based = forms.add_references(masked, [OWL], as_base=True)
    assert (based.references, based.mask) == ((OWL, FOX), None)


@pytest.mark.parametrize(("given", "number"), [(None, 5), ("9", 5), (True, 5), (-3, 1), (99, 10), (4.0, 4)])
def test_a_number_field_stays_within_its_bounds(given: object, number: float) -> None:
    assert drafts.clamp_number(given, 1, 10, 5) == number
