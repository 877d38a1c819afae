"""What all repairs share: the plan, its seal, the approval, the audit's events, and how a plan is applied.

May import checks, and no other room of the repairs.
"""
