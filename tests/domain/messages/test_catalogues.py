# Full-width punctuation is Japanese.
"""The three catalogues hold the same codes, the same parameters, and the words of each language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

import pytest

import extlink
from extlink.domain import messages
from extlink.domain.checklist import TABLE
from extlink.domain.decision import GATES, Answer
from extlink.domain.edition import EDITIONS, PRODUCTS
from extlink.domain.link import LinkEvent, LinkState
from extlink.domain.messages import CATALOGUES, LANGUAGES, PARAMS, ROLES, WORDS, Language, Message
from extlink.domain.messages.words import SPOKEN
from extlink.domain.readiness import ItemState
from extlink.domain.token import TokenKind

PLACEHOLDER = re.compile(r"\{([a-z_]*)\}")
CODE = re.compile(r"[a-z]+\.[a-z0-9_]+")
KANA = re.compile(r"[\u3040-\u30ff]")
NO_REMEDY = {"ja": "対処方法はありません。", "en": "There is no remedy: ", "zh": "没有处理方法。"}
# Where nothing would help, as opposed to where nothing is wrong.
HOPELESS = {"service.not_in_edition", "service.unavailable", "user.deleted"}
POLITE = re.compile(r"(です|ます|ました|ません|ください|でした|\})。$")


def placeholders(text: str) -> set[str]:
    """Return the names that a template asks for."""
    return set(PLACEHOLDER.findall(text))


def wrong_parameters(catalogues: Mapping[Language, Mapping[str, Message]]) -> list[str]:
    """Return every message whose text does not name exactly its parameters, or whose remedy names another one."""
    return [
        f"{language} {code}"
        for language, catalogue in catalogues.items()
        for code, message in catalogue.items()
        if placeholders(message.text) != set(PARAMS[code]) or not placeholders(message.remedy) <= set(PARAMS[code])
    ]


def test_the_catalogues_have_equal_keys() -> None:
    """Every code has a text in each language, and no catalogue has a code of its own."""
    assert {language: set(PARAMS) for language in LANGUAGES} == {
        language: set(catalogue) for language, catalogue in CATALOGUES.items()
    }


def test_every_text_names_exactly_its_parameters() -> None:
    """In all three languages a text has the parameters of its code, and a remedy no others."""
    assert [] == wrong_parameters(CATALOGUES)


def test_a_wrong_parameter_is_found() -> None:
    """The broken twin: a text that forgets the user, and a remedy that names an unknown thing."""
    ja = dict(CATALOGUES["ja"])
    ja["grant.missing"] = Message("{service}は許可されていません。")
    ja["link.expired"] = Message("連携「{link}」の有効期限が切れています。", "{user}が連携してください。")

    assert ["ja grant.missing", "ja link.expired"] == wrong_parameters({"ja": ja})


@pytest.mark.parametrize("language", LANGUAGES)
def test_templates_hold_no_other_braces(language: Language) -> None:
    """What is no placeholder has no brace, so that a typing error cannot reach a reader."""
    everything = [part for message in CATALOGUES[language].values() for part in message]

    assert [] == [text for text in everything if set("{}") & set(PLACEHOLDER.sub("", text))]


def test_remedies_are_empty_where_nothing_is_to_be_done() -> None:
    """A passed or not applicable code has no remedy; every other one says what to do, and by whom."""
    for catalogue in CATALOGUES.values():
        with_remedy = {code for code, message in catalogue.items() if message.remedy}

        assert {code for code in PARAMS if messages.who(code) != "nobody"} | HOPELESS == with_remedy


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_hopeless_case_says_so(language: Language) -> None:
    """Where no remedy exists the text says so, and only there."""
    said = {code for code, message in CATALOGUES[language].items() if message.remedy.startswith(NO_REMEDY[language])}

    assert HOPELESS == said


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_sentences_of_their_language(language: Language) -> None:
    """Japanese is です・ます, English is ASCII, Chinese has no kana; each ends with its full stop."""
    for message in CATALOGUES[language].values():
        for text in filter(None, message):
            match language:
                case "ja":
                    assert POLITE.search(re.sub(r"（[^）]*）。$", "。", text)), text
                    assert KANA.search(text), text
                case "en":
                    assert text.isascii(), text
                    assert text.endswith("."), text
                case "zh":
                    assert not KANA.search(text), text
                    assert text.endswith("。"), text


def test_words_have_equal_parameters() -> None:
    """A parameter of a word stands in all three languages or in none."""
    assert [] == [key for key, row in WORDS.items() if len({frozenset(placeholders(text)) for text in row}) != 1]


def test_words_are_filled() -> None:
    """No word is empty; Chinese words have no kana, and English ones are ASCII but for names."""
    for key, (ja, en, zh) in WORDS.items():
        assert all((ja, en, zh)), key
        assert en.isascii(), key
        assert not KANA.search(zh), key


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("gate", GATES),
        ("answer", [str(answer) for answer in Answer]),
        ("state", ["in_use", "unused", "suspended", "needs_reconnect", "revoked"]),
        ("who", ROLES),
        ("link", [str(state) for state in LinkState]),
        ("event", [str(event) for event in LinkEvent]),
        ("token", [str(kind) for kind in TokenKind]),
        ("edition", list(EDITIONS)),
        ("product", sorted(PRODUCTS)),
        ("kind", ["user", "organization", "group"]),
        ("cause", ["tenant", "service", "user", "host", "grant"]),
        ("by", ["user", "administrator", "system", "superseded", "dormant", "token_reuse", "code_reuse"]),
        ("ready", get_args(ItemState)),
        ("readiness", [row.name for row in TABLE]),
        ("what", ["grants", "network", "policy"]),
    ],
)
def test_every_name_has_its_words(prefix: str, names: list[str]) -> None:
    """Gates, answers, states, roles and every closed list of parameter values can be said in three languages."""
    assert [] == [name for name in names if f"{prefix}.{name}" not in WORDS]


def test_spoken_parameters_exist() -> None:
    """A parameter that is a word of a fixed list is one that its code has."""
    assert [] == [(code, name) for code, name in SPOKEN if name not in PARAMS[code]]


def stated_reasons(tree: ast.AST) -> Iterator[tuple[str, set[str], bool]]:
    """Yield each code that a module states beside its parameters: code, names, whether these are all."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="Reason"), args=[ast.Constant(value=str(code))]):
                params = ast.Dict(keys=[], values=[])
            case ast.Call(func=ast.Name(id="Reason"), args=[ast.Constant(value=str(code)), ast.Dict() as params]):
                pass
            case ast.Tuple(elts=[ast.Constant(value=str(code)), ast.Dict() as params]):
                pass
            case _:
                continue
        if CODE.fullmatch(code):
            names = {key.value for key in params.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
            yield code, names, None not in params.keys


def test_every_reason_the_library_states_has_a_text() -> None:
    """No module gives a reason whose code or parameters the catalogues do not know."""
    folder = Path(extlink.__file__).parent
    wrong: list[str] = []
    for path in sorted(folder.rglob("*.py")):
        for code, names, complete in stated_reasons(ast.parse(path.read_text(encoding="utf-8"))):
            known = set(PARAMS.get(code, ("no such code",)))
            if names != known if complete else not names <= known:
                wrong.append(f"{path.relative_to(folder)}: {code} {sorted(names)}, expected {sorted(known)}")

    assert [] == wrong


def test_a_stated_reason_is_read() -> None:
    """The broken twin: an unknown code and a forgotten parameter are read from a source text."""
    source = (
        'a = Reason("grant.missing", {"service": s})\nb = ("no.such", {})\nc = ("link.ended", {**p, "cause": "x"})\n'
    )
    source += 'd = Reason("token.unknown")'

    assert {
        "grant.missing": ({"service"}, True),
        "no.such": (set[str](), True),
        "link.ended": ({"cause"}, False),
        "token.unknown": (set[str](), True),
    } == {code: (names, complete) for code, names, complete in stated_reasons(ast.parse(source))}
