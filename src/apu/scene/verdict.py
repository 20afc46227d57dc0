"""Whether a fit can be trusted: named rules, each with its value and its limit."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class RuleResult:
    """One rule and how a fit met it.

    Attributes:
        name: what is judged, e.g. `penetration`.
        value: of the fit.
        limit: what it is compared with.
        unit: of both.
        sense: whether the value must be at most or at least the limit.
        detail: what made the value, in words; told where the rule does not hold.
    """

    name: str
    value: float
    limit: float
    unit: str
    sense: Literal["at most", "at least"] = "at most"
    detail: str = ""

    @property
    def holds(self) -> bool:
        """Whether the value is on the right side; never for NaN."""
        return self.value <= self.limit if self.sense == "at most" else self.value >= self.limit

    def __str__(self) -> str:
        verb = "is" if self.holds else "should be"
        told = f"{self.name} {self.value:.3g} {self.unit}, {verb} {self.sense} {self.limit:.3g} {self.unit}".strip()
        return f"{told} ({self.detail})" if self.detail and not self.holds else told


@dataclass(frozen=True)
class Verdict:
    """All rules of one fit.

    Attributes:
        rules: in the order of their importance.
    """

    rules: tuple[RuleResult, ...]

    @property
    def accepted(self) -> bool:
        """Whether every rule holds."""
        return all(rule.holds for rule in self.rules)

    @property
    def failed(self) -> tuple[RuleResult, ...]:
        """The rules that do not hold."""
        return tuple(rule for rule in self.rules if not rule.holds)

    def __str__(self) -> str:
        return "accepted" if self.accepted else "rejected: " + "; ".join(str(rule) for rule in self.failed)
