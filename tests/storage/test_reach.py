"""Whether something far away answers, asked by several threads at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from storage.errors import ImagesAway
from storage.reach import Reach


def away() -> None:
    raise ImagesAway("no answer")


def test_an_answer_to_an_older_question_does_not_hide_that_a_newer_one_failed() -> None:
    reach, was_asked, may_answer = Reach(), Event(), Event()

    def slow() -> str:
        was_asked.set()
        assert may_answer.wait(10)
        return "there"

    with ThreadPoolExecutor(1) as threads:
        older = threads.submit(reach.call, slow)
        assert was_asked.wait(10)
        with pytest.raises(ImagesAway):
            reach.call(away)
        may_answer.set()
        assert older.result(10) == "there"
    assert reach.trouble is not None
    with pytest.raises(ImagesAway, match="no answer"):
        reach.call(lambda: "asked too soon")


def test_a_failure_of_an_older_question_does_not_hide_that_a_newer_one_was_answered() -> None:
    reach, was_asked, may_fail = Reach(), Event(), Event()

    def slow() -> None:
        was_asked.set()
        assert may_fail.wait(10)
        away()

    with ThreadPoolExecutor(1) as threads:
        older = threads.submit(reach.call, slow)
        assert was_asked.wait(10)
        assert reach.call(lambda: "there") == "there"
        may_fail.set()
        with pytest.raises(ImagesAway):
            older.result(10)
    assert reach.trouble is None
