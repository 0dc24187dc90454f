"""What OpenAI's image models can do and how their tokens are counted: the tables the fake judges by.

Written from the provider reference (section 1: openai-python 3.52.0, OpenAPI 2.3.0 of 2026-08-21, price
notes of 2026-11) and never from this program's own catalogue, so that it can prove the catalogue wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from types import MappingProxyType

Size = tuple[int, int]
"""Width and height in pixels."""

FIXED_SIZES = ("1024x1024", "1536x1024", "1024x1536")
FORMATS = ("png", "jpeg", "webp")
GATED_FORMATS = ("gif", "svg")
"""Preview formats that need access no test project has."""
BACKGROUNDS = ("auto", "opaque", "transparent")
MODERATIONS = ("auto", "low")
COMPLEXITIES = ("low", "medium", "high")

PROMPT_MAX = 32_000
N_MAX = 10
PARTIALS_MAX = 3
IMAGES_MAX = 16
IMAGE_BYTES = 50_000_000
"""An input image must be smaller; the reference says "50 MB", read as the smaller of its two meanings."""
MASK_BYTES = 4_000_000
IMAGE_URL_MAX = 20_971_520
IDENTIFIER_MAX = 64
"""Length of `safety_identifier`. Sources disagree between 64 and 128: 64 is safe in both cases."""

LONG_EDGE_MAX = 3840
AREA_MIN, AREA_MAX = 655_360, 8_294_400
PARTIAL_TOKENS = 100


@dataclass(frozen=True, slots=True)
class Family:
    """What the models of one generation accept."""

    qualities: tuple[str, ...]
    fidelities: tuple[str, ...] = ()
    """Empty: `input_fidelity` must be omitted."""
    factors: Mapping[str, int] | None = None
    """Quality to the factor f of the output token formula; None: fixed sizes and a fixed table."""
    markup: bool = False
    complexity: bool = False

    @property
    def free_size(self) -> bool:
        """Whether any legal WxH is taken, instead of three fixed sizes."""
        return self.factors is not None


_THREE = ("auto", "low", "medium", "high")
_FIVE = (*_THREE, "xhigh", "max")
_FACTORS_2 = MappingProxyType({"low": 16, "medium": 48, "high": 96})
_FACTORS_25 = MappingProxyType({"low": 16, "medium": 24, "high": 48, "xhigh": 64, "max": 96})

MINI = Family(qualities=_THREE, fidelities=("low",))
FIXED = Family(qualities=_THREE, fidelities=("low", "high"))
TWO = Family(qualities=_THREE, factors=_FACTORS_2)
TWO_FIVE = Family(qualities=_FIVE, factors=_FACTORS_25, markup=True)
TWO_SIX = Family(qualities=_FIVE, factors=_FACTORS_25, markup=True, complexity=True)
"""No token figure is published for 2.6: those of 2.5 are an estimate."""

LIVING_MODELS: Mapping[str, Family] = MappingProxyType(
    {
        "gpt-image-1-mini": MINI,
        "gpt-image-1.5": FIXED,
        "gpt-image-1.5-2025-12-16": FIXED,
        "chatgpt-image-latest": FIXED,
        "gpt-image-2": TWO,
        "gpt-image-2-2026-04-21": TWO,
        "gpt-image-2.5-flare": TWO_FIVE,
        "gpt-image-2.5-flare-2026-09-08": TWO_FIVE,
        "gpt-image-2.5-sunburst": TWO_FIVE,
        "gpt-image-2.5-sunburst-2026-09-08": TWO_FIVE,
        "gpt-image-2.6-flare": TWO_SIX,
        "gpt-image-2.6-sunburst": TWO_SIX,
    }
)
"""Models that answer on 2026-11-21; `gpt-image-1` and both dall-e are gone."""

_FIXED_TOKENS = {
    "low": {(1024, 1024): 272, (1024, 1536): 408, (1536, 1024): 400},
    "medium": {(1024, 1024): 1056, (1024, 1536): 1584, (1536, 1024): 1568},
    "high": {(1024, 1024): 4160, (1024, 1536): 6240, (1536, 1024): 6208},
}


def size_problem(text: str, family: Family) -> str | None:
    """Why the family refuses this size, or None when it is legal; `auto` is legal everywhere."""
    if text == "auto":
        return None
    if not family.free_size:
        return None if text in FIXED_SIZES else f"Supported values are: {', '.join(FIXED_SIZES)}, auto."
    width, _, height = text.partition("x")
    if not all(
        side.isascii() and side.isdigit() and not side.startswith("0") and len(side) < 6 for side in (width, height)
    ):
        return "Expected 'auto' or WIDTHxHEIGHT."
    w, h = int(width), int(height)
    if max(w, h) > LONG_EDGE_MAX:
        return f"The longest edge must be less than or equal to {LONG_EDGE_MAX}."
    if w % 16 or h % 16:
        return "Width and height must both be divisible by 16."
    if max(w, h) > 3 * min(w, h):
        return "The aspect ratio must be between 1:3 and 3:1."
    if not AREA_MIN <= w * h <= AREA_MAX:
        return f"The area must be between {AREA_MIN} and {AREA_MAX} pixels."
    return None


def output_tokens(family: Family, size: Size, quality: str) -> int:
    """Tokens billed for one final image of a resolved size and quality (neither may be `auto`)."""
    if family.factors is None:
        return _FIXED_TOKENS[quality][size]
    width, height = size
    f, long, short = family.factors[quality], max(size), min(size)
    s = (2 * f * short + long) // (2 * long)
    return -(-f * s * (2_000_000 + width * height) // 4_000_000)


def text_tokens(prompt: str, *, images: int) -> int:
    """A made-up but steady count: it gives the 13 and 50 of the reference's two worked examples."""
    return 8 + -(-len(prompt) // 4) + (36 if images else 0)


def image_tokens(family: Family, size: Size, *, high_fidelity: bool) -> int:
    """Tokens billed for one input image.

    The rule for gpt-image-1.5 at high fidelity is disputed between sources; the older figure is used.
    """
    return _patches(size) if family.free_size else _tiles(size, high_fidelity=high_fidelity)


def _tiles(size: Size, *, high_fidelity: bool) -> int:
    """65 + 129 per 512-px tile, after shrinking the short side to 512."""
    scale = min(1.0, 512 / min(size))
    across, down = (-(-round(side * scale) // 512) for side in size)
    surcharge = 0 if not high_fidelity else 4160 if size[0] == size[1] else 6240
    return 65 + 129 * across * down + surcharge


def _patches(size: Size) -> int:
    """32-px patches: a long side under 1024 is enlarged up to twice, at most 1536 patches, ratio at most 3:1."""
    long, short = float(max(size)), float(min(size))
    enlarge = min(2.0, max(1.0, 1024 / long))
    long, short = long * enlarge, max(short * enlarge, long * enlarge / 3)
    shrink = min(1.0, sqrt(1536 * 1024 / (long * short)))
    patches = max(1, -(-int(long * shrink) // 32)) * max(1, -(-int(short * shrink) // 32))
    return min(1536, patches)
