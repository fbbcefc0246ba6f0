"""Chains of AND and OR without the parentheses that mean nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["flattened"]

# a string, a quoted name, a parenthesis, a connective, or anything else
_TOKEN = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[()]|\b(?:AND|OR)\b|[^'"()AO]+|[AO]"""
)
_CONNECTIVES = ("AND", "OR")


@dataclass(slots=True)
class _Group:
    """What stands between two parentheses."""

    items: list[str | _Group] = field(default_factory=list)

    @property
    def connective(self) -> str | None:
        """Return AND or OR when the group is one chain of it, else None."""
        found = [word for word in _CONNECTIVES if word in self.items]
        return found[0] if len(found) == 1 else None

    def __str__(self) -> str:
        return "".join(
            f"({item})" if isinstance(item, _Group) else item for item in self.items
        )


def flattened(text: str) -> str:
    """Return an expression with ``(a AND b) AND c`` written ``a AND b AND c``.

    ``x BETWEEN 1 AND 2 AND y`` is kept nested until a dump is restored and is flat
    afterwards; the meaning is the same. Unbalanced texts stay as they are.

    >>> flattened("((((a > 1) AND (a < 2)) AND (b OR c)))")
    '(((a > 1) AND (a < 2) AND (b OR c)))'
    """
    if ") AND " not in text and ") OR " not in text:
        return text
    tree = _parsed(text)
    return text if tree is None else str(_spliced(tree))


def _parsed(text: str) -> _Group | None:
    pieces = _TOKEN.findall(text)
    stack = [_Group()]
    for piece in pieces:
        if piece == "(":
            stack.append(_Group())
        elif piece == ")":
            if len(stack) == 1:
                return None
            done = stack.pop()
            stack[-1].items.append(done)
        else:
            stack[-1].items.append(piece)
    return stack[0] if len(stack) == 1 and "".join(pieces) == text else None


def _spliced(group: _Group) -> _Group:
    """Return *group* with operands that are chains of its own kind opened."""
    items = [
        _spliced(item) if isinstance(item, _Group) else item for item in group.items
    ]
    chain = _Group(items)
    kind = chain.connective
    if kind is None:
        return chain
    flat: list[str | _Group] = []
    for operand in _operands(items, kind):
        inner = [item for item in operand if not _blank(item)]
        only = inner[0] if len(inner) == 1 else None
        if isinstance(only, _Group) and only.connective == kind:
            at = operand.index(only)
            operand[at : at + 1] = only.items
        flat.extend([kind, *operand] if flat else operand)
    return _Group(flat)


def _blank(item: str | _Group) -> bool:
    return isinstance(item, str) and not item.strip()


def _operands(items: list[str | _Group], kind: str) -> list[list[str | _Group]]:
    found: list[list[str | _Group]] = [[]]
    for item in items:
        if item == kind:
            found.append([])
        else:
            found[-1].append(item)
    return found
