"""Painted parts that views are made of."""
