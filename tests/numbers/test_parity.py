"""The compiled core against the reference analyzer, dimension by dimension, on generated recordings."""

from __future__ import annotations

import pytest
from support.cases import GENERATED, Case
from support.references import References
from support.tolerances import PARITY, assert_agree

import auralis_fp

pytestmark = pytest.mark.unsanitized(
    "compares with the reference analyzer, whose packages are not built for it"
)


@pytest.mark.parametrize("case", GENERATED, ids=str)
def test_core_agrees_with_reference(case: Case, references: References) -> None:
    measured = auralis_fp.analyze_samples(case.samples(), case.rate)
    assert_agree(measured, references.of(case), PARITY)
