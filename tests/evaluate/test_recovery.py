import pytest

from apu.errors import InputError, ModelFileError, OutputError
from apu.evaluate.recovery import Lost, all_or_each


def test_one_bad_item_costs_no_other():
    def inverse(items):
        return [1 / item for item in items]

    assert all_or_each(inverse, [2, 0, 4]) == [0.5, Lost("ZeroDivisionError: division by zero"), 0.25]


def test_sound_items_are_worked_on_together():
    sizes = []

    def size(items):
        sizes.append(len(items))
        return list(items)

    assert all_or_each(size, [1, 2, 3]) == [1, 2, 3]
    assert all_or_each(size, []) == []
    assert sizes == [3]


def test_a_deliberate_error_is_told_by_its_first_sentence():
    def refuse(items):
        raise InputError("It is\nwrong.", where="x", remedy="mend it.")

    assert all_or_each(refuse, [1]) == [Lost("InputError: It is wrong.")]


@pytest.mark.parametrize("error", [OutputError("The disk is full."), ModelFileError("No model."), TypeError("ours")])
def test_what_every_item_would_meet_is_raised(error: Exception):
    def fail(items):
        raise error

    with pytest.raises(type(error)):
        all_or_each(fail, [1, 2])
