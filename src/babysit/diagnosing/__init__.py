"""The rules: pure functions of the log and of what is known of the settings. No torch."""

from __future__ import annotations

from babysit.diagnosing.numbers import not_a_number
from babysit.record.diagnosis import Rule
from babysit.tables import Table

RULES: Table[Rule] = Table("rule", {"not-a-number": not_a_number})
