"""The words a prompt may use: what they name, the hour, the weather, the shape of the page. Data only.

Each row lists words in the singular; a handful in other tongues, because a newcomer may well begin with one.
"""

from __future__ import annotations

from typing import Literal

Kind = Literal[
    "poster", "logo", "portrait", "animal", "lighthouse", "boat", "still_life", "interior", "plant", "city",
    "house", "forest", "dunes", "ridges", "sea", "field", "space", "abstract",
]  # fmt: skip
"""What a picture shows; the first in this order wins when a prompt names several."""


def _words(rows: dict[str, str]) -> dict[str, str]:
    return {word: meaning for meaning, words in rows.items() for word in words.split()}


KIND_ORDER: tuple[Kind, ...] = (
    "poster", "logo", "portrait", "animal", "lighthouse", "boat", "still_life", "interior", "plant", "city",
    "house", "forest", "dunes", "ridges", "sea", "field", "space",
)  # fmt: skip

KINDS: dict[str, str] = _words(
    {
        "poster": "poster flyer placard billboard playbill cover affiche plakat bookcover ポスター",
        "logo": "logo icon emblem badge logotype monogram wordmark favicon sticker stamp",
        "portrait": "portrait person man woman girl boy sailor king queen grandmother "
        "grandfather face bust child lady "
        "gentleman musician astronaut dancer poet selfie headshot porträt retrato mother "
        "father knight wizard doctor "
        "people human model samurai 人 女 男",
        "animal": "fox cat kitten dog puppy bird owl fish wolf bear rabbit hare deer "
        "horse sparrow raven crow robin "
        "swan koi whale corgi tiger lion katze fuchs hund vogel fisch gato perro chat "
        "chien 猫 犬 鸟 狐 魚 鱼 狗 animal "
        "songbird goldfish husky parrot duck "
        "penguin",
        "lighthouse": "lighthouse leuchtturm faro phare beacon 灯台",
        "boat": "boat ship sail sailboat sailing yacht ferry harbour harbor regatta "
        "schooner boot vessel canoe kayak 船",
        "still_life": "vase bowl fruit mug cup bottle citrus orange lemon apple pear jug "
        "pitcher teapot stoneware "
        "ceramic product perfume candle jar glass pottery coffee tea wine bread table tableware plum peach",
        "interior": "interior room armchair chair sofa lamp corner kitchen bedroom "
        "library reading bookshelf fireplace "
        "studio living desk office cafe couch cosy cozy nook",
        "plant": "plant leaf leave flower potted fern cactus monstera rose tulip bouquet "
        "herbarium botanical botanic blossom "
        "sunflower poppy daisy orchid succulent garden herb "
        "pflanze blume 花 植物",
        "city": "city skyline street downtown metropolis tower skyscraper town urban "
        "cityscape tokyo york manhattan "
        "berlin london paris stadt ciudad ville rooftop alley neon cyberpunk 街 城市 bridge",
        "house": "house cottage cabin hut farm barn home village chalet church castle haus casa maison 家 temple",
        "forest": "forest tree wood woodland pine birch jungle grove spruce wald bosque forêt 森 森林 树 autumn",
        "dunes": "dune desert sahara sand oasis camel wüste desierto 砂漠 沙漠 canyon mesa",
        "ridges": "mountain ridge peak hill alp alpine valley summit range volcano "
        "glacier fuji landscape berg montaña "
        "montagne 山 mist fog",
        "sea": "sea ocean coast beach wave shore lake water river island bay cliff meer "
        "mar mer 海 horizon sunset sunrise "
        "headland seascape underwater",
        "field": "field meadow wheat prairie lavender vineyard countryside pasture grass farmland",
        "space": "space planet galaxy moon star cosmos nebula rocket saturn mars orbit 月 星 universe astronomy",
    }
)
SUBJECTS: dict[str, str] = _words(
    {
        "fox": "fox fuchs 狐 wolf",
        "cat": "cat kitten katze gato chat 猫 tiger lion",
        "dog": "dog puppy hund perro chien 犬 狗 corgi husky",
        "bird": "bird sparrow raven crow robin vogel songbird parrot swan duck 鸟",
        "owl": "owl penguin",
        "fish": "fish goldfish koi fisch whale 魚 鱼",
        "bear": "bear",
        "rabbit": "rabbit hare",
        "deer": "deer horse",
        "vase": "vase stoneware jug pitcher pottery",
        "mug": "mug cup coffee tea",
        "bottle": "bottle perfume wine glass jar",
        "bowl": "bowl",
        "teapot": "teapot",
        "citrus": "citrus orange lemon",
        "apple": "apple peach plum fruit",
        "pear": "pear",
        "sailor": "sailor captain fisherman",
        "crown": "king queen prince princess",
        "long_hair": "woman girl lady dancer mother grandmother 女",
        "old": "old elderly grandmother grandfather aged ancient",
        "cactus": "cactus succulent",
        "flower": "flower rose tulip bouquet blossom sunflower poppy daisy orchid blume 花",
        "wheat": "wheat bakery bread grain",
        "astronaut": "astronaut",
    }
)
MOODS: dict[str, str] = _words(
    {
        "night": "night midnight nocturne nighttime moonlit moonlight starry nacht noche nuit 夜 dark moon star",
        "dusk": "dusk evening twilight gloaming sunset abend 夕",
        "dawn": "dawn morning sunrise daybreak morgen pastel early",
        "noon": "noon midday day daylight sunny bright summer tag",
        "golden": "golden amber honey warm afternoon",
        "mist": "mist misty fog foggy haze hazy",
        "storm": "storm stormy rain rainy thunder overcast grey gloomy drizzle",
        "winter": "winter snow snowy ice icy frost frozen blizzard arctic cold christmas",
        "autumn": "autumn fall october harvest november",
        "spring": "spring april may blossom fresh",
        "desert": "desert dune sahara sand canyon mesa",
        "violet": "violet neon cyberpunk synthwave dreamy magic fantasy",
        "aurora": "aurora northern",
    }
)
WEATHER: dict[str, str] = _words(
    {
        "rain": "rain rainy drizzle storm",
        "snow": "snow snowy snowfall blizzard snowflake",
        "fog": "mist misty fog foggy haze hazy",
        "stars": "star starry stars 星",
        "moon": "moon moonlit moonlight crescent 月 mond luna",
        "sun": "sun sunset sunrise sunny sunlit sunlight 日 sonne sol",
        "birds": "bird birds seagull gull flock",
        "clouds": "cloud cloudy overcast",
        "flowers": "flower blossom bouquet wildflower poppy",
        "hat": "hat cap beret",
        "frame": "frame framed border",
        "boat": "boat sailboat ship",
        "tree": "tree pine",
        "balloon": "balloon",
        "heart": "heart love",
        "waves": "wave stormy",
        "lit": "lit window glowing light lamp lantern",
    }
)
NUMBERS: dict[str, int] = {
    word: count
    for count, words in enumerate(
        (
            "one single lone 1 一", "two pair couple 2 二", "three trio 3 三", "four 4 四",
            "five 5 五", "six 6", "seven 7", "eight 8", "nine 9",
        ),
        start=1,
    )
    for word in words.split()
}  # fmt: skip
PORTRAIT_WORDS = frozenset(
    ["portrait", "vertical", "tall", "phone", "story", "bust", "headshot", "poster", "bookcover", "person", "selfie"]
)
WIDE_WORDS = frozenset(
    [
        "wide",
        "landscape",
        "panorama",
        "panoramic",
        "horizontal",
        "banner",
        "skyline",
        "cinematic",
        "widescreen",
        "horizon",
        "vista",
        "seascape",
        "coast",
        "cityscape",
    ]
)
STOP_CAPITALS = frozenset(
    [
        "A",
        "I",
        "USA",
        "UK",
        "TV",
        "OK",
        "AI",
        "3D",
        "2D",
        "HD",
        "4K",
        "8K",
        "DSLR",
        "RGB",
        "UI",
        "UX",
        "B",
        "W",
        "BW",
        "PNG",
        "JPEG",
        "WEBP",
        "SVG",
        "CMYK",
    ]
)
"""Capitals in a prompt that are not meant to be set in type."""
