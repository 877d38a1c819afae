"""The methods of Firestore's API, over the practice world.

May import the rest of the practice Firestore.
"""
