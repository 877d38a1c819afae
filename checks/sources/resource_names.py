"""How Cloud Run names services, jobs, revisions and executions. What is no such name is put into no sentence."""

import re
from typing import Final

NAME: Final = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
"""Of services, jobs, revisions and executions alike: lower-case letters, digits and hyphens, 63 characters at most."""
