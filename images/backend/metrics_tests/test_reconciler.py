"""What one look selects, asked of a real Postgres."""

import unittest
from pathlib import Path

from orcheo_runtime import leases, reconciler
from orcheo_runtime.lost_runs import WORKER

from metrics_tests.support import Postgres

LONGEST = 600
TABLES = (
    leases.TABLE
    + """;
CREATE TABLE workflow_runs (
    id text PRIMARY KEY, status text NOT NULL, payload jsonb NOT NULL, updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
"""
)


def run(name: str, actor: str, started_ago: int, lease_ago: int | None = None, reason: str | None = None) -> str:
    """Statements that make a run of that name."""
    started = f"clock_timestamp() - interval '{started_ago} s'"
    entries = f'[{{"action": "run_started", "actor": "somebody"}}, {{"action": "run_started", "actor": "{actor}"}}]'
    made = f"""
INSERT INTO workflow_runs (id, status, payload)
VALUES ('{name}', 'running', jsonb_build_object('started_at', {started}, 'audit_log', '{entries}'::jsonb));
"""
    if lease_ago is None:
        return made
    renewed = f"clock_timestamp() - interval '{lease_ago} s'"
    why = "NULL" if reason is None else f"'{reason}'"
    return (
        made
        + f"""
INSERT INTO orcheo_deploy.run_leases (run_id, holder, token, renewed_at, starts, reason)
VALUES ('{name}', 'h', '00000000-0000-0000-0000-000000000001', {renewed}, 1, {why});
"""
    )


class Look(Postgres):
    """The question for runs that may have to end."""

    def found(self, *made: str, most: int = 500) -> set[str]:
        """Names of the runs that one look reads."""
        values = (str(leases.LEASE_SECONDS), f"'{WORKER}'", str(LONGEST), str(most))
        asked = reconciler.RUNNING
        for value in values:
            asked = asked.replace("%s", value, 1)
        return {line.split("|")[0] for line in self.answer(asked, *made)}

    def answer(self, asked: str, *made: str) -> list[str]:
        """Its rows."""
        script = Path(self.folder, "script.sql")
        drop = "DROP SCHEMA IF EXISTS orcheo_deploy CASCADE; DROP TABLE IF EXISTS workflow_runs;"
        script.write_text("\n".join([drop, TABLES + ";", *made, asked, ";"]), encoding="utf8")
        printed = self.command("psql", "-qAt", "-v", "ON_ERROR_STOP=1", "-f", str(script))
        return [line for line in printed.splitlines() if line]

    def test_it_reads_what_may_have_to_end(self) -> None:
        found = self.found(
            run("healthy", WORKER, 10, lease_ago=5),
            run("too-long", WORKER, LONGEST + 10, lease_ago=5),
            run("silent", WORKER, 100, lease_ago=90),
            run("silent-conversation", "chatkit", 100, lease_ago=90),
            run("given-up", WORKER, 10, lease_ago=5, reason="It took too much."),
            run("unleased", WORKER, LONGEST + 100),
            run("conversation", "chatkit", LONGEST + 100, lease_ago=5),
            run("a-callers", "somebody", LONGEST + 100),
        )
        self.assertEqual(found, {"too-long", "silent", "silent-conversation", "given-up", "unleased"})

    def test_runs_that_are_left_alone_do_not_hide_a_lost_one_however_many_and_old_they_are(self) -> None:
        others = [run(f"conversation-{n}", "chatkit", LONGEST + 100, lease_ago=5) for n in range(20)]
        others += [run(f"a-callers-{n}", "somebody", LONGEST + 100) for n in range(20)]
        self.assertEqual(self.found(*others, run("lost", WORKER, LONGEST + 10, lease_ago=90), most=5), {"lost"})

    def test_it_counts_what_waits_and_runs(self) -> None:
        waiting = """
INSERT INTO workflow_runs (id, status, payload, updated_at) VALUES ('{0}', 'pending', '{{}}', clock_timestamp() - interval '{1} s');
"""
        recorded = "INSERT INTO orcheo_deploy.run_leases (run_id, dispatched) VALUES ('recorded', false);"
        made = (waiting.format("new", 5), waiting.format("old", 70), waiting.format("recorded", 900), recorded, run("one", WORKER, 10, lease_ago=5))
        (line,) = self.answer(reconciler.NUMBERS, *made)
        count, oldest, running = line.split("|")
        self.assertEqual((count, running), ("2", "1"))
        self.assertAlmostEqual(float(oldest), 70, delta=10)
        self.assertEqual(self.answer(reconciler.NUMBERS), ["0|0|0"])


if __name__ == "__main__":
    unittest.main()
