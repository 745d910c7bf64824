"""Starts things: command line, composition, settings, paths, logs."""

VERSION = "0.3.0"
