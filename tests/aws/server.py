"""An AWS account of this machine's own: moto with what it lacks (the other files of this folder).

The real provider works against it, at a port of 127.0.0.1 given as argument. What it answers is not proof of AWS.
"""

import sys

import backup
import budgets
import cloudwatch
import ec2
import eks
import elasticache
import s3
import s3control
from moto.server import main

if __name__ == "__main__":
    for lacking in (backup, budgets, cloudwatch, ec2, eks, elasticache, s3, s3control):
        lacking.install()
    main(["--host", "127.0.0.1", "--port", sys.argv[1]])
