"""What a run of the story found: each step with what was expected and what was observed, as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class Step:
    """One step; `seconds` is how long it took until it was observed."""

    name: str
    expected: str
    observed: str
    seconds: float
    ok: bool


@dataclass(slots=True)
class Report:
    """`numbers` holds measured seconds by name."""

    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    numbers: dict[str, float] = field(default_factory=dict)
    error: str | None = None
    ended: bool = False

    @property
    def ok(self) -> bool:
        """The story was played to its end, and every step was observed."""
        return self.ended and self.error is None and all(step.ok for step in self.steps)

    def document(self) -> Mapping[str, object]:
        return {"ok": self.ok} | asdict(self)

    def write(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(TypeAdapter(dict[str, object]).dump_json(dict(self.document()), indent=2) + b"\n")
