"""What every repair shares: the plan, its seal, the approval, the audit, how a plan is applied.

May import the checks.
"""
