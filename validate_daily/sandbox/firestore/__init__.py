"""Firestore, as far as a heartbeat collection needs it."""
