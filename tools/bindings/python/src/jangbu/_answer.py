"""What the library answers, as objects: `answer.total`, `answer["total"]`, `"total" in answer`."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, TypeVar

T = TypeVar("T")


class Answer:
    """An object of an answer. Its members are attributes, also those that this version does not know; a word that Python keeps for
    itself has _ behind it (`from_`). Money and numbers are int. A member that is not there is an AttributeError, or None of `get`."""

    __slots__ = ("_members",)
    _members: dict[str, Any]
    _inner: ClassVar[Mapping[str, type[Answer]]] = {}

    def __init__(self, members: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_members", members)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an answer does not change: {name}")

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            members = self._members
            for known in (name, name[:-1] if name.endswith("_") else name):
                if known in members:
                    return self[known]
        raise AttributeError(f"{type(self).__name__} has no {name}; it has {', '.join(map(str, self._asdict()))}" if not name.startswith("_") else name)

    def __getitem__(self, name: str) -> Any:
        value = self._members[name]
        if isinstance(value, (dict, list)):
            value = self._members[name] = _wrapped(value, self._inner.get(name, Answer))
        return value

    def get(self, name: str, default: T | None = None) -> Any | T | None:
        return self[name] if name in self._members else default

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Answer):
            return self._asdict() == other._asdict()
        return self._asdict() == other if isinstance(other, Mapping) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self._asdict().items())})"

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._members]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._asdict(),)

    def _asdict(self) -> dict[str, Any]:
        """All of it as dict, list, str, int, bool and None, as `json.loads` would have it."""
        return {name: _bare(value) for name, value in self._members.items()}


def _wrapped(value: Any, inner: type[Answer]) -> Any:
    if isinstance(value, dict):
        return inner(value)
    if isinstance(value, list):
        return [_wrapped(v, inner) for v in value]
    return value


def _bare(value: Any) -> Any:
    if isinstance(value, Answer):
        return value._asdict()
    if isinstance(value, list):
        return [_bare(v) for v in value]
    if isinstance(value, dict):
        return {k: _bare(v) for k, v in value.items()}
    return value
