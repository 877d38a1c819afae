"""Repairs of Cloud Run: redeploy and rollback of services, and updates of jobs.

May import stores, plans and checks; never the repairs of documents.
"""
