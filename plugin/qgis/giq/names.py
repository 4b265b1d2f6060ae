"""Connection strings of the driver."""
from __future__ import annotations


def quote(value: str) -> str:
    """A value as a connection string holds it, in quotes where the grammar needs them."""
    needs = (";" in value or value != value.strip() or value[:1] in "\"'" or "|" in value)
    return '"' + value.replace('"', '""') + '"' if needs else value


def make(**pairs: str) -> str:
    """GIQ:key=value;… of the pairs that have a value, in their order."""
    return "GIQ:" + ";".join(f"{key}={quote(value)}" for key, value in pairs.items()
                             if value)


def of_job(job: str, member: str = "") -> str:
    return make(job=job, member=member)
