"""Good answers of OpenAI's shape bent as a fault asks: too few images, broken files, wrong text, wrong JSON."""

from collections.abc import Mapping

from tests.fakes import faults
from tests.fakes.faults import Fault, UnfitFault
from tests.fakes.pictures import bomb_png

_BENDS = (
    faults.FewerImages,
    faults.NotAnImage,
    faults.TruncatedImage,
    faults.ImageBomb,
    faults.WrongSize,
    faults.BadBase64,
    faults.WrongShape,
    faults.InvalidJson,
)
_ELSEWHERE = (faults.Slow, faults.CutBody)
"""Carried out by the base class, around an answer that is good."""


def check_known(fault: Fault | None) -> None:
    """Stops a test that queued a fault nobody would carry out.

    Raises:
        UnfitFault: the fault is of no kind these fakes know.
    """
    if fault is not None and not isinstance(fault, (*_BENDS, *_ELSEWHERE)):
        raise UnfitFault(f"this fake cannot carry out {fault!r}")


def bent_count(n: int, fault: Fault | None) -> int:
    """How many images are made when `n` were asked for."""
    return max(0, n - fault.missing) if isinstance(fault, faults.FewerImages) else n


def bent_size(size: tuple[int, int], fault: Fault | None) -> tuple[int, int]:
    """The size that is drawn."""
    return (fault.width, fault.height) if isinstance(fault, faults.WrongSize) else size


def bent_file(data: bytes, fault: Fault | None) -> bytes:
    """The file that is sent."""
    match fault:
        case faults.NotAnImage(other):
            return other
        case faults.ImageBomb():
            return bomb_png()
        case faults.TruncatedImage():
            return data[: len(data) // 2]
        case _:
            return data


def bent_item(item: Mapping[str, object], fault: Fault | None) -> dict[str, object]:
    """One entry of `data`; faults about `b64_json` leave a `url` as it is."""
    text = item.get("b64_json")
    if not isinstance(text, str):
        return dict(item)
    match fault:
        case faults.BadBase64(hidden=False):
            return {**item, "b64_json": "!!! not base64 !!!"}
        case faults.BadBase64(hidden=True):
            return {**item, "b64_json": text[:200] + "*~!?" + text[204:]}
        case faults.WrongShape("null_b64"):
            return {**item, "b64_json": None}
        case faults.WrongShape("number_b64"):
            return {**item, "b64_json": 42}
        case faults.WrongShape("no_b64"):
            return {name: value for name, value in item.items() if name != "b64_json"}
        case _:
            return dict(item)


def bent_body(body: Mapping[str, object], fault: Fault | None) -> object:
    """The whole answer; bytes when it is no JSON."""
    match fault:
        case faults.InvalidJson(text):
            return text.encode()
        case faults.WrongShape("list"):
            return [dict(body)]
        case faults.WrongShape("no_data"):
            return {name: value for name, value in body.items() if name != "data"}
        case faults.WrongShape("null_data"):
            return {**body, "data": None}
        case faults.WrongShape("empty_data"):
            return {**body, "data": []}
        case faults.WrongShape("text_data"):
            return {**body, "data": "iVBORw0KGgo="}
        case _:
            return dict(body)
