"""The Cloud Logging query language: a filter, read once, that says of any entry whether it matches.

NOT binds tightest, then OR, then AND; expressions beside each other are joined by AND. What Google's language has and
this does not is refused by name.
"""

from collections.abc import Callable
from typing import Final, NoReturn

from validate_daily.sandbox.errors import invalid, unimplemented
from validate_daily.sandbox.logging import values
from validate_daily.sandbox.logging.fields import Field, Segment, Shape, resolve, texts
from validate_daily.sandbox.logging.messages import LogEntry
from validate_daily.sandbox.logging.tokens import KEYWORDS, Kind, Token, fail, tokens
from validate_daily.sandbox.logging.values import Literal

Condition = Callable[[LogEntry], bool]
"""Whether an entry matches."""

MAX_LENGTH: Final = 20_000
_MAX_DEPTH: Final = 50
_TERM: Final = frozenset({Kind.WORD, Kind.QUOTED, Kind.OPEN, Kind.MINUS})
_TOUCHING: Final = frozenset({Kind.WORD, Kind.QUOTED, Kind.DOT, Kind.STAR, Kind.MINUS})


def read_filter(text: str) -> Condition:
    """Read a filter; an empty one matches everything.

    Raises:
        RefusedError: it is none, or needs what is not implemented.
    """
    if len(text) > MAX_LENGTH:
        invalid(f"The filter is longer than {MAX_LENGTH} characters")
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(tokens(text))
        self._place = 0
        self._depth = 0

    def whole(self) -> Condition:
        """All of the filter."""
        if self._peek().kind is Kind.END:
            return lambda _entry: True
        condition = self._conjunction(self._comparison)
        if self._peek().kind is not Kind.END:
            self._fail()
        return condition

    def _peek(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._peek()
        self._place += 1
        return token

    def _fail(self) -> NoReturn:
        fail(self._text, self._peek().at, self._peek().text)

    def _is(self, keyword: str) -> bool:
        return self._peek().kind is Kind.WORD and self._peek().text == keyword

    def _skip(self, keyword: str) -> bool:
        found = self._is(keyword)
        self._place += found
        return found

    def _conjunction(self, leaf: Callable[[], Condition]) -> Condition:
        parts = [self._disjunction(leaf)]
        while self._skip("AND") or (self._peek().kind in _TERM and not self._is("OR")):
            parts.append(self._disjunction(leaf))
        return parts[0] if len(parts) == 1 else lambda entry: all(part(entry) for part in parts)

    def _disjunction(self, leaf: Callable[[], Condition]) -> Condition:
        parts = [self._negation(leaf)]
        while self._skip("OR"):
            parts.append(self._negation(leaf))
        return parts[0] if len(parts) == 1 else lambda entry: any(part(entry) for part in parts)

    def _negation(self, leaf: Callable[[], Condition]) -> Condition:
        negative = False
        while self._peek().kind is Kind.MINUS or self._is("NOT"):
            if self._take().kind is Kind.MINUS and leaf != self._comparison:
                unimplemented("- among the values of a comparison: write NOT, or quote a number")
            negative = not negative
        part = self._group(leaf) if self._peek().kind is Kind.OPEN else leaf()
        return (lambda entry: not part(entry)) if negative else part

    def _group(self, leaf: Callable[[], Condition]) -> Condition:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            invalid("The filter has too many parentheses inside each other")
        self._take()
        inside = self._conjunction(leaf)
        if self._peek().kind is not Kind.CLOSE:
            self._fail()
        self._take()
        self._depth -= 1
        return inside

    def _comparison(self) -> Condition:
        """A field with an operator and values, or a search term on its own."""
        start = self._place
        if self._peek().kind is Kind.WORD:
            path = self._path()
            if self._peek().kind is Kind.OPERATOR:
                return self._against(resolve(path))
        self._place = start
        return _search(self._literal())

    def _path(self) -> list[Segment]:
        segments: list[Segment] = []
        dotted = True
        while dotted and self._peek().kind in {Kind.WORD, Kind.QUOTED}:
            token = self._take()
            if token.kind is Kind.QUOTED:
                segments.append(Segment(token.text, quoted=True))
                dotted = self._peek().kind is Kind.DOT and not self._peek().spaced
                self._place += dotted
            else:
                word = token.text
                dotted = word.endswith(".") and self._peek().kind is Kind.QUOTED
                segments += map(Segment, (word[:-1] if dotted else word).split("."))
            dotted = dotted and not self._peek().spaced
        return segments

    def _against(self, field: Field) -> Condition:
        operator = self._take().text
        if self._peek().kind is Kind.STAR and operator == ":":
            self._take()
            self._end_of_term()
            return field.present
        if self._peek().kind is Kind.OPEN:
            return self._group_of_values(field, operator)
        return _compare(field, operator, self._literal())

    def _group_of_values(self, field: Field, operator: str) -> Condition:
        return self._group(lambda: _compare(field, operator, self._literal()))

    def _literal(self) -> Literal:
        sign = "-" if self._peek().kind is Kind.MINUS else ""
        if sign:
            self._take()
        token = self._peek()
        number = token.kind is Kind.WORD and not token.spaced
        keyword = token.kind is Kind.WORD and token.text in KEYWORDS
        if keyword or token.kind not in {Kind.WORD, Kind.QUOTED} or (sign and not number):
            self._fail()
        self._take()
        self._end_of_term()
        return Literal(sign + token.text, quoted=token.kind is Kind.QUOTED)

    def _end_of_term(self) -> None:
        if self._peek().kind in _TOUCHING and not self._peek().spaced:
            self._fail()


def _search(literal: Literal) -> Condition:
    wanted = literal.text.casefold()
    return lambda entry: any(wanted in text.casefold() for text in texts(entry))


def _compare(field: Field, operator: str, literal: Literal) -> Condition:
    deep = operator == ":"
    if field.shape is Shape.MESSAGE or (field.shape is Shape.PAYLOAD and not field.keys and not deep):
        unimplemented(f"the operator {operator} for all of {field.name}")
    kind = {Shape.SEVERITY: values.severity, Shape.TIME: values.moment}.get(field.shape, values.test)
    holds = kind(operator, literal)
    return lambda entry: any(holds(value) for value in field.values(entry, deep=deep))
