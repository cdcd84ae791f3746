"""The Kafka output without the rest of the worker, by its own C program against a real broker."""

import os
import subprocess

from lib.support import TOP


def test_against_a_broker(t):
    done = subprocess.run([str(TOP / "regress" / "kafka-output" / "run.sh"), "test_broker"],
                          env=dict(os.environ, KAFKA_BOOTSTRAP=t.broker.bootstrap),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout[-6000:]
