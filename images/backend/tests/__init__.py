"""Tests of what runs in the image, without Orcheo: python3 -m unittest discover -t . (in images/backend; Python 3.11)."""
