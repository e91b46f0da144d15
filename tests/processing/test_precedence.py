"""Precedence: a render that goes first holds back the others, for a while at most."""

from __future__ import annotations

import threading

from processing.precedence import Precedence


def test_others_pause_until_the_last_that_goes_first_has_ended() -> None:
    precedence, began, order = Precedence(max_pause_s=60.0), threading.Event(), list[str]()

    def work() -> None:
        pause = precedence.pauses()
        began.set()
        pause()
        order.append("gave way")

    with precedence.first():
        with precedence.first():
            pass
        thread = threading.Thread(target=work)
        thread.start()
        began.wait()
        order.append("first")
    thread.join()

    assert order == ["first", "gave way"]
    precedence.pauses()()  # returns at once: nothing goes first


def test_a_render_gives_way_for_a_while_only() -> None:
    precedence = Precedence(max_pause_s=0.01)

    with precedence.first():
        pause = precedence.pauses()
        pause()
        pause()
