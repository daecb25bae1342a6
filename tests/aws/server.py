"""An AWS account of this machine's own: moto with what it lacks (the other files of this folder).

The real provider works against it, at a port of 127.0.0.1 given as argument. What it answers is not proof of AWS.
"""

import os
import sys
import threading

import authorization
import backup
import budgets
import cloudwatch
import cost_explorer
import ec2
import ecr
import eks
import elasticache
import hosts
import otlp_logs
import pod_identity
import prometheus
import rds
import route53
import s3
import s3control
from moto.server import main


def end_with_starter() -> None:
    """Whoever started it holds the other end of its standard input, and may be killed."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_starter, daemon=True).start()
    # The last is asked first: CloudWatch's CBOR is translated before anybody reads it, and nobody is answered unauthorised.
    services = (backup, budgets, cost_explorer, ec2, ecr, eks, elasticache, rds, route53, s3, s3control)
    for lacking in (*services, authorization, pod_identity, prometheus, otlp_logs, cloudwatch, hosts):
        lacking.install()
    main(["--host", "127.0.0.1", "--port", sys.argv[1]])
