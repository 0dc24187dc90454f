"""Hostile images, made when they are asked for: each by its name, as the bytes somebody would send.

`SMALL` are made and read in milliseconds. `LARGE` have as many bytes as are taken, or ask for as many pixels as they can.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterable
from typing import Any

from PIL import Image, ImageCms

from tests.fakes.pictures import bomb_png

Maker = Callable[[], bytes]

MOST_BYTES = 49_000_000
"""Just under what an upload may have."""
_MAGIC = b"\x89PNG\r\n\x1a\n"


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def _plain() -> Image.Image:
    grey = Image.radial_gradient("L").resize((64, 48))
    return Image.merge("RGB", (grey, grey.rotate(180), grey.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))


# PNG


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def png(
    width: int,
    height: int,
    *more: bytes,
    depth: int = 8,
    colour: int = 2,
    idat: bytes | None = None,
    after: bytes = b"",
    interlace: int = 0,
) -> bytes:
    """A PNG of plain black, or with the given compressed pixels, and more chunks before and after them."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    if idat is None:
        row = 1 + (width * depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour] + 7) // 8
        idat = zeros(row * height)
    return b"".join([_MAGIC, chunk(b"IHDR", header), *more, chunk(b"IDAT", idat), after, chunk(b"IEND", b"")])


def zeros(size: int) -> bytes:
    """So many zero bytes, deflated without ever holding them."""
    packer = zlib.compressobj(9)
    block = bytes(2**20)
    parts = [packer.compress(block) for _ in range(size // len(block))]
    return b"".join([*parts, packer.compress(bytes(size % len(block))), packer.flush()])


def wrong_crc() -> bytes:
    data = bytearray(png(64, 48))
    data[-20] ^= 0xFF
    return bytes(data)


def many_frames_png() -> bytes:
    """An animation that claims two milliards of frames and has one."""
    control = struct.pack(">IIIIIHHBB", 0, 64, 48, 0, 0, 1, 100, 0, 0)
    return png(64, 48, chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)), chunk(b"fcTL", control))


def frames_of_other_sizes() -> bytes:
    """A frame that lies outside its picture."""
    control = struct.pack(">IIIIIHHBB", 0, 2**30, 2**30, 2**30, 2**30, 1, 100, 0, 0)
    return png(64, 48, chunk(b"acTL", struct.pack(">II", 2, 0)), chunk(b"fcTL", control))


def png_bomb_text(kind: bytes, head: bytes) -> bytes:
    return png(64, 48, chunk(kind, head + zeros(60_000_000)))


def many_chunks(kind: bytes, size: int, body: bytes = b"") -> bytes:
    one = chunk(kind, body)
    return png(64, 48, one * (size // len(one)))


def palette_out_of_range() -> bytes:
    """Pixels of the colour 255, of which the palette has two."""
    rows = b"".join(b"\0" + b"\xff" * 64 for _ in range(48))
    return png(64, 48, chunk(b"PLTE", bytes(6)), colour=3, idat=zlib.compress(rows))


# JPEG


def _progressive(width: int, height: int) -> tuple[bytes, bytes]:
    """Everything before the last scan of a progressive JPEG, and that scan."""
    data = encoded(Image.new("RGB", (width, height)), "JPEG", progressive=True)
    at = data.rfind(b"\xff\xda")
    tables = data.rfind(b"\xff\xc4", 0, at)
    return data[:tables], data[tables:-2]


def scans(width: int, height: int, count: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    head, scan = _progressive(width, height)
    return head + scan * count + b"\xff\xd9"


def segments(one: bytes, size: int) -> bytes:
    """A JPEG with the same segment again and again before its pixels."""
    data = encoded(_plain(), "JPEG")
    return data[:2] + one * (size // len(one)) + data[2:]


def exif_with(tags: Iterable[tuple[int, int, int, int]], tail: bytes = b"") -> bytes:
    entries = [struct.pack("<HHII", *tag) for tag in tags]
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4) + tail


def jpeg_with_exif(exif: bytes) -> bytes:
    data = encoded(_plain(), "JPEG")
    return data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:]


def mpo(count: int) -> bytes:
    """A JPEG that says it holds so many more."""
    directory = b"II*\0\x08\0\0\0" + struct.pack("<H", 2)
    directory += (
        struct.pack("<HHII", 0xB001, 4, 1, count) + struct.pack("<HHII", 0xB002, 7, 16 * 40, 50) + bytes(4 + 640)
    )
    body = b"MPF\0" + directory
    data = encoded(_plain(), "JPEG")
    return data[:2] + b"\xff\xe2" + (len(body) + 2).to_bytes(2, "big") + body + data[2:]


# GIF


def gif(screen: tuple[int, int], body: bytes, frame: tuple[int, int] | None = None) -> bytes:
    width, height = frame or screen
    start = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + bytes(6)
    pixels = b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x4c\x01\x00"
    return start + body + pixels + b";"


def many_frames_gif(count: int) -> bytes:
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x4c\x01\x00"
    return gif((64, 48), frame * count)


def long_comment_gif(size: int) -> bytes:
    return gif((64, 48), b"\x21\xfe" + (b"\xff" + b"x" * 255) * (size // 256) + b"\0")


def many_comments_gif(size: int) -> bytes:
    return gif((64, 48), b"\x21\xfe\x01x\0" * (size // 5))


# WebP, AVIF, TIFF, BMP


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WEBP" + b"".join(
        kind + len(data).to_bytes(4, "little") + data + bytes(len(data) % 2) for kind, data in chunks
    )
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def webp_claiming(width: int, height: int, *more: tuple[bytes, bytes]) -> bytes:
    """An extended WebP whose canvas claims any size."""
    canvas = (
        bytes([0x02 if more else 0, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    )
    return riff((b"VP8X", canvas), *more, (b"VP8L", encoded(_plain(), "WEBP", lossless=True)[20:]))


def webp_with_bad_frames() -> bytes:
    frame = bytes(12) + (100).to_bytes(3, "little") + b"\0" + b"VP8L" + (2**31).to_bytes(4, "little")
    return webp_claiming(64, 48, (b"ANIM", bytes(6)), (b"ANMF", frame), (b"ANMF", b"\0"))


def animated(form: str, frames: int = 3) -> bytes:
    first, *others = [_plain().rotate(30 * n) for n in range(frames)]
    return encoded(first, form, save_all=True, append_images=others, duration=40)


def avif_claiming(width: int, height: int) -> bytes:
    before, mark, after = encoded(_plain(), "AVIF").partition(b"ispe\0\0\0\0")
    return before + mark + struct.pack(">II", width, height) + after[8:]


def boxes(size: int) -> bytes:
    """An AVIF of empty boxes."""
    return b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + b"\0\0\0\x08free" * (size // 8)


def tiff_pages(count: int) -> bytes:
    """A TIFF whose directories follow each other, each empty but for what a picture needs."""
    data = encoded(Image.new("L", (64, 48)), "TIFF")
    at = int.from_bytes(data[4:8], "little")
    entries = int.from_bytes(data[at : at + 2], "little")
    end = at + 2 + 12 * entries
    first = len(data)
    pages = b"".join(struct.pack("<HI", 0, first + 6 * (n + 1)) for n in range(count))
    return data[:end] + first.to_bytes(4, "little") + data[end + 4 :] + pages + struct.pack("<HI", 0, 0)


def tiff_loop() -> bytes:
    data = encoded(Image.new("L", (64, 48)), "TIFF")
    at = int.from_bytes(data[4:8], "little")
    end = at + 2 + 12 * int.from_bytes(data[at : at + 2], "little")
    return data[:end] + at.to_bytes(4, "little") + data[end + 4 :]


def tiff_of(*tags: tuple[int, int, int, int], tail: bytes = b"") -> bytes:
    entries = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4) + tail


def tiff_claiming(width: int, height: int, strips: int) -> bytes:
    return tiff_of(
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, strips, 8),
        (277, 3, 1, 1), (278, 4, 1, 1), (279, 4, strips, 8), tail=bytes(4 * strips),
    )  # fmt: skip


def tiff_with_large_tag(size: int) -> bytes:
    return tiff_of(
        (256, 4, 1, 64), (257, 4, 1, 48), (258, 3, size // 2, 140), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8),
        (277, 3, 1, 1), (278, 4, 1, 48), (279, 4, 1, 3072), tail=bytes(size + 4000),
    )  # fmt: skip


def bmp_claiming(width: int, height: int, colours: int = 0) -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 0, 0, 1, 1, colours, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + info + bytes(4096)


# Others


def profile(size: int) -> bytes:
    """A colour profile that says it holds tags without end."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes())
    data[128:132] = (100).to_bytes(4, "big")
    return bytes(data) + bytes(size)


def foreign(form: str) -> bytes:
    mode = "1" if form in ("XBM", "MSP") else "RGB"
    return encoded(_plain().convert(mode), form)


def _cuts(form: str, count: int = 8) -> dict[str, Maker]:
    """A file cut off at places all over it."""

    def at(n: int) -> Maker:
        def made() -> bytes:
            data = encoded(_plain(), form)
            return data[: len(data) * n // count]

        return made

    return {f"{form} cut at {n} of {count}": at(n) for n in range(1, count)}


def _kept(make: Callable[..., bytes], *arguments: Any, **named: Any) -> Maker:
    return lambda: make(*arguments, **named)


SMALL: dict[str, Maker] = {
    "zero bytes": lambda: b"",
    "one byte": lambda: b"\x89",
    "zeros": lambda: bytes(4096),
    "png bomb": bomb_png,
    "png claiming 30000": _kept(png, 30_000, 30_000, idat=zlib.compress(b"")),
    "png claiming the most": _kept(png, 2**31 - 1, 2**31 - 1, idat=zlib.compress(b"")),
    "png of no size": _kept(png, 0, 48, idat=b""),
    "png without pixels": _kept(png, 4096, 4096, idat=zlib.compress(b"")),
    "png with far too many pixels": _kept(png, 64, 48, idat=zeros(200_000_000)),
    "png with bytes behind its pixels": _kept(png, 64, 48, after=chunk(b"IDAT", bytes(1000))),
    "png with wrong crc": wrong_crc,
    "png of unknown colours": lambda: _MAGIC + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 48, 7, 5, 9, 9, 9)),
    "png with two headers": _kept(png, 64, 48, chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0))),
    "png with huge chunk": lambda: _MAGIC + (2**31 - 1).to_bytes(4, "big") + b"IHDR" + bytes(20),
    "png palette out of range": palette_out_of_range,
    "png without palette": _kept(png, 64, 48, colour=3),
    "png of 16 bits": _kept(png, 64, 48, depth=16, colour=6),
    "png interlaced": _kept(png, 64, 48, interlace=1),
    "png text bomb": _kept(png_bomb_text, b"zTXt", b"prompt\0\0"),
    "png international text bomb": _kept(png_bomb_text, b"iTXt", b"prompt\0\1\0\0\0"),
    "png XMP bomb": _kept(png_bomb_text, b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0"),
    "png profile bomb": _kept(png_bomb_text, b"iCCP", b"ICC\0\0"),
    "png profile that lies": lambda: encoded(_plain(), "PNG", icc_profile=profile(4000)),
    "png with millions of frames": many_frames_png,
    "png with frames outside": frames_of_other_sizes,
    "png and a page": _kept(png, 64, 48, after=chunk(b"tEXt", b"x\0<script>alert(1)</script>")),
    "png with a page behind": lambda: png(64, 48) + b"<html><script>alert(1)</script></html>",
    "png with an archive behind": lambda: png(64, 48) + b"PK\5\6" + bytes(18),
    "gif and a script": lambda: b"GIF89a=1;alert(1)//" + bytes(500),
    "gif with a script in it": lambda: gif((64, 48), b"\x21\xfe\x09*/alert()\0"),
    "gif with many frames": _kept(many_frames_gif, 100_000),
    "gif screen of 60000": _kept(gif, (60_000, 60_000), b""),
    "gif frame of 60000": _kept(gif, (64, 48), b"", frame=(60_000, 60_000)),
    "gif that ends early": lambda: many_frames_gif(3)[:30],
    "animated gif": _kept(animated, "GIF"),
    "animated webp": _kept(animated, "WEBP"),
    "animated avif": _kept(animated, "AVIF"),
    "webp claiming 16384": _kept(webp_claiming, 16_384, 16_384),
    "webp claiming the most": _kept(webp_claiming, 2**24, 2**24),
    "webp with bad frames": webp_with_bad_frames,
    "webp of no chunks": _kept(riff),
    "webp that lies of its length": lambda: b"RIFF\xff\xff\xff\xff" + encoded(_plain(), "WEBP")[8:],
    "avif claiming 30000": _kept(avif_claiming, 30_000, 30_000),
    "avif claiming 8000": _kept(avif_claiming, 8_000, 5_000),
    "avif of empty boxes": _kept(boxes, 100_000),
    "jpeg of CMYK": lambda: encoded(_plain().convert("CMYK"), "JPEG"),
    "jpeg of 500 scans": _kept(scans, 64, 48, 500),
    "jpeg claiming 65500": lambda: encoded(_plain(), "JPEG").replace(b"\0\x30\0\x40", b"\xff\xdc\xff\xdc", 1),
    "jpeg of no size": lambda: encoded(_plain(), "JPEG").replace(b"\0\x30\0\x40", b"\0\0\0\0", 1),
    "jpeg with a bent table": lambda: encoded(_plain(), "JPEG").replace(b"\xff\xc4", b"\xff\xc4\0\x03", 1),
    "jpeg turned nowhere": lambda: jpeg_with_exif(exif_with([(0x0112, 3, 1, 99)])),
    "jpeg turned by text": lambda: jpeg_with_exif(exif_with([(0x0112, 2, 4, 0x41414141)])),
    "jpeg turned many ways": lambda: jpeg_with_exif(exif_with([(0x0112, 3, 8, 26)], struct.pack("<8H", *range(1, 9)))),
    "jpeg with a loop in its camera data": lambda: jpeg_with_exif(
        exif_with([(0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0xA005, 4, 1, 8)])
    ),
    "jpeg with endless camera data": lambda: jpeg_with_exif(exif_with([(0x010E, 2, 2**32 - 1, 8)] * 2000)),
    "jpeg with a place that is none": lambda: jpeg_with_exif(exif_with([(0x8825, 4, 1, 2**32 - 1)])),
    "mpo of millions": _kept(mpo, 2**31),
    "mpo of forty": _kept(mpo, 40),
    "svg as png": lambda: b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "svg with entities": lambda: b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg>&b;</svg>',
    "page": lambda: b"<!doctype html><script>alert(1)</script>",
    "pdf": lambda: b"%PDF-1.7\n1 0 obj<</JS(app.alert(1))>>endobj",
    "pdf by its name": lambda: b"%PDF-1.7\n" + encoded(_plain(), "JPEG"),
    "psd": lambda: b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 30_000, 30_000, 8, 3) + bytes(100),
    "eps": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n(x) print",
    "icns": _kept(foreign, "ICNS"),
    "ico": _kept(foreign, "ICO"),
    "pcx": _kept(foreign, "PCX"),
    "ppm": _kept(foreign, "PPM"),
    "tga": _kept(foreign, "TGA"),
    "sgi": _kept(foreign, "SGI"),
    "jpeg 2000": lambda: b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(100),
    "fits": lambda: b"SIMPLE  =                    T".ljust(2880),
    "wmf": lambda: b"\xd7\xcd\xc6\x9a" + bytes(100),
    "tiff that loops": tiff_loop,
    "tiff claiming 60000": _kept(tiff_claiming, 60_000, 60_000, 10),
    "tiff of many strips": _kept(tiff_claiming, 64, 100_000, 100_000),
    "tiff turned": lambda: encoded(_plain(), "TIFF", exif=exif_with([(0x0112, 3, 1, 6)])[6:]),
    "bmp claiming 60000": _kept(bmp_claiming, 60_000, 60_000),
    "bmp of negative size": _kept(bmp_claiming, -64, -(2**31)),
    "bmp of many colours": _kept(bmp_claiming, 64, 48, 2**31),
    **{name: make for form in ("PNG", "JPEG", "WEBP", "GIF", "AVIF", "TIFF", "BMP") for name, make in _cuts(form).items()},
}  # fmt: skip

LARGE: dict[str, Maker] = {
    "png of 40 megapixels in a few bytes": _kept(png, 8000, 5000),
    "png of 40 megapixels and alpha": _kept(png, 8000, 5000, colour=6),
    "png of 40 megapixels of 16 bits": _kept(png, 8000, 5000, depth=16, colour=6),
    "png of 40 megapixels of one bit": _kept(png, 8000, 5000, depth=1, colour=0),
    "png of 67 megapixels": _kept(png, 8192, 8192, depth=1, colour=0),
    "png of 60 megapixels interlaced": _kept(png, 8000, 7500, depth=1, colour=0, interlace=1, idat=zeros(9_000_000)),
    "webp of 40 megapixels": lambda: encoded(Image.new("L", (8000, 5000)).convert("RGB"), "WEBP", lossless=True, method=0),
    "avif of 40 megapixels": lambda: encoded(Image.new("L", (8000, 5000)).convert("RGB"), "AVIF", speed=10),
    "gif of 40 megapixels": lambda: encoded(Image.new("P", (8000, 5000)), "GIF"),
    "jpeg of 40 megapixels": lambda: encoded(Image.new("L", (8000, 5000)), "JPEG"),
    "jpeg of 90 scans and 40 megapixels": _kept(scans, 8000, 5000, 80),
    "jpeg of 3000 scans": _kept(scans, 1024, 1024, 3000),
    "jpeg of empty segments": _kept(segments, b"\xff\xfe\0\x02", MOST_BYTES),
    "jpeg of empty application segments": _kept(segments, b"\xff\xeb\0\x02", MOST_BYTES),
    "jpeg of camera data": _kept(segments, b"\xff\xe1\xff\xffExif\0\0" + bytes(65_527), MOST_BYTES),
    "jpeg of filling": _kept(segments, b"\xff\0" * 50, MOST_BYTES),
    "jpeg of nothing": _kept(segments, bytes(100), MOST_BYTES),
    "png of empty chunks": _kept(many_chunks, b"prVt", MOST_BYTES),
    "png of texts": _kept(many_chunks, b"tEXt", MOST_BYTES, b"k\0v"),
    "png of empty pixels": _kept(many_chunks, b"IDAT", MOST_BYTES),
    "png of empty frames": _kept(many_chunks, b"fdAT", MOST_BYTES, bytes(4)),
    "gif of a comment": _kept(long_comment_gif, MOST_BYTES),
    "gif of comments": _kept(many_comments_gif, MOST_BYTES),
    "gif of millions of frames": _kept(many_frames_gif, 3_000_000),
    "webp of empty chunks": lambda: webp_claiming(64, 48, *[(b"JUNK", b"")] * (MOST_BYTES // 8)),
    "avif of millions of boxes": _kept(boxes, MOST_BYTES),
    "tiff of millions of pages": _kept(tiff_pages, 1_000_000),
    "tiff of a large tag": _kept(tiff_with_large_tag, MOST_BYTES - 10_000),
    "tiff of millions of strips": _kept(tiff_claiming, 64, 5_000_000, 5_000_000),
    "profile of 40 MB": lambda: encoded(_plain(), "WEBP", icc_profile=profile(40_000_000)),
}  # fmt: skip
