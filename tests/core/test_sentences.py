"""Sentences for people, in two languages."""

import msgspec

from unransom.core.messages import Message, say


def test_a_sentence_in_a_sentence_is_said_in_the_same_language():
    inner = say("random bytes, and as few as a key has")
    outer = say("found in {place}: {what}; {why}", place="a.key", what=inner, why="7")
    assert str(outer) == "found in a.key: random bytes, and as few as a key has; 7"
    assert inner.render("zh") != str(inner)
    assert inner.render("zh") in outer.render("zh")
    assert msgspec.json.decode(msgspec.json.encode(outer), type=Message) == outer
