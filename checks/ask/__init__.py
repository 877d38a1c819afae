"""Questions put to a pipeline: each reads what it needs and hands it to the judge.

May import sources, judge and what lies below them; the only room that knows both.
"""
