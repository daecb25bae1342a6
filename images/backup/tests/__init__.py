"""Tests of what needs no store: python3 -m unittest discover -s tests -t . (in images/backup; Python 3.11)."""
