"""Reason: why a gate or an operation answered as it did, as a stable code with parameters.

Programs read `code` and `params`; people read `.text("ja")` and `.remedy.text("ja")`. The texts live in
`extlink.domain.messages`, one catalogue a language, with equal keys (DESIGN 2, TERMS.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from extlink.domain import messages
from extlink.domain.remedy import NO_PARAMS as _NOTHING, Param, Remedy, parse_code, parse_params
from extlink.domain.remedy_actions import action_of, pages_of

__all__ = ["Param", "Reason", "Remedy", "known_reason"]


@attrs.frozen
class Reason:
    """A stable code, its parameters, a text in three languages and the remedy.

    Args:
        code: such as `grant.missing`; it has a text in every catalogue.
        params: what the text names; never a secret.

    >>> Reason("service.not_enabled", {"service": "slack"}).text("en")
    'slack is not enabled in this domain.'
    """

    code: str = attrs.field(converter=parse_code)
    params: Mapping[str, Param] = attrs.field(default=_NOTHING, converter=parse_params, hash=False)

    @property
    def remedy(self) -> Remedy:
        """What to change, and who may: this reason alone, whatever else stands in the way.

        Its action names the operation or the step outside, with what the parameters tell of the arguments. Unlike
        `decision.remedies` it is not verified: the state or the edition may refuse it, or ask for more.
        """
        action = action_of(self.code, self.params)
        return Remedy(self.code, self.params, action=action, links=pages_of(action))

    def text(self, language: str = "en") -> str:
        """Return the sentence in ja, en or zh (T14: zh-TW is answered with zh, any other language with en)."""
        return messages.render(self.code, "text", self.params, language)

    def __reduce__(self) -> tuple[type[Reason], tuple[str, dict[str, Param]]]:
        return Reason, (self.code, dict(self.params))


def known_reason(code: str, params: Mapping[str, Param]) -> Reason:
    """Return a reason of the evaluator's own, which needs no examination: at a quarter of the constructor's cost."""
    reason: Reason = object.__new__(Reason)
    _set(reason, "code", code)
    _set(reason, "params", MappingProxyType(params) if params else _NOTHING)
    return reason


_set: Final = object.__setattr__
