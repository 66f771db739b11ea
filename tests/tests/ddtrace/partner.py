"""Answers questions about headers with Datadog's tracer for Python: a line of JSON on stdin, a line of JSON on stdout.

The questions, and the answers to them, are those of `src/bin/exchange.rs`; beside them `styles` says what is read.
"""

import json
import sys

from ddtrace import tracer
from ddtrace.internal.settings._config import config
from ddtrace.propagation.http import HTTPPropagator

config._propagation_style_inject = ["datadog", "tracecontext", "b3", "b3multi", "baggage"]


def seen(context):
    return {
        "trace_id": f"{context.trace_id or 0:032x}",
        "span_id": str(context.span_id or 0),
        "priority": context.sampling_priority,
        "baggage": dict(context.get_all_baggage_items()),
    }


def sent(span):
    headers = {}
    HTTPPropagator.inject(span, headers)
    return {"context": seen(span.context), "headers": {name.lower(): value for name, value in headers.items()}}


def extracted(question):
    config._propagation_style_extract = question["styles"]
    context = HTTPPropagator.extract(dict(question["headers"]))
    # Before the child decides: what it decides is in this object from then on.
    found = seen(context) if context.trace_id or context.get_all_baggage_items() else None
    child = tracer.start_span(question.get("name", "child"), child_of=context, activate=False)
    child.resource = question.get("resource", "extracted")
    error = context._meta.get("_dd.propagation_error")
    headers = sent(child)
    facts = {
        "links": [
            {
                "trace_id": f"{link.trace_id:032x}",
                "span_id": str(link.span_id),
                "flags": link.flags,
                "tracestate": link.tracestate or "",
                "attributes": dict(link.attributes),
            }
            for link in child._get_links()
        ],
        "last_parent": context._meta.get("_dd.parent_id"),
        "error": error,
        "origin": context.dd_origin,
        "rate": child.get_tag("_dd.p.ksr"),
        "baggage_tags": {key: value for key, value in context._meta.items() if key.startswith("baggage.")},
    }
    return {"context": found, "child": headers, "facts": facts}


def started(question):
    root = tracer.start_span("root", activate=False)
    for key, value in question.get("baggage", {}).items():
        root.context.set_baggage_item(key, value)
    if question.get("keep") is not None:
        root.set_tag("manual.keep" if question["keep"] else "manual.drop")
    return sent(root)


for line in sys.stdin:
    question = json.loads(line)
    answer = {"extract": extracted, "start": started}[question["do"]](question)
    print(json.dumps(answer), flush=True)
