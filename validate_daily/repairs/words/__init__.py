"""Tells people of plans and of what became of them: for a terminal in lines, and as the question of an approval.

Every kind of plan and result registers its own words, in the module of what it changes.
"""

from validate_daily.repairs.words import documents, jobs, services
from validate_daily.repairs.words.shared import command_of, plan_lines, question, result_lines

__all__ = ["command_of", "documents", "jobs", "plan_lines", "question", "result_lines", "services"]
