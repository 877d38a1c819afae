"""A read-only OCI registry: images made up from descriptions, and the HTTP API that gives them out.

May import the sandbox's HTTP and images.
"""
