"""The shipped classes are complete and parted into groups; what is wrong in a description is named with its file."""

import math
from typing import get_args

import pytest

from apu.body.anny_pose import DOFS
from apu.body.region_names import REGION_NAMES
from apu.dataset.synthetic.base_poses import FAMILIES
from apu.dataset.synthetic.candidates import AGE_BANDS
from apu.dataset.synthetic.interaction import (
    GROUPS_OF_SPLIT,
    Interaction,
    classes_of,
    interaction,
    interactions,
    parse_interaction,
)
from apu.errors import InputError
from apu.scene.true_pair import Split

BOUNDS = {d.name: (d.lower, d.upper) for d in DOFS}

SOUND = """
title = "a poke"
group = "seen"
people = [
    { a = "adult", b = "adult", share = 3 },
    { a = "elder", b = "small child", share = 1.0, family_a = { bending = 1.0 } },
]
placement = { left = [0.1, 0.02], ahead = [0.5, 0.0], turn_right_deg = [180, 10] }

[a]
family = { standing = 0.5, bending = 0.5 }
calm = 0.5
tilt_forward = [0.2, 0.1]
pose = { both_elbow_flexion = [0.7, 0.2], right_wrist_lift = [0.1, 0.0] }

[b]
family = { standing = 1.0 }

[[contact]]
a = ["right_fingers_palm", "right_hand_palm + right_fingers_palm"]
b = ["left_upper_chest"]
probability = 0.5
"""


@pytest.fixture(params=list(interactions()))
def shipped(request) -> Interaction:
    return interactions()[request.param]


def in_group(group: str) -> set[str]:
    return {name for name, one in interactions().items() if one.group == group}


def test_there_are_enough_classes_of_every_group():
    assert len(interactions()) >= 16
    assert list(interactions()) == sorted(interactions())
    assert len(in_group("seen")) >= 8
    assert len(in_group("dev-unseen")) >= 3
    assert len(in_group("test-unseen")) >= 5


def test_what_is_kept_for_the_test_occurs_in_no_other_split():
    assert set(GROUPS_OF_SPLIT) == set(get_args(Split))
    elsewhere = [set(classes_of(split)) for split in ("train", "validation")]
    assert all(not names & in_group("test-unseen") for names in elsewhere)
    assert set(classes_of("test")) >= in_group("test-unseen")


def test_training_has_the_seen_classes_alone_and_no_split_shares_an_unseen_one():
    assert set(classes_of("train")) == in_group("seen")
    unseen = [set(classes_of(split)) - in_group("seen") for split in ("validation", "test")]
    assert not unseen[0] & unseen[1]
    assert set().union(*(classes_of(split) for split in get_args(Split))) == set(interactions())


def test_a_class_says_what_touches(shipped: Interaction):
    assert shipped.contacts
    for contact in shipped.contacts:
        assert 0 < contact.probability <= 1
        for alternatives in (contact.a, contact.b):
            assert alternatives
            assert all(union and union <= set(REGION_NAMES) for union in alternatives)
    assert shipped.contacts[0].probability == 1, "what makes the class touches in every pair"


def test_a_class_says_who_takes_part(shipped: Interaction):
    assert shipped.title.strip()
    assert {band for ages in shipped.ages for band in ages.bands} <= set(AGE_BANDS)
    assert all(ages.share > 0 for ages in shipped.ages)
    families = [role.families for role in shipped.roles]
    families += [own for ages in shipped.ages for own in ages.families if own is not None]
    for shares in families:
        assert set(shares) <= set(FAMILIES)
        assert min(shares.values()) > 0


def test_a_class_asks_for_angles_that_people_can_take(shipped: Interaction):
    for role in shipped.roles:
        assert 0 < role.calm <= 1
        for name, (mean, spread) in role.pose.items():
            lower, upper = BOUNDS[name]
            assert lower <= mean <= upper
            assert spread < upper - lower


def test_people_start_within_reach_and_not_in_one_place(shipped: Interaction):
    assert 0.2 < math.hypot(shipped.left[0], shipped.ahead[0], shipped.up[0]) < 1.2


def test_whoever_is_carried_need_not_stand(shipped: Interaction):
    assert shipped.balance in (("together", "exempt") if shipped.carried else ("each", "loose", "exempt"))
    assert shipped.carried or shipped.up == (0, 0)


def test_a_description_is_read_as_it_is_written():
    one = parse_interaction("poke", SOUND)
    assert (one.name, one.title, one.group) == ("poke", "a poke", "seen")
    assert [a.bands for a in one.ages] == [("adult", "adult"), ("elder", "small child")]
    assert [a.share for a in one.ages] == [3, 1]
    assert [a.families for a in one.ages] == [(None, None), ({"bending": 1.0}, None)]
    assert (one.left, one.ahead, one.turn_right_deg) == ((0.1, 0.02), (0.5, 0.0), (180, 10))
    first, second = one.roles
    assert (first.families, first.calm, first.tilt_forward) == ({"standing": 0.5, "bending": 0.5}, 0.5, (0.2, 0.1))
    assert first.pose == {
        "left_elbow_flexion": (0.7, 0.2),
        "right_elbow_flexion": (0.7, 0.2),
        "right_wrist_lift": (0.1, 0.0),
    }
    (contact,) = one.contacts
    assert contact.a == (frozenset({"right_fingers_palm"}), frozenset({"right_hand_palm", "right_fingers_palm"}))
    assert (contact.b, contact.probability) == ((frozenset({"left_upper_chest"}),), 0.5)
    assert (second.calm, second.tilt_forward, second.pose) == (1.0, (0, 0), {})


def test_what_is_left_out_means_two_who_stand_for_themselves_and_a_contact_that_always_takes_part():
    one = parse_interaction("poke", SOUND.replace("probability = 0.5\n", ""))
    assert (one.up, one.carried, one.balance, one.contacts[0].probability) == ((0, 0), None, "each", 1.0)
    assert parse_interaction("poke", 'carried = "a"\n' + SOUND).balance == "together"


@pytest.mark.parametrize(
    ("written", "instead", "named"),
    [
        ("left_upper_chest", "left_upper_chst", "left_upper_chst"),
        ("right_fingers_palm", "fingers_palm", "fingers_palm"),
        ("both_elbow_flexion", "both_elbow_bend", "left_elbow_bend"),
        ("right_wrist_lift", "wrist_lift", "wrist_lift"),
        ('group = "seen"', 'group = "unseen"', "unseen"),
        ('b = "small child"', 'b = "baby"', "baby"),
        ("[0.1, 0.02]", "[0.1, -0.02]", "-0.02"),
        ("[0.7, 0.2]", "[0.7, -0.2]", "-0.2"),
        ("[0.5, 0.0]", "0.5", "Type"),
        ("[0.5, 0.0]", "[0.5, 0.0, 1.0]", "ValueError"),
        ("probability = 0.5", "probability = 0", "probability 0.0"),
        ("probability = 0.5", "probability = 1.5", "probability 1.5"),
        ("calm = 0.5", 'calm = "half"', "half"),
        ('title = "a poke"', 'carried = "both"\ntitle = "a poke"', "both"),
        ('title = "a poke"', 'balance = "none"\ntitle = "a poke"', "none"),
        ('title = "a poke"', "", "title"),
        ("[[contact]]", "[[contacts]]", "contact"),
        ("[b]", "[c]", "'c'"),
        ("probability = 0.5", "probabilty = 0.5", "probabilty"),
        ("calm = 0.5", "calm = -7", "calm -7"),
        ("probability = 0.5", "probability = nan", "probability nan"),
        ("[b]", "[b", "TOMLDecodeError"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(written: str, instead: str, named: str):
    assert written in SOUND
    with pytest.raises(InputError) as failure:
        parse_interaction("poke", SOUND.replace(written, instead))
    assert failure.value.where == "poke.toml"
    assert named in str(failure.value.got)
    assert failure.value.remedy


def test_an_unknown_class_is_refused_with_the_known_ones():
    with pytest.raises(InputError) as failure:
        interaction("hugg")
    assert failure.value.got == "'hugg'"
    assert all(name in str(failure.value.expected) for name in interactions())
