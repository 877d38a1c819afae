"""Numbers and words that agree: 1 document, 1,053 documents."""


def form(number: int, one: str, many: str) -> str:
    """The words that go with a number: ``form(1, "has", "have")`` is "has"."""
    return one if abs(number) == 1 else many


def counted(number: int, noun: str, nouns: str | None = None) -> str:
    """A number and its noun: ``counted(1053, "document")`` is "1,053 documents".

    Args:
        number: how many there are.
        noun: what one of them is called.
        nouns: what several are called, where that is more than an added s: ``counted(1, "job runs", "jobs run")``.
    """
    return f"{number:,} {form(number, noun, nouns or f'{noun}s')}"
