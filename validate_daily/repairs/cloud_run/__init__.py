"""Repairs of services and jobs: redeploy, rollback, updates of jobs.

May import plans and stores.
"""
