"""The only place that reads from Google. Import what is in here when it is used, not before: its packages are heavy."""
