"""The Kafka output without the rest of the worker, by its own C program against a real broker."""

import os
import subprocess

from lib.support import TOP, tail


def test_against_a_broker(t):
    log = t.dir / "test_broker.log"
    with open(log, "w", encoding="utf-8") as out:
        process = subprocess.Popen([str(TOP / "regress" / "kafka-output" / "run.sh"), "test_broker"],
                                   env=dict(os.environ, KAFKA_BOOTSTRAP=t.broker.bootstrap),
                                   stdout=out, stderr=subprocess.STDOUT)
        try:
            status = process.wait(300)
        except subprocess.TimeoutExpired:
            status = "none in 300 s"
        finally:
            process.kill()
    assert status == 0, "exit status %s:\n%s" % (status, tail(log, 40))


test_against_a_broker.seconds = 60
