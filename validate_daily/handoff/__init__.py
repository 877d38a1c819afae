"""Handoffs: documents whose claims were measured, and are measured again by whoever reads them."""
