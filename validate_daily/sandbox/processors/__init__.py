"""What the practice pipeline's processors do: runs, jobs, log lines.

May import the practice Firestore and logs.
"""
