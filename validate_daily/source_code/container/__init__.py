"""What an image will hold, install and start, told from its Dockerfile.

May import python/, the tree and the requirements.
"""
