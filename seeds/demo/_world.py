"""What every part of the demo data works with: the transaction, the clock, the dice."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from sqlalchemy import Connection, Table, insert

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from models import Base

__all__ = ["World", "business", "moments", "uuid7"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BUSIEST_HOUR = 14
_SATURDAY = 5


@dataclass(slots=True)
class World:
    """One transaction; *now* is the server's clock, *since* the week's first moment."""

    connection: Connection
    now: datetime
    since: datetime
    rows: Counter[str] = field(default_factory=Counter)

    def put(self, model: type[Base], **values: Any) -> Any:
        """Insert one row and return the first column of its key."""
        table = cast("Table", model.__table__)
        self.rows[table.fullname] += 1
        key = next(iter(table.primary_key.columns))
        statement = insert(table).values(values).returning(key)
        return self.connection.execute(statement).scalar_one()

    def put_all(self, model: type[Base], rows: Sequence[dict[str, Any]]) -> None:
        """Insert many rows, which all name the same columns."""
        table = cast("Table", model.__table__)
        if rows:
            self.rows[table.fullname] += len(rows)
            self.connection.execute(insert(table), list(rows))

    def ago(self, **span: float) -> datetime:
        """Return the moment that lies *span* (``days=2``) before now."""
        return self.now - timedelta(**span)

    @staticmethod
    def dice(purpose: str) -> random.Random:
        """Return a source of chance that throws the same for the same *purpose*."""
        return random.Random(purpose)  # noqa: S311 - decoration, nothing secret


def business(moment: datetime) -> float:
    """Return how busy an ordinary service is at *moment*, from 0 to 1."""
    hour = moment.hour + moment.minute / 60
    day = 0.2 + 0.8 * math.exp(-(((hour - _BUSIEST_HOUR) / 4) ** 2))
    return day * (0.5 if moment.weekday() >= _SATURDAY else 1.0)


def moments(
    dice: random.Random, first: datetime, last: datetime, count: int
) -> Iterator[datetime]:
    """Yield *count* moments between *first* and *last*, more where it is busy."""
    span = (last - first).total_seconds()
    while count > 0:
        moment = first + timedelta(seconds=dice.random() * span)
        if dice.random() < business(moment):
            count -= 1
            yield moment


def uuid7(dice: random.Random, moment: datetime) -> tuple[UUID, datetime]:
    """Return an id made at *moment*, and the time inside it: whole milliseconds."""
    stamp = (moment - _EPOCH) // timedelta(milliseconds=1)
    number = stamp << 80 | 7 << 76 | dice.getrandbits(12) << 64
    number |= 2 << 62 | dice.getrandbits(62)
    return UUID(int=number), _EPOCH + timedelta(milliseconds=stamp)
