"""`voters`: who voted, what is odd about them, and whose votes are left out. Voters are shown under the ids of the export."""

from __future__ import annotations

import argparse

from arena import judging
from arena.judging import Checked, UnknownVoter, Voter
from arena.left_out import LeftOut, left_out
from arena.voter_ids import shown_voter
from providers.checks import Problem
from storage import install
from ui.answering import Answer
from ui.app import App
from ui.commands.parts import Parts
from ui.commands.texts import printable
from ui.failures import ALL_WELL, refused
from ui.plain_documents import Document
from ui.views import counted


def run(options: argparse.Namespace, answer: Answer, parts: Parts) -> int:
    """Does what is asked and lists the voters as they are then; returns the exit code."""
    if (options.exclude is None) != (options.reason is None):
        return answer.fail(refused([Problem("reason", "--exclude needs a --reason, and a reason an --exclude.")]))
    with parts.app() as app:
        return _carried_out(options, answer, app)


def _carried_out(options: argparse.Namespace, answer: Answer, app: App) -> int:
    found: Checked | None = None
    try:
        if options.exclude is not None:
            judging.exclude(app.services, options.exclude, options.reason)
        elif options.readmit is not None:
            judging.readmit(app.services, options.readmit)
        elif options.check:
            found = judging.check(app.services)
    except UnknownVoter as error:
        field = "exclude" if options.exclude is not None else "readmit"
        return answer.fail(refused([Problem(field, str(error))]))
    _tell(answer, app, found)
    return ALL_WELL


def _tell(answer: Answer, app: App, found: Checked | None) -> None:
    salt = app.services.store.read(install.voter_salt)
    everyone = judging.voters(app.services)
    standing = app.services.store.read(lambda db: left_out(db, app.services.clock()))
    alarms = judging.alarms(app.services) if found is None else found.alarms
    answer.document(
        {
            "voters": [_voter_document(one) for one in everyone],
            "left_out_now": [shown_voter(salt, one.voter) for one in found.left_out] if found else [],
            "left_out_share": standing.share,
            "left_out_share_recent": standing.recent_share,
            "alarm": standing.is_alarming,
            "alarms": list(alarms),
        }
    )
    for one in everyone:
        answer.line(_voter_line(one))
    for line in (*_sentences(standing), *alarms):
        answer.say(printable(line))
    if found:
        answer.say(f"{counted(len(found.left_out), 'voter')} left out by this check.")


def _voter_document(voter: Voter) -> Document:
    out = voter.excluded
    return {
        "voter": voter.shown_id,
        "votes": voter.votes.votes,
        "counted": 0 if out else voter.votes.counted,
        "first_at": voter.votes.first_at,
        "last_at": voter.votes.last_at,
        "excluded": {"kind": out.kind, "reason": out.reason, "at": out.at} if out else None,
        "findings": [{"kind": judging.KINDS[one.kind], "z": one.z, "words": one.words} for one in voter.findings],
    }


def _voter_line(voter: Voter) -> str:
    words = [f"left out: {voter.excluded.reason}"] if voter.excluded else [one.words for one in voter.findings]
    line = f"{voter.shown_id}  {counted(voter.votes.votes, 'vote'):>12}  {voter.votes.last_at[:10]}  {' '.join(words)}"
    return printable(line).rstrip()


def _sentences(standing: LeftOut) -> list[str]:
    if not standing.voters:
        return ["No voter is left out."]
    said = f"{counted(len(standing.voters), 'voter')} left out, {standing.share:.1%} of all votes"
    alarm = " That is far more than before: look at them." if standing.is_alarming else ""
    return [f"{said}, {standing.recent_share:.1%} of those of the last seven days.{alarm}"]
