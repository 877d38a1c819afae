"""What every tool that changes something shares: who asks, what a person is asked, what is no agreement.

May import the repairs.
"""
