"""What production refuses for want of a composite index, and the official emulator answers all the same.

Every field has an index of its own in both directions, each entry of which ends with the document's name in the same
direction. So these are free: the names alone in ascending order; equalities on any fields, which are merged; and one
field that is ordered or ranged over, with the name after it in the same direction. Everything else needs an index that
somebody made, and the practice cloud has none.
"""

from validate_daily.sandbox.errors import RefusedError
from validate_daily.sandbox.firestore import fields
from validate_daily.sandbox.firestore.queries.plan import Plan


def require(wanted: Plan) -> None:
    """Refuse a query that automatic indexes cannot answer, or that no index could."""
    if wanted.by_name and wanted.descending and not wanted.filters:
        raise RefusedError("FAILED_PRECONDITION", "Firestore does not support descending key scans")
    if (reason := _missing(wanted)) is not None:
        raise RefusedError("FAILED_PRECONDITION", f"The query requires an index. {reason}")


def _missing(wanted: Plan) -> str | None:
    equal = {condition.path for condition in wanted.filters if not condition.inequality}
    ranged = {condition.path for condition in wanted.filters if condition.inequality}
    ordered = [order for order in wanted.orders[:-1] if order.path not in equal]
    named = any(condition.inequality for condition in wanted.names)
    walked = ranged | {order.path for order in ordered}
    if len(walked) > 1:
        return f"It orders by or ranges over several fields: {_names(walked)}."
    if walked and equal - walked:
        return f"It orders by or ranges over {_names(walked)} and filters {_names(equal - walked)}."
    if walked and named:
        return f"It ranges over __name__ and orders by or ranges over {_names(walked)}."
    if any(order.descending != wanted.descending for order in ordered):
        return f"It orders by {_names(walked)} and by __name__ in the other direction."
    return None


def _names(paths: set[fields.Path]) -> str:
    return ", ".join(sorted(".".join(path) for path in paths))
