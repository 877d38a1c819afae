"""What people read about plans and results: lines for a terminal, the question of an approval, the command to run.

Each kind of plan and result registers its words in the module of what it changes. May import plans and checks.
"""

from validate_daily.repairs.words import documents, jobs, services
from validate_daily.repairs.words.shared import command_of, plan_lines, question, result_lines

__all__ = ["command_of", "documents", "jobs", "plan_lines", "question", "result_lines", "services"]
