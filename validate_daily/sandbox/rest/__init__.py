"""Answers gcloud over HTTP, in the words of Cloud Run's v1 API; it only reads.

May import every other room of the sandbox.
"""
