"""The lock outside the mask from the shell: on by default, beside the provider's own file, and told where it cannot be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image

from tests.fakes.openai_server import FakeOpenAI
from tests.harness import OFFER
from tests.ui.shell import Shell, photo


def square(folder: Path, *, white_marks: bool = True) -> tuple[str, str]:
    """A photo and its mask in black and white, whose middle is marked."""
    image = Image.effect_noise((240, 240), 60).convert("RGB")
    image.save(folder / "photo.png")
    ground, mark = (0, 255) if white_marks else (255, 0)
    mask = Image.new("L", (240, 240), ground)
    mask.paste(mark, (80, 80, 160, 160))
    mask.save(folder / "mask.png")
    return str(folder / "photo.png"), str(folder / "mask.png")


def pixels(path: str) -> Any:
    with Image.open(path) as image:
        return numpy.asarray(image.convert("RGB"))


@pytest.mark.parametrize("white_marks", [True, False])
def test_an_edit_is_locked_and_copied_beside_the_raw_file(
    white_marks: bool, shell: Shell, fake: FakeOpenAI, tmp_path: Path
) -> None:
    base, mask = square(tmp_path, white_marks=white_marks)
    out = tmp_path / "out"
    code, document, said = shell(
        *("generate", "--offer", OFFER, "--prompt", "Add a hat", "--image", base, "--mask", mask, "--n", "2"),
        *("--size", "1024x1024", "--out", str(out), "--json"),
    )
    assert code == 0
    assert fake.violations == []
    (run,) = document["runs"]
    assert run["asked"]["lock_outside_mask"] is True
    assert f"{'white' if white_marks else 'black'} was taken as the part to repaint" in said
    marked = numpy.zeros((240, 240), bool)
    marked[80:160, 80:160] = True
    for number, (image, data) in enumerate(zip(run["images"], fake.served, strict=True), start=1):
        assert Path(image["path"]).read_bytes() == data, "the provider's bytes stay untouched"
        assert Path(image["locked_path"]) == out / f"{run['run_id']}-{number}-locked.png"
        assert (pixels(image["locked_path"])[~marked] == pixels(base)[~marked]).all()
        assert (pixels(image["locked_path"])[marked] != pixels(base)[marked]).any()
        assert image["drift_percent"] > 1
    names = sorted(path.name for path in out.iterdir())
    assert names == [f"{run['run_id']}-{number}{end}.png" for number in (1, 2) for end in ("-locked", "")]
    code, looked, _ = shell("history", "--json")
    kept = looked["runs"][0]["images"][0]["locked_path"]
    assert Path(kept).read_bytes() == Path(run["images"][0]["locked_path"]).read_bytes()
    assert Path(kept).stem == hashlib.sha256(Path(kept).read_bytes()).hexdigest()
    assert shell("verify", "--json")[:2] == (0, {"ok": True, "problems": []})


def test_what_is_not_locked_is_told_and_does_not_fail(shell: Shell, tmp_path: Path) -> None:
    base, mask = square(tmp_path)
    given = ("generate", "--offer", OFFER, "--prompt", "Add a hat", "--image", base, "--mask", mask, "--json")
    code, document, said = shell(*given, "--size", "1536x1024")
    assert code == 0
    (image,) = document["runs"][0]["images"]
    assert (image["locked_path"], image["drift_path"]) == (None, None)
    assert "another shape" in image["lock_note"]
    assert image["lock_note"] in said
    assert "240 x 240 px, and 1536 x 1024 px is asked for" in said, "as the plan had said"
    code, document, _ = shell(*given, "--size", "1024x1024", "--no-lock-outside-mask")
    assert code == 0
    (image,) = document["runs"][0]["images"]
    assert (image["locked_path"], image["lock_note"]) == (None, None)
    assert document["runs"][0]["asked"]["lock_outside_mask"] is False


@pytest.mark.parametrize(
    ("options", "code", "handling", "words"),
    [
        ((), 0, "emulated", "the original is put back outside the mask"),
        (("--lock-outside-mask",), 0, "emulated", "the original is put back outside the mask"),
        (("--no-lock-outside-mask",), 2, "converted", "stays as it comes"),
    ],
)
def test_an_estimate_says_what_becomes_of_mask_and_lock_where_none_is_taken(
    options: tuple[str, ...], code: int, handling: str, words: str, here: Callable[..., Any], tmp_path: Path
) -> None:
    base, mask = square(tmp_path)
    asked = ("--prompt", "Add a hat", "--image", base, "--mask", mask, "--size", "1024x1024", "--json")
    ended, document, _ = here("estimate", "--offer", "replicate/gpt-image-2", *asked, *options)
    assert ended == code
    (run,) = document["runs"]
    assert [problem["field"] for problem in run["problems"]] == (["mask"] if code else [])
    rows = {row["field"]: row for row in run["fields"]}
    assert (rows["lock_outside_mask"]["handling"], rows["lock_outside_mask"]["sent_as"]) == (handling, None)
    assert words in rows["lock_outside_mask"]["note"]
    assert rows["mask"]["handling"] == "refused"
    assert ("the lock still protects" in rows["mask"]["note"]) is (code == 0)
    assert any("does not see the mask" in notice for notice in run["notices"]) is (code == 0)
    assert "mask" not in str(run["request"]["body"])


def test_without_a_mask_nothing_is_said_of_locks(here: Callable[..., Any], tmp_path: Path) -> None:
    base = photo(tmp_path, "photo.png", "red")
    _, document, _ = here("estimate", "--offer", OFFER, "--prompt", "x", "--image", base, "--json")
    assert "lock_outside_mask" not in [row["field"] for row in document["runs"][0]["fields"]]
