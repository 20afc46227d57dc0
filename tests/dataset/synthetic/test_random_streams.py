"""Named streams of random numbers."""

import numpy as np

from apu.dataset.synthetic.random_streams import Streams


def test_a_name_always_gives_the_same_numbers():
    assert np.array_equal(Streams(3, "a")("noise").normal(size=5), Streams(3, "a")("noise").normal(size=5))


def test_the_numbers_are_pinned():
    assert Streams(0, "test-hug-00012")("camera/yaw").integers(0, 1 << 30, 2).tolist() == [510694282, 768679005]


def test_seed_pair_and_part_all_matter_and_do_not_run_together():
    streams = [(0, "a", "b"), (1, "a", "b"), (0, "b", "b"), (0, "a", "a"), (0, "a:b", ""), (0, "a", ":b")]
    drawn = [float(Streams(seed, pair)(part).random()) for seed, pair, part in streams]
    assert len(set(drawn)) == len(drawn)
