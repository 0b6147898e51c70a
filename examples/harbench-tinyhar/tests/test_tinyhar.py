"""harbench's conformance suite, and what the paper's network is known to count."""

import pytest

import harbench
import harbench_tinyhar
from harbench.cost import count
from harbench.testing import conformance

test_tinyhar = conformance("model", "tinyhar")


def test_counts_at_the_shape_of_the_paper():
    """OPPORTUNITY as the authors cut it: 77 channels, windows of one second, 18 classes.

    The authors' network has the same 84,720 parameters; the MACs are harbench's count.
    """
    cost = count(harbench_tinyhar.build(77, 30, 18), 77, 30)
    assert cost.parameters == 84_720
    assert cost.macs == 4_092_120


@pytest.mark.parametrize(
    "options", [{"filters": 0}, {"filters": 2.5}, {"dropout": 1}, {"dropout": "much"}]
)
def test_a_wrong_option_is_refused_by_name(options):
    """With what was given and what is taken."""
    with pytest.raises(harbench.ModelError, match=f"option {next(iter(options))} is"):
        harbench_tinyhar.build(3, 30, 4, **options)
