"""TLS to servers outside the stack, whose URLs come from Secrets that the deployment itself never reads.

PGSSLMODE and PGSSLROOTCERT complete a PostgreSQL URL (libpq reads them); REDIS_TLS_CA_FILE completes the cache's. A URL
that says otherwise is refused, in words that show nothing of it.
"""

from collections.abc import MutableMapping
from urllib.parse import parse_qsl, urlencode, urlsplit


def demand_tls(environ: MutableMapping[str, str]) -> list[str]:
    """Completes REDIS_URL in place; returns every problem."""
    problems: list[str] = []
    dsn = environ.get("ORCHEO_POSTGRES_DSN", "")
    if dsn and environ.get("PGSSLMODE") == "verify-full":
        query = dict(parse_qsl(urlsplit(dsn).query))
        if query.get("sslmode", "verify-full") != "verify-full":
            problems.append("ORCHEO_POSTGRES_DSN must say sslmode=verify-full, or no sslmode")
        if "sslrootcert" in query:
            problems.append("ORCHEO_POSTGRES_DSN must not name sslrootcert: the deployment's setting `authority` does")
    ca_file = environ.get("REDIS_TLS_CA_FILE", "")
    redis = environ.get("REDIS_URL", "")
    if redis and ca_file:
        parts = urlsplit(redis)
        query = dict(parse_qsl(parts.query))
        if parts.scheme != "rediss" or query.get("ssl_cert_reqs", "required") != "required":
            problems.append("REDIS_URL must begin with rediss:// and say ssl_cert_reqs=required, or no ssl_cert_reqs")
        if "ssl_ca_certs" in query:
            problems.append("REDIS_URL must not name ssl_ca_certs: the deployment's setting `authority` does")
        query |= {"ssl_cert_reqs": "required", "ssl_ca_certs": ca_file}
        environ["REDIS_URL"] = parts._replace(query=urlencode(query, safe="/")).geturl()
    return problems
