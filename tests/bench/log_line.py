"""What ids on a log line cost in Python, with `ddtrace` as its documentation shows it: the row `log-line` of the table, for comparison.

    python3 -m venv venv && venv/bin/pip install ddtrace && venv/bin/python log_line.py

Nanoseconds of the thread's CPU time a line, the median of seven repetitions, of lines written to /dev/null.
"""

import logging
import os
import statistics
import time

os.environ.update(DD_TRACE_ENABLED="true", DD_SERVICE="shop", DD_ENV="bench", DD_VERSION="1.0.0")
os.environ.setdefault("DD_TRACE_AGENT_URL", "http://127.0.0.1:9")
os.environ.update(DD_INSTRUMENTATION_TELEMETRY_ENABLED="false", DD_REMOTE_CONFIGURATION_ENABLED="false")

LINES = 20_000
IDS = "dd.service dd.env dd.version dd.trace_id dd.span_id".split()
BLOCK = "[" + " ".join(f"{key}=%({key})s" for key in IDS) + "] "
CONSTANT = dict(zip(IDS, ["shop", "bench", "1.0.0", "68f0a1b200000000123456789abcdef0", "1147797409030816545"]))


def logger(name, block):
    handler = logging.StreamHandler(open(os.devnull, "w"))
    handler.setFormatter(logging.Formatter(f"%(asctime)s %(levelname)s [%(name)s] {block}%(message)s"))
    made = logging.getLogger(name)
    made.addHandler(handler)
    made.setLevel(logging.INFO)
    made.propagate = False
    return made


def nanoseconds(to):
    def repetition():
        start = time.thread_time_ns()
        for orders in range(LINES):
            to.info("placing an order of %d items", orders)
        return (time.thread_time_ns() - start) / LINES

    repetition()
    return statistics.median(repetition() for _ in range(7))


def with_constants(factory):
    def make(*args, **kwargs):
        record = factory(*args, **kwargs)
        record.__dict__.update(CONSTANT)
        return record

    return make


without = nanoseconds(logger("without", ""))
factory = logging.getLogRecordFactory()
logging.setLogRecordFactory(with_constants(factory))
constant = nanoseconds(logger("constant", BLOCK))
logging.setLogRecordFactory(factory)

import ddtrace  # noqa: E402  it changes `logging` when it is imported and patched

ddtrace.patch(logging=True)
with ddtrace.tracer.trace("root"):
    ids = nanoseconds(logger("ids", BLOCK))
print(f"ns, ids {ids:.0f}   ns, constant {constant:.0f}   ns, without {without:.0f}   ratio {ids / constant:.2f}")
os._exit(0)
