"""Which files a ``.dockerignore`` keeps out of a build, by Docker's rules: the last pattern that matches decides."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Dockerignore:
    """The patterns of one file, each with whether it takes back what others keep out."""

    patterns: tuple[tuple[re.Pattern[str], bool], ...] = ()

    @classmethod
    def read(cls, text: str) -> Self:
        """Take the patterns of a file; a line that is no pattern is left out, as Docker would refuse the build."""
        return cls(tuple(_patterns(text)))

    def keeps_out(self, path: str) -> bool:
        """Whether a file is kept out; a directory that matches keeps out all that is in it."""
        parts = path.split("/")
        prefixes = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
        out = False
        for pattern, takes_back in self.patterns:
            if takes_back is out and any(pattern.fullmatch(prefix) for prefix in prefixes):
                out = not takes_back
        return out


def _patterns(text: str) -> Iterator[tuple[re.Pattern[str], bool]]:
    for line in text.splitlines():
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        takes_back = bare.startswith("!")
        clean = posixpath.normpath(bare.removeprefix("!").strip()).strip("/")
        if clean and clean != ".":
            try:
                yield re.compile(glob_regex(clean)), takes_back
            except re.error:
                continue


def glob_regex(pattern: str) -> str:
    """A pattern with ``*``, ``?``, ``**`` and ``[...]`` as a regular expression."""
    found, at = "", 0
    while at < len(pattern):
        rest = pattern[at:]
        if rest.startswith("**/"):
            found, at = found + "(?:.*/)?", at + 3
        elif rest.startswith("**"):
            found, at = found + ".*", at + 2
        elif matched := re.match(r"\[\^?[^\]/]+\]", rest):
            found, at = found + matched[0].replace("\\", "\\\\"), at + len(matched[0])
        else:
            found, at = found + {"*": "[^/]*", "?": "[^/]"}.get(rest[0], re.escape(rest[0])), at + 1
    return found
