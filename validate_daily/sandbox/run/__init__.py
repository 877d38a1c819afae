"""Cloud Run: services whose revisions pin digests, and jobs that resolve their image at each execution."""
