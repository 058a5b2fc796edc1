"""How long training goes on, and how fast it learns: by steps, or by the clock."""

from __future__ import annotations

from dataclasses import dataclass

WARM = 100
"""Steps in which the rate rises."""
DECAY = 0.2
"""The last share of training, in which the rate falls to nothing: it is there that the figures rise most."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When training ends.

    Attributes:
        steps: After so many steps,
        seconds: or after so many seconds, whichever is first; None for no such end.
    """

    steps: int
    seconds: float | None = None

    def rate(self, step: int, spent_s: float) -> float:
        """The share of the full rate at which a step, from 0, learns; 0 where training is at its end.

        Examples:
            >>> schedule = Schedule(steps=1000)
            >>> [schedule.rate(step, 0) for step in (0, 49, 500, 900, 1000)]
            [0.01, 0.5, 1.0, 0.5, 0.0]
        """
        done = max(step / self.steps, spent_s / self.seconds if self.seconds else 0.0)
        return max(0.0, round(min(1.0, (step + 1) / WARM, (1 - done) / DECAY), 9))
