"""What json-log prints of a real Postgres, down to its last line: images/postgres/json-log.pl is its first process there too."""

import json
import os
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from metrics_tests import support

PROGRAM = Path(__file__).parents[2] / "postgres/json-log.pl"
ENTRYPOINT = Path(__file__).parents[2] / "postgres/entrypoint.sh"


class JsonLog(support.Postgres):
    def serve(self) -> tuple[subprocess.Popen[str], str]:
        """A second server, with the settings of the entrypoint."""
        folder = tempfile.mkdtemp(prefix="orcheo-log-")
        os.chmod(folder, 0o777)
        data = f"{folder}/data"
        self.command("initdb", "--no-sync", "--auth=trust", "--username=postgres", "-D", data)
        logs = f"{folder}/log"
        given = {"log_directory": logs, "log_filename": "postgres.log", "log_rotation_age": "0", "log_rotation_size": "0"}
        given |= {"logging_collector": "on", "log_destination": "jsonlog", "log_min_duration_statement": "0"}
        for name in list(given)[:-1]:
            self.assertIn(f"-c {name}=", ENTRYPOINT.read_text("utf-8"))
        given |= {"listen_addresses": "", "unix_socket_directories": folder, "fsync": "off", "log_line_prefix": "%m [%p] ", "log_timezone": "UTC"}
        options = [word for name, value in given.items() for word in ("-c", f"{name}={value}")]
        account = {"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}
        command = [str(PROGRAM), "postgres", "postgres", "-D", data, *options]
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "POSTGRES_LOG": logs}
        server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, cwd="/", **account)  # type: ignore[call-overload]
        self.addCleanup(server.wait, 30)
        self.addCleanup(server.kill)
        for _ in range(300):
            if subprocess.run(["psql", "-h", folder, "-U", "postgres", "-c", "SELECT 1"], capture_output=True).returncode == 0:
                break
            time.sleep(0.1)
        return server, folder

    def ask(self, folder: str, script: str) -> None:
        subprocess.run(["psql", "-h", folder, "-U", "postgres"], input=script, text=True, capture_output=True, timeout=60)

    def test_every_line_until_it_has_shut_down(self) -> None:
        server, folder = self.serve()
        long = "x" * 50_000
        self.ask(
            folder,
            "SET application_name = 'request-0001'; CREATE TABLE t (name text PRIMARY KEY); INSERT INTO t VALUES ('jane');"
            f"INSERT INTO t VALUES ('jane');\nSELECT '{long}' AS \"say \"\"hi\"\"\";",
        )
        server.send_signal(signal.SIGINT)
        output, _ = server.communicate(timeout=60)
        lines = [json.loads(line) for line in output.splitlines()]
        self.assertEqual(server.returncode, 0)
        for line in lines:
            self.assertLessEqual({"time", "level", "logger", "message"}, set(line))
        [refused] = [line for line in lines if line.get("code") == "23505"]
        self.assertEqual((refused["level"], refused["request"], refused["detail"]), ("ERROR", "request-0001", "Key (name)=(***) already exists."))
        self.assertNotIn("jane", json.dumps(refused))
        self.assertEqual(sum(long in line["message"] for line in lines), 1)
        self.assertEqual(lines[-1]["message"], "database system is shut down")
        self.assertEqual(list(Path(folder, "log").glob("*.json"))[0].stat().st_size, 0)

    def test_a_crash_of_all_of_it(self) -> None:
        server, folder = self.serve()
        self.ask(folder, "SELECT 'the last statement';")
        postmaster = int(Path(folder, "data/postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGKILL)
        output, _ = server.communicate(timeout=60)
        self.assertEqual(server.returncode, 128 + signal.SIGKILL)
        self.assertTrue(any("the last statement" in json.loads(line)["message"] for line in output.splitlines()))


if __name__ == "__main__":
    unittest.main()
