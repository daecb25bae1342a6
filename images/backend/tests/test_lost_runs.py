"""What becomes of a run, by its lease, the clock and the policy."""

import unittest
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from orcheo_runtime.lost_runs import (
    MOST_STARTS,
    Ended,
    Pending,
    Running,
    Settings,
    decide_ended,
    decide_pending,
    decide_running,
)

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
FAIL = Settings("fail", 600)
RESTART = Settings("restart", 600)


def ago(seconds: float) -> datetime:
    """Before NOW."""
    return NOW - timedelta(seconds=seconds)


HELD = Running("run", "worker", ago(300), "worker-a, process 7", "token", ago(5), None, 1)
LOST = replace(HELD, renewed_at=ago(90), suspected_at=ago(21))
UNLEASED = Running("run", "worker", ago(700), None, None, None, None, 0)
WAITING = Pending("run", ago(31), None, True)


class RunningRuns(unittest.TestCase):
    """Runs that Orcheo says are running."""

    def kind(self, run: Running, settings: Settings = FAIL) -> str | None:
        """Of the action."""
        action = decide_running(run, NOW, settings)
        return action.kind if action else None

    def test_a_run_whose_lease_is_renewed_is_left_alone_for_its_longest_time(self) -> None:
        self.assertIsNone(self.kind(replace(HELD, started_at=ago(599))))
        self.assertIsNone(self.kind(replace(HELD, renewed_at=ago(59), suspected_at=ago(1000))))

    def test_a_run_that_takes_longer_fails_with_the_limit_as_its_reason_whatever_the_policy(self) -> None:
        for settings in (FAIL, RESTART):
            action = decide_running(replace(HELD, started_at=ago(600)), NOW, settings)
            assert action is not None
            self.assertEqual((action.kind, action.token, action.held), ("fail", "token", True))
            self.assertIn("longer than 600 s", action.reason)
            self.assertIn("worker.longestRunSeconds", action.reason)

    def test_a_conversation_of_the_api_has_no_such_limit(self) -> None:
        self.assertIsNone(self.kind(replace(HELD, started_by="chatkit", started_at=ago(100_000))))

    def test_a_run_that_its_holder_gave_up_fails_at_once_with_its_reason(self) -> None:
        for settings in (FAIL, RESTART):
            action = decide_running(replace(HELD, reason="It took 900 MiB."), NOW, settings)
            assert action is not None
            self.assertEqual((action.kind, action.reason, action.held), ("fail", "It took 900 MiB.", True))

    def test_an_expired_lease_is_watched_first_so_that_its_holder_can_come_back_after_an_outage(self) -> None:
        expired = replace(HELD, renewed_at=ago(1000))
        self.assertEqual(self.kind(expired), "suspect")
        self.assertIsNone(self.kind(replace(expired, suspected_at=ago(19))))
        self.assertEqual(self.kind(replace(expired, suspected_at=ago(20))), "fail")

    def test_a_lost_run_fails_with_a_reason_that_names_the_process_and_its_last_sign_of_life(self) -> None:
        action = decide_running(LOST, NOW, FAIL)
        assert action is not None
        self.assertEqual((action.kind, action.token), ("fail", "token"))
        self.assertEqual(
            action.reason,
            "The process that executed this run (worker-a, process 7) was lost: no sign of life since 2026-11-27 11:58:30 UTC.",
        )

    def test_it_is_executed_again_where_that_is_the_policy_but_not_for_ever(self) -> None:
        self.assertEqual(self.kind(LOST, RESTART), "restart")
        last = decide_running(replace(LOST, starts=MOST_STARTS), NOW, RESTART)
        assert last is not None
        self.assertEqual(last.kind, "fail")
        self.assertIn("It was started 3 times and is not started again.", last.reason)

    def test_a_conversation_of_the_api_is_never_executed_again(self) -> None:
        self.assertEqual(self.kind(replace(LOST, started_by="chatkit"), RESTART), "fail")

    def test_a_run_of_a_worker_without_leases_has_the_time_of_the_longest_run(self) -> None:
        self.assertIsNone(self.kind(replace(UNLEASED, started_at=ago(659))))
        self.assertEqual(self.kind(replace(UNLEASED, started_at=ago(660))), "fail")
        self.assertEqual(self.kind(UNLEASED, RESTART), "restart")
        self.assertIsNone(self.kind(replace(UNLEASED, started_at=None)))

    def test_a_run_that_somebody_else_started_through_the_api_is_his_to_end(self) -> None:
        self.assertIsNone(self.kind(replace(UNLEASED, started_by="somebody", started_at=ago(100_000))))


class EndedRuns(unittest.TestCase):
    """Runs that have ended, whose history has not."""

    def test_who_ended_the_run_has_time_to_end_its_history(self) -> None:
        self.assertIsNone(decide_ended(Ended("run", ago(29)), NOW))

    def test_then_it_is_ended_for_him(self) -> None:
        action = decide_ended(Ended("run", ago(30)), NOW)
        assert action is not None
        self.assertEqual((action.kind, action.token), ("finish", None))


class PendingRuns(unittest.TestCase):
    """Runs that wait."""

    def kind(self, run: Pending, queued: set[str] | None = None) -> str | None:
        """Of the action."""
        action = decide_pending(run, NOW, queued or set())
        return action.kind if action else None

    def test_a_run_without_a_message_is_sent_to_the_queue_again(self) -> None:
        self.assertEqual(self.kind(WAITING), "enqueue")

    def test_a_run_whose_message_waits_is_left_alone_however_long(self) -> None:
        self.assertIsNone(self.kind(replace(WAITING, changed_at=ago(100_000)), {"run"}))

    def test_a_young_one_may_be_on_its_way(self) -> None:
        self.assertIsNone(self.kind(replace(WAITING, changed_at=ago(29))))

    def test_it_is_not_sent_again_and_again(self) -> None:
        self.assertIsNone(self.kind(replace(WAITING, enqueued_at=ago(59))))
        self.assertEqual(self.kind(replace(WAITING, enqueued_at=ago(60))), "enqueue")

    def test_a_run_that_nobody_dispatched_stays_as_it_was_recorded(self) -> None:
        self.assertIsNone(self.kind(replace(WAITING, dispatched=False, changed_at=ago(100_000))))


if __name__ == "__main__":
    unittest.main()
