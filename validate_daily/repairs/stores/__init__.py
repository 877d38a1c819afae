"""The only code here that writes to Google, and the audit's file and log.

May import plans and checks. Import its modules where they are used: Google's packages load slowly.
"""
