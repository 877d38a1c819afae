"""Reads services, revisions, jobs and executions of Cloud Run.

May import what all sources share.
"""
