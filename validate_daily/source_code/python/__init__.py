"""What Python code means: where an import leads, which folders lack ``__init__.py``, what a failed import does.

May import the tree and its modules.
"""
