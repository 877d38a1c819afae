"""Commits as people and labels name them: in full, or by how they begin."""


def same_commit(one: str, other: str) -> bool:
    """Whether two commits agree as far as the shorter goes."""
    return one.startswith(other) or other.startswith(one)
