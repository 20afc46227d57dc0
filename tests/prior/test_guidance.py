"""The prior pulls pairs to its own idea of them: the same pull alone and in a batch, and none of where the pair is."""

from dataclasses import replace

import pytest
import roma
import torch

from apu.body.rigid import moved
from apu.contact.contact import Contact, ContactMap
from apu.errors import InputError
from apu.prior.guidance import DiffusionGuidance, Pull
from apu.prior.network import Denoiser
from apu.scene.guidance import Guidance, KnownPairs


@pytest.fixture
def guidance(untrained) -> DiffusionGuidance:
    return DiffusionGuidance(untrained)


@pytest.fixture
def estimate(known_pairs) -> dict[str, torch.Tensor]:
    return {name: value[:6].clone() for name, value in known_pairs.parameters.items()}


@pytest.fixture
def known(known_pairs) -> KnownPairs:
    hand = ContactMap((Contact(frozenset({"left_hand_palm"}), frozenset({"left_upper_back"})),), "test")
    initial = {name: value[:6] for name, value in known_pairs.initial.items()}
    return KnownPairs(known_pairs.ids[:6], initial, known_pairs.initial_known[:6], (hand,) * 6)


def part(known: KnownPairs, rows: list[int]) -> KnownPairs:
    assert known.initial is not None
    return KnownPairs(
        tuple(known.names[i] for i in rows),
        {name: value[rows] for name, value in known.initial.items()},
        None if known.initial_known is None else known.initial_known[rows],
        [known.contacts[i] for i in rows],
    )


class Knowing(Denoiser):
    """A network that knows the answer."""

    def forward(self, x, time, condition):
        return self.answer.expand_as(x)


def knowing(guidance: DiffusionGuidance, answer: torch.Tensor) -> DiffusionGuidance:
    old = guidance.prior.network
    network = Knowing(old.tokens, old.schedule, old.settings)
    network.answer = answer
    return replace(guidance, prior=replace(guidance.prior, network=network))


def test_it_is_what_a_solver_asks_for(guidance):
    assert isinstance(guidance, Guidance)


def test_the_target_is_detached_and_leaves_a_where_it_is(guidance, estimate, known):
    live = {name: value.requires_grad_() for name, value in estimate.items()}
    target = guidance.target(live, known, 100)
    assert {name: value.shape for name, value in target.items()} == {n: v.shape for n, v in estimate.items()}
    assert not any(value.requires_grad for value in target.values())
    for name in ("orientation", "translation"):
        assert torch.equal(target[name][:, 0], estimate[name][:, 0])
        assert not torch.allclose(target[name][:, 1], estimate[name][:, 1])


def test_the_same_question_has_the_same_answer_and_another_seed_another(guidance, estimate, known):
    first, second = (guidance.target(estimate, known, 300)["pose"] for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.allclose(replace(guidance, seed=1).target(estimate, known, 300)["pose"], first)


def test_opposite_noise_is_the_mean_of_both_and_less_a_matter_of_the_seed(guidance, estimate, known):
    def answers(opposite: bool) -> torch.Tensor:
        asked = [replace(guidance, seed=seed, opposite=opposite) for seed in range(8)]
        return torch.stack([g.prior.rows(g.target(estimate, known, 600)) for g in asked])

    assert answers(True).std(0).mean() < 0.5 * answers(False).std(0).mean()


def test_every_name_has_noise_of_its_own(guidance, estimate, known):
    same = {name: value[:1].expand(3, -1, -1) for name, value in estimate.items()}
    pose = guidance.target(same, KnownPairs(("a", "b", "a")), 300)["pose"]
    assert torch.allclose(pose[0], pose[2], atol=2e-5)
    assert not torch.allclose(pose[0], pose[1], atol=1e-2)


def test_a_pair_has_the_same_target_whatever_else_is_in_the_batch(guidance, estimate, known):
    together = guidance.target(estimate, known, 300)
    for rows in ([4], [5, 2, 4]):
        some = guidance.target({name: value[rows] for name, value in estimate.items()}, part(known, rows), 300)
        for name, value in some.items():
            assert torch.allclose(value, together[name][rows], atol=2e-5), name


def test_where_the_pair_is_does_not_matter_but_for_the_cameras_up_and_line_of_sight(guidance, estimate, known):
    """A turn about the camera's vertical moves the target along; without the view also a shift, and without the up any
    other turn."""
    aside = torch.tensor([0.5, -0.2, 1.0])
    for turn, shift, asked in (
        (torch.tensor([0.0, 1.1, 0.0]), torch.zeros(3), guidance),
        (torch.tensor([0.0, 1.1, 0.0]), aside, replace(guidance, view=False)),
        (torch.tensor([0.6, 1.1, -0.4]), aside, replace(guidance, tilt=False, view=False)),
    ):
        rotation = roma.rotvec_to_rotmat(turn)
        found = asked.target(moved(estimate, rotation, shift), known, 300)
        expected = moved(asked.target(estimate, known, 300), rotation, shift)
        for name in ("pose", "shape", "translation"):
            assert torch.allclose(found[name], expected[name], atol=1e-4), name
        both = (roma.rotvec_to_rotmat(one["orientation"]) for one in (found, expected))
        assert torch.allclose(*both, atol=1e-4)


def test_the_loss_is_nothing_at_the_target_and_moving_both_costs_nothing(guidance, estimate, known):
    guidance = replace(guidance, pull=Pull(translation=0.1, depth=0.1))  # else it matters whence one looks
    target = guidance.target(estimate, known, 300)
    assert guidance.loss(target, target).abs().max() < 1e-3
    loss = guidance.loss(estimate, target)
    assert loss.shape == (6,)
    assert bool((loss > 0).all())
    there = moved(estimate, roma.rotvec_to_rotmat(torch.tensor([0.3, 0.8, 0.1])), torch.tensor([1.0, 0.0, -1.0]))
    assert torch.allclose(guidance.loss(there, target), loss, rtol=1e-3)


@pytest.mark.parametrize("norm", ["squared", "plain"])
def test_following_the_loss_leads_to_what_the_prior_says(guidance, estimate, known, norm):
    """Both people move, and in the end pose, shape and how one stands to the other are the answer's."""
    answer = guidance.prior.rows({name: value.roll(1, 0) for name, value in estimate.items()})
    sure = replace(knowing(guidance, answer), pull=Pull(norm=norm))
    target = sure.target(estimate, known, 50)
    assert torch.allclose(sure.prior.rows(target), answer, atol=1e-4)
    free = {name: value.clone().requires_grad_() for name, value in estimate.items()}
    optimiser = torch.optim.Adam(list(free.values()), lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 600)
    for _ in range(600):
        optimiser.zero_grad()
        sure.loss(free, target).sum().backward()
        assert all(bool(value.grad.isfinite().all()) for value in free.values())
        optimiser.step()
        schedule.step()
    representation = sure.prior.representation
    (turn, offset), (turn_wanted, offset_wanted) = (
        representation.relative(representation.encode(one)) for one in (free, target)
    )
    assert torch.allclose(free["pose"], target["pose"], atol=0.02)
    assert torch.allclose(free["shape"], target["shape"], atol=0.05)
    assert torch.allclose(offset, offset_wanted, atol=0.02)
    assert torch.allclose(turn, turn_wanted, atol=0.02)
    assert (free["translation"][:, 0] - estimate["translation"][:, 0]).norm(dim=-1).min() > 1e-3  # A moved too


def test_each_standard_deviation_says_what_its_quantity_costs(guidance, estimate):
    """One unit of its own away, a squared pull costs a half, and a plain one costs 1."""
    pull = Pull(pose=0.2, shape=0.7, orientation=0.01, translation=0.3, depth=0.5)
    changed = {name: {n: v.clone() for n, v in estimate.items()} for name in estimate}
    changed["pose"]["pose"][:, 0, 5] += 0.2
    changed["shape"]["shape"][:, 1, 2] += 0.7
    sight = torch.nn.functional.normalize(estimate["translation"][:, 0], dim=-1)
    aside = torch.nn.functional.normalize(torch.linalg.cross(sight, torch.tensor([[1.0, 0.0, 0.0]])), dim=-1)
    changed["translation"]["translation"][:, 1] += 0.3 * aside
    changed["depth"] = {n: v.clone() for n, v in estimate.items()}
    changed["depth"]["translation"][:, 1] += 0.5 * sight
    turn = roma.rotvec_to_rotmat(torch.tensor([0.0, 0.01, 0.0]))
    changed["orientation"]["orientation"][:, 1] = roma.rotmat_to_rotvec(
        turn @ roma.rotvec_to_rotmat(estimate["orientation"][:, 1])
    )
    for name, moved_away in changed.items():
        squared, plain = (
            replace(guidance, pull=replace(pull, norm=norm)).loss(moved_away, estimate) for norm in ("squared", "plain")
        )
        assert torch.allclose(squared, torch.full((6,), 0.5), atol=5e-3), name
        assert torch.allclose(plain, torch.ones(6), atol=1e-2), name


def test_where_contacts_are_told_they_say_the_depth(guidance, estimate):
    pull = Pull(depth=0.1, depth_told=0.4)
    sight = torch.nn.functional.normalize(estimate["translation"][:, 0], dim=-1)
    behind = {name: value.clone() for name, value in estimate.items()}
    behind["translation"][:, 1] += 0.2 * sight
    told = torch.arange(6) < 2
    loss = replace(guidance, pull=pull).loss(behind, estimate, told)
    assert torch.allclose(loss, torch.where(told, 0.5 * 0.5**2, 0.5 * 2.0**2), atol=5e-3)
    assert torch.equal(loss[2:], replace(guidance, pull=pull).loss(behind, estimate)[2:])


def test_a_quantity_with_no_certainty_is_not_pulled(guidance, estimate):
    """With this, BUDDI's recipe can be said: plain norms, and no pull on the orientation."""
    buddi = replace(guidance, pull=Pull(0.01, 0.1, float("inf"), 1e-4, 1e-4, 1e-4, "plain"))
    turned = {name: value.clone().requires_grad_() for name, value in estimate.items()}
    with torch.no_grad():
        turned["orientation"][:, 1] += 0.3
    loss = buddi.loss(turned, estimate)
    loss.sum().backward()
    assert float(loss.detach().max()) < 1e-3
    assert all(bool(value.grad.isfinite().all()) for value in turned.values())


def test_bodies_in_double_precision_have_the_same_target(guidance, estimate, known):
    wide = guidance.target({name: value.double() for name, value in estimate.items()}, known, 200)
    for name, value in guidance.target(estimate, known, 200).items():
        assert wide[name].dtype == torch.float64
        assert torch.allclose(wide[name].float(), value, atol=1e-4), name


def test_missing_people_are_no_obstacle(guidance, estimate, known):
    nobody = replace(known, initial_known=torch.zeros(6, 2, dtype=torch.bool))
    empty = KnownPairs(known.names, contacts=known.contacts)
    assert torch.equal(guidance.target(estimate, nobody, 300)["pose"], guidance.target(estimate, empty, 300)["pose"])
    only_a = torch.tensor([[True, False]]).expand(6, 2)
    assert known.initial is not None
    gap = {name: value.clone() for name, value in known.initial.items()}
    for value in gap.values():
        value[:, 1] = float("nan")
    target = guidance.target(estimate, replace(known, initial=gap, initial_known=only_a), 300)
    assert all(bool(value.isfinite().all()) for value in target.values())


@pytest.mark.parametrize("time", [-1, 1000])
def test_a_time_outside_the_schedule_is_refused(guidance, estimate, known, time):
    with pytest.raises(InputError, match="outside the diffusion's schedule"):
        guidance.target(estimate, known, time)


def test_names_must_be_one_per_pair(guidance, estimate, known):
    with pytest.raises(InputError, match="one name"):
        guidance.target(estimate, replace(known, names=known.names[:3]), 10)


def test_a_start_is_a_sample_beside_the_present_a(guidance, estimate, known):
    start = guidance.start(known, estimate, 5)
    assert torch.equal(start["translation"][:, 0], estimate["translation"][:, 0])
    assert torch.allclose(start["orientation"][:, 0], estimate["orientation"][:, 0])
    assert all(bool(value.isfinite().all()) for value in start.values())
    elsewhere = {**estimate, "pose": estimate["pose"] + 1, "shape": estimate["shape"] - 1}
    assert torch.equal(guidance.start(known, elsewhere, 5)["pose"], start["pose"])  # only A's place counts
