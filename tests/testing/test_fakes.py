from __future__ import annotations

from collections.abc import Callable

import pytest

from extlink import InMemoryDirectory
from extlink.domain.directory import CandidateQuery
from extlink.domain.identifier import UserId
from extlink.ports import Directory
from extlink.testing import ShakyDirectory


def test_a_shaky_directory_answers_as_its_people_do_until_it_is_down() -> None:
    """Each of the four questions is passed on and counted; when it is down, each fails."""
    people = InMemoryDirectory()
    people.add_user("sato")
    directory = ShakyDirectory(people)
    sato = UserId("sato")
    questions: tuple[Callable[[Directory], object], ...] = (
        lambda one: one.member(sato),
        lambda one: one.get([sato]),
        lambda one: one.page(CandidateQuery(), None, 10),
        lambda one: one.organizations(),
    )

    assert [ask(people) for ask in questions] == [ask(directory) for ask in questions]
    assert 4 == directory.asked
    directory.down = True
    for ask in questions:
        with pytest.raises(TimeoutError):
            ask(directory)
