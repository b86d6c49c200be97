"""What a rule is."""

from __future__ import annotations

import numpy as np

from analyzer.lifecycle.rules import Marks, Rule


def test_a_rule_without_unit_has_no_amount() -> None:
    assert Rule("a.b", "note", "it is so", "leave it").unit == ""
    assert Marks("a.b", np.array([True]), np.array([1]), np.array([2])).amount == 0
