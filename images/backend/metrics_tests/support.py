"""What the tests of metrics share."""

import re

from prometheus_client import CollectorRegistry, generate_latest


def read(text: str) -> dict[str, float]:
    """Series with its labels -> value."""
    lines = (re.match(r"^([a-z_]+(?:\{.*\})?) (\S+)$", line) for line in text.splitlines())
    return {found[1]: float(found[2]) for found in lines if found}


def series(registry: CollectorRegistry) -> dict[str, float]:
    """As a scraper reads them."""
    return read(generate_latest(registry).decode())
