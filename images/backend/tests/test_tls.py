"""TLS to servers outside the stack."""

import unittest

from orcheo_runtime.tls import demand_tls

CA = "/etc/orcheo/cache-ca/ca.crt"


class Postgres(unittest.TestCase):
    def found(self, dsn: str, mode: str = "verify-full") -> list[str]:
        return demand_tls({"ORCHEO_POSTGRES_DSN": dsn, "PGSSLMODE": mode, "PGSSLROOTCERT": "/ca"})

    def test_verified_or_silent_passes(self) -> None:
        for query in ("", "?sslmode=verify-full", "?application_name=a"):
            self.assertEqual(self.found(f"postgresql://u:pw@db/orcheo{query}"), [], query)

    def test_anything_less_is_refused_without_showing_it(self) -> None:
        for mode in ("disable", "prefer", "require", "verify-ca"):
            said = self.found(f"postgresql://u:s3cret@db/orcheo?sslmode={mode}")
            self.assertEqual(len(said), 1, mode)
            self.assertNotIn("s3cret", said[0])
        self.assertEqual(len(self.found("postgresql://u:pw@db/orcheo?sslrootcert=/tmp/other")), 1)

    def test_nothing_is_demanded_of_the_stacks_own_server(self) -> None:
        self.assertEqual(demand_tls({"ORCHEO_POSTGRES_DSN": "postgresql://u:pw@db/orcheo?sslmode=disable"}), [])


class Cache(unittest.TestCase):
    def test_the_url_is_completed(self) -> None:
        for query in ("", "?ssl_cert_reqs=required"):
            environ = {"REDIS_URL": f"rediss://u:p%40w@cache:6379/0{query}", "REDIS_TLS_CA_FILE": CA}
            self.assertEqual(demand_tls(environ), [])
            self.assertEqual(
                environ["REDIS_URL"], f"rediss://u:p%40w@cache:6379/0?ssl_cert_reqs=required&ssl_ca_certs={CA}"
            )

    def test_anything_less_is_refused(self) -> None:
        for url in ("redis://c/0", "rediss://c/0?ssl_cert_reqs=none", "rediss://c/0?ssl_ca_certs=/tmp/other"):
            self.assertEqual(len(demand_tls({"REDIS_URL": url, "REDIS_TLS_CA_FILE": CA})), 1, url)

    def test_without_the_setting_it_stays(self) -> None:
        environ = {"REDIS_URL": "redis://c/0"}
        self.assertEqual((demand_tls(environ), environ["REDIS_URL"]), ([], "redis://c/0"))
