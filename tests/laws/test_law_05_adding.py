"""Law 5: adding an allowed range never refuses more; adding a data policy never allows more; no grant refuses."""

from __future__ import annotations

import attrs

from extlink.domain.access import AccessRequest, Policy, evaluate
from extlink.domain.decision import Decision
from extlink.domain.grant import Rules, UserGrantPolicy, UserRules
from tests.laws.changes import (
    ADD_GRANT,
    ADD_PIN,
    ADD_POLICY,
    ADD_PROOF,
    ADD_PUBLISHED,
    ADD_RANGE,
    REMOVE_PIN,
)
from tests.laws.effects import effects
from tests.reference.differential import Subject
from tests.reference.twins import TWINS

WORLDS = 250
DEEP_WORLDS = 10_000


def test_adding_an_allowed_range_never_refuses_more(deep: bool) -> None:
    """Whoever was let in before is let in after, from wherever the new range is listed; and some are let in anew."""
    found = effects(range(DEEP_WORLDS if deep else WORLDS), {"range": ADD_RANGE}, Subject())["range"]

    assert 0 == found["lost"]
    assert found["gained"] > 0


def test_adding_a_data_policy_never_allows_more(deep: bool) -> None:
    """No policy overrides another, whatever it says; and some flows are refused then."""
    found = effects(range(DEEP_WORLDS if deep else WORLDS), {"policy": ADD_POLICY}, Subject())["policy"]

    assert 0 == found["gained"]
    assert found["lost"] > 0


def test_adding_a_grant_never_refuses_more(deep: bool) -> None:
    """A subject that is granted the service as well takes it from nobody, and brings no ended link to an end again."""
    found = effects(range(DEEP_WORLDS if deep else WORLDS), {"grant": ADD_GRANT}, Subject())["grant"]

    assert 0 == found["lost"]
    assert found["gained"] > 0


def test_adding_a_pin_never_allows_more(deep: bool) -> None:
    """A service that must call from its own ranges may do nothing that it might not do before; some calls are lost."""
    found = effects(range(DEEP_WORLDS if deep else WORLDS), {"pin": ADD_PIN}, Subject())["pin"]

    assert 0 == found["gained"]
    assert found["lost"] > 0


def test_lifting_a_pin_never_refuses_more(deep: bool) -> None:
    """What came from the published ranges comes from anywhere then, as far as the restriction lets it."""
    found = effects(range(DEEP_WORLDS if deep else WORLDS), {"pin": REMOVE_PIN}, Subject())["pin"]

    assert 0 == found["lost"]
    assert found["gained"] > 0


def test_adding_a_published_range_never_refuses_more(deep: bool) -> None:
    """Whoever called from the ranges known so far may go on, wherever the new one is listed; some may call anew."""
    found = effects(range(DEEP_WORLDS if deep else 4 * WORLDS), {"range": ADD_PUBLISHED}, Subject())["range"]

    assert 0 == found["lost"]
    assert found["gained"] > 0


def test_accepting_a_proof_never_refuses_more(deep: bool) -> None:
    """Whoever came in by a row still does; some people come in anew, and no service does."""
    found = effects(range(DEEP_WORLDS if deep else WORLDS), {"proof": ADD_PROOF}, Subject())["proof"]

    assert 0 == found["lost"]
    assert found["gained"] > 0


def test_twins_of_pins_are_caught() -> None:
    """The broken twins: a pin in the restriction's place lets in; a list of which one range is read loses some."""
    instead, one_alone = (
        TWINS["a pin takes the place of the restriction"],
        TWINS["only the first published range is read"],
    )

    assert effects(range(2_000), {"pin": ADD_PIN}, instead, stop="gained")["pin"]["gained"]
    assert effects(range(3_000), {"range": ADD_PUBLISHED}, one_alone, stop="lost")["range"]["lost"]


def test_a_twin_that_reads_one_row_less_is_caught() -> None:
    """The broken twin: a list that leaves out its last row forgets another one when a row is added before it."""
    twin = TWINS["the last row is not read"]

    assert effects(range(2_000), {"range": ADD_RANGE}, twin, stop="lost")["range"]["lost"]


def test_a_twin_in_which_policies_override_is_caught() -> None:
    """The broken twin: the last policy counts alone."""
    twin = TWINS["the last data policy wins"]

    assert effects(range(2_000), {"policy": ADD_POLICY}, twin, stop="gained")["policy"]["gained"]


def newest_alone(policy: Policy, request: AccessRequest) -> Decision:
    """Return the broken twin's answer that reads the newest grant alone."""

    def bent(grants: UserGrantPolicy) -> UserGrantPolicy:
        rules = [*(said.granted for said in grants.users.values()), *grants.granted.organizations.values()]
        rules += [*grants.granted.groups.values(), grants.granted.everyone]
        newest = max((rule.open.since for rule in rules if rule.open is not None), default=0)
        kept = [rule for rule in rules if rule.open is not None and rule.open.since == newest]
        none = Rules().everyone
        return attrs.evolve(
            grants,
            users={
                name: UserRules(said.granted if said.granted in kept else none, said.excluded)
                for name, said in grants.users.items()
            },
            granted=Rules(
                {name: rule for name, rule in grants.granted.organizations.items() if rule in kept},
                {name: rule for name, rule in grants.granted.groups.items() if rule in kept},
                grants.granted.everyone if grants.granted.everyone in kept else none,
            ),
        )

    return evaluate(attrs.evolve(policy, grants={name: bent(one) for name, one in policy.grants.items()}), request)


def test_a_twin_in_which_grants_replace_each_other_is_caught() -> None:
    """The broken twin: a new grant takes the place of the others."""
    assert effects(range(2_000), {"grant": ADD_GRANT}, Subject(newest_alone), stop="lost")["grant"]["lost"]
