"""Lends the checks to an assistant: typed tools over the Model Context Protocol."""
