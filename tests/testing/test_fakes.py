from __future__ import annotations

from collections.abc import Callable

import pytest

from extlink import InMemoryDirectory
from extlink.domain.directory import CandidateQuery
from extlink.domain.identifier import UserId
from extlink.ports import Directory, NotSent, OutboundRequest, OutboundResponse, Transport
from extlink.testing import ScriptedTransport, ShakyDirectory


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


def test_a_scripted_network_answers_in_order_and_keeps_what_arrived() -> None:
    """What was not sent never arrived; what arrived without an answer did; one request too many is the test's fault."""
    refused, lost = NotSent("connection refused"), TimeoutError("no answer")
    network = ScriptedTransport(
        refused, lost, OutboundResponse(status=503), lambda request: OutboundResponse(status=200, body=request.body)
    )
    transport: Transport = network
    requests = [OutboundRequest(method="POST", url="https://a.example/", body=b"%d" % number) for number in range(5)]

    assert refused == transport.send(requests[0])
    with pytest.raises(TimeoutError):
        transport.send(requests[1])
    assert OutboundResponse(status=503) == transport.send(requests[2])
    assert OutboundResponse(status=200, body=b"3") == transport.send(requests[3])
    assert (requests[1:4], 0) == (network.arrived, network.left)
    with pytest.raises(AssertionError, match="one more request"):
        transport.send(requests[4])


def test_what_goes_out_is_printed_without_its_secrets() -> None:
    """Tokens travel in headers, bodies and the paths of webhooks, so none of them is shown."""
    secret = (("Authorization", "Bearer xoxb-secret"),)
    url = "https://secret:secret@a.example/services/secret?token=secret#secret"
    sent = OutboundRequest(method="POST", url=url, headers=secret, body=b"client_secret=secret")
    answer = OutboundResponse(status=200, headers=(("Set-Cookie", "secret"),), body=b"secret")

    assert "secret" not in f"{sent} {answer}"
    assert "url='https://a.example', headers=('Authorization',)" in repr(sent)
    assert "Set-Cookie" in repr(answer)
