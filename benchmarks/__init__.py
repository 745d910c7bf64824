"""Measurements of the product beside other software. Nothing in the product imports this package."""
