"""Judges what really runs: levels of evidence, proofs of files, gates after a deploy.

May import evidence, settings, text and the judge's finding.
"""
