"""What is stored, where and for how long, in words: shown in Settings, and made into docs/privacy.md."""

from __future__ import annotations

from playground.keys import SESSION_KEY_IDLE_S, SESSION_KEY_LIFE_S
from playground.visitor_settings import VisitorLimits

CONSENT = (
    "Your vote is kept, without your name, with the prompt and the two images it was cast on, because every board is computed "
    "from votes."
)
"""Where votes of visitors are kept."""

STORED: tuple[tuple[str, str], ...] = (
    (
        "Runs and images",
        "Prompts, settings, previews, images and what they cost lie on this server until you delete them, the images in the "
        "store that its operator may have named for them. Images you bring along lose their location and camera data first.",
    ),
    (
        "Trash",
        "What you throw away is deleted for ever after 30 days, or at once when you say so. Bytes go when nobody else has "
        "them.",
    ),
    ("Votes", f"{CONSENT} They stay when you delete everything, under a name that leads back to nobody."),
    (
        "Keys",
        f"A key you type is held in memory only: {SESSION_KEY_IDLE_S / 3600:.0f} hours after it was used last, and "
        f"{SESSION_KEY_LIFE_S / 3600:.0f} hours after it was typed, it is forgotten. It goes to its provider and nowhere else.",
    ),
    (
        "Costs",
        "Lines of the ledger say which offer cost how much on which day. They stay, without a word of the prompt.",
    ),
    (
        "Who you are",
        "On a public server a random token in a cookie tells your runs from others'; only its hash is kept. If you sign in "
        "with Hugging Face, a hash of your account's number stands in its place.",
    ),
    (
        "Addresses",
        "Your network address is never stored. To count runs and uploads, a hash of it stays in memory for the life of the "
        "process; where several servers share one database they count there, under a hash that is deleted after an hour.",
    ),
    (
        "In your browser",
        "The form as you left it, the theme, and whether single letters work as keys. Delete everything clears them.",
    ),
    (
        "At providers",
        "Prompts and images you send go to the provider you choose; what they keep is told on their pages.",
    ),
)
"""Each kind of thing and what becomes of it."""

PRIVATE = (
    "Runs, images and votes of a private session lie in a temporary folder, apart from everything else. It is deleted when you "
    "end the session, when the app stops, or when nothing happened for two hours. What it spends is not in Costs; your "
    "limits hold in it all the same, with what was spent outside it counted."
)


def privacy_markdown() -> str:
    """The page for people who run or visit a server."""
    stored = "\n".join(f"- **{name}.** {words}" for name, words in STORED)
    limits = VisitorLimits()
    rows = "\n".join(
        f"| `{name}` | {getattr(limits, name):,} | {words} |"
        for name, words in (
            ("runs", "runs in any hour, Demo included"),
            ("running", "runs at the same time"),
            ("votes", "votes in any hour"),
            ("uploads", "uploaded files in any hour"),
            ("upload_mb", "megabytes uploaded in any hour"),
            ("storage_mb", "megabytes of images kept"),
            ("key_tries", "keys typed or tested in any hour"),
            ("address", "times as much for one network address, as several people can share one"),
        )
    )
    return f"""# What is stored

Made from `ui/privacy_words.py` by `make docs`; a test compares. The same stands in Settings.

{stored}

## Private session

{PRIVATE} On a public server it runs on your own keys and the Demo only.

## Delete everything of mine

Settings has a button for it, which asks for the words once. Runs that are going are stopped; runs, images, inputs, masks, tags,
notes, searches and keys are deleted in one transaction, so that a server that dies on the way has deleted all or nothing.
Files follow when nobody else has them, at the latest within the hour.

## Limits of a public server

What one visitor may use, unless `DIPTYCH_VISITOR_LIMITS` says otherwise. 0 is no limit.

| name | default | meaning |
| --- | --- | --- |
{rows}

Whoever reaches one is told which, and when there is room again.
"""
