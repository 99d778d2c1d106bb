"""The capstone's checks beyond the generic tests: cheats, tiers, and nbgrader's partial credit."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest
import torch
import torch.nn.functional as F
from nbgrader.utils import determine_grade
from torch import nn
from torchvision.models.resnet import BasicBlock as TorchvisionBlock

from helpers import progress
from helpers.answers.capstone.blocks import BasicBlock
from helpers.answers.capstone.capstone import plain_network, residual_network, small_network
from helpers.answers.capstone.settings import adamw_training, configure_training
from helpers.checking import CheckFailed, NotAttempted
from helpers.checking.judging import cases_of, judge, observer
from helpers.checks.capstone import check_capstone
from helpers.checks.capstone.block import BASIC_BLOCK, fill
from helpers.checks.capstone.rules import HONEST, RULES
from helpers.checks.capstone.settings import CONFIGURE_TRAINING
from helpers.checks.capstone.task import STEPS, shake_batch, task
from helpers.checks.capstone.training import CAPSTONE, _observe_training
from helpers.data import load
from helpers.training import train


@pytest.mark.parametrize(("i", "o", "stride"), [(3, 3, 1), (2, 4, 1), (4, 4, 2), (2, 4, 2)])
@pytest.mark.parametrize("training", [True, False])
def test_the_reference_is_torchvisions_block(i: int, o: int, stride: int, training: bool) -> None:
    mine = BasicBlock(i, o, stride)
    fill(mine, seed=i + o)
    same = i == o and stride == 1
    theirs = TorchvisionBlock(i, o, stride, downsample=None if same else mine.shortcut)
    for name in ("conv1", "bn1", "conv2", "bn2"):
        getattr(theirs, name).load_state_dict(getattr(mine, name).state_dict())
    x = torch.randn(5, i, 6, 5)
    torch.testing.assert_close(mine.train(training)(x.clone()), theirs.train(training)(x.clone()))


@pytest.mark.parametrize(
    ("name", "diagnosis"),
    [
        ("downsample", "Your shortcut is called `downsample`; here it is `shortcut`."),
        ("conv3", None),
        (None, "Your block has no attribute `shortcut`."),
    ],
)
def test_a_missing_shortcut_is_not_called_by_a_name_that_is_not_there(
    name: str | None, diagnosis: str | None
) -> None:
    class Block(nn.Module):
        def __init__(self, i: int, o: int, stride: int = 1) -> None:
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(i, o, 3, stride, 1), nn.BatchNorm2d(o)
            self.conv2, self.bn2 = nn.Conv2d(o, o, 3, 1, 1), nn.BatchNorm2d(o)
            self.relu = nn.ReLU()
            if name:
                setattr(self, name, None)

    verdict = judge(BASIC_BLOCK, observer(BASIC_BLOCK, Block))
    assert verdict.key == "attributes"
    assert [named.diagnosis for named in verdict.slips] == ([diagnosis] if diagnosis else [])


def ndim(name: str, p: Any) -> bool:
    return p.ndim > 1


def no_bias(name: str, p: Any) -> bool:
    return "bias" not in name


def no_norm(name: str, p: Any) -> bool:
    return not any(word in name for word in ("bias", "LayerNorm.weight", "_bn"))


@pytest.mark.parametrize(
    ("decays", "slip"),
    [
        (ndim, "decays-by-axes"),
        (no_bias, "decays-all-but-biases"),
        (no_norm, "decays-all-but-biases"),
    ],
)
def test_ways_to_choose_what_decays_that_many_use(decays: Any, slip: str) -> None:
    def configure(model: nn.Module, total_steps: int) -> Any:
        trained = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
        decayed = [p for n, p in trained if decays(n, p)]
        others = [p for n, p in trained if not decays(n, p)]
        groups = [{"params": decayed}, {"params": others, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=1e-3, weight_decay=0.05)
        return optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total_steps)

    verdict = judge(CONFIGURE_TRAINING, observer(CONFIGURE_TRAINING, configure))
    assert verdict.key == "decayed"
    assert verdict.misconception == slip


def failure(build_model: Any, configure: Any = adamw_training) -> tuple[str, str]:
    verdict = judge(CAPSTONE, observer(CAPSTONE, (build_model, configure)))
    assert verdict.outcome == "failed"
    return verdict.key, verdict.misconception or (
        f"perhaps {verdict.guess}" if verdict.guess else ""
    )


@pytest.fixture(scope="module")
def body() -> dict[str, torch.Tensor]:
    """The weights of a trained network without its last layer."""
    model = residual_network()
    optimizer, scheduler = adamw_training(model, 110)
    settings = {"optimizer": optimizer, "scheduler": scheduler, "transform": shake_batch}
    train(model, load("digits", "cpu"), epochs=10, batch_size=100, evaluate=False, **settings)
    return {name: t for name, t in model.state_dict().items() if not name.startswith("8.")}


def test_a_trained_body_behind_a_new_last_layer(body: dict[str, torch.Tensor]) -> None:
    def build() -> nn.Module:
        model = residual_network()
        model.load_state_dict(body, strict=False)
        return model

    assert failure(build) == ("untrained outputs", "perhaps knowledge-from-elsewhere")


def test_a_scheduler_that_trains() -> None:
    class Trains:
        def __init__(self, scheduler: Any, model: nn.Module, optimizer: Any) -> None:
            self.scheduler, self.model, self.optimizer = scheduler, model, optimizer
            self.data = load("digits", "cpu")

        def step(self) -> None:
            self.scheduler.step()
            loss = F.cross_entropy(self.model(self.data.x_test), self.data.y_test)
            for p, g in zip(
                self.model.parameters(),
                torch.autograd.grad(loss, list(self.model.parameters())),
                strict=True,
            ):
                p.data -= 0.01 * g

    def configure(model: nn.Module, total_steps: int) -> Any:
        optimizer, scheduler = configure_training(model, total_steps)
        return optimizer, Trains(scheduler, model, optimizer)

    assert failure(small_network, configure) == ("passes", "more-steps")


def test_a_model_that_trains_in_forward() -> None:
    class Trains(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = small_network()
            self.data = load("digits", "cpu")

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.training:
                F.cross_entropy(self.network(self.data.x_test), self.data.y_test).backward()
            return self.network(x)

    assert failure(Trains) == ("passes", "more-steps")


def test_more_steps_only_in_the_long_training() -> None:
    """Code that behaves in the trial and cheats later is found in the training itself."""

    class Later(torch.optim.SGD):
        count = 0

        def step(self, closure: Any = None) -> None:
            super().step(closure)
            self.count += 1
            if self.count > 100:
                x = torch.ones(1, requires_grad=True)
                x.sum().backward()

    def configure(model: nn.Module, total_steps: int) -> Any:
        optimizer = Later(model.parameters(), lr=0.05)
        return optimizer, torch.optim.lr_scheduler.LinearLR(optimizer)

    assert failure(small_network, configure)[0] == "passes"


def test_images_in_a_buffer_count() -> None:
    def build() -> nn.Module:
        model = small_network()
        model.register_buffer("images", load("digits", "cpu").x_test.repeat(2, 1, 1, 1))
        return model

    assert failure(build) == ("numbers", "bigger-model")


def test_below_the_first_tier() -> None:
    def build() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))

    with pytest.raises(CheckFailed) as caught:
        check_capstone(build, adamw_training)
    first, *rest = str(caught.value).splitlines()
    assert first == (
        "✗ capstone — The trained network does not reach 0.90, where the first tier begins."
    )
    assert any("You returned  0.6" in line or "You returned  0.5" in line for line in rest)
    assert caught.value.misconception is None


def test_a_stub_is_not_attempted() -> None:
    def build_model() -> nn.Module:
        raise NotImplementedError()

    with pytest.raises(NotAttempted, match=r"TODO 9\.3"):
        check_capstone(build_model, adamw_training)


@pytest.mark.parametrize("build", [small_network, plain_network, residual_network])
@pytest.mark.parametrize("configure", [configure_training, adamw_training])
@pytest.mark.parametrize("seed", range(3))
def test_honest_networks_stay_far_from_every_limit(build: Any, configure: Any, seed: int) -> None:
    """The rules that ask how much is known have room on the honest side."""
    case, _ = cases_of(CAPSTONE, seed)
    t = task(case.kept)
    seen = dict(_observe_training((build, configure), case))
    assert {key: RULES[key].measure(seen[key], case) for key in HONEST if RULES[key].measure} == {
        key: value for key, value in HONEST.items() if RULES[key].measure
    }
    at_birth = (seen["at birth"] == t.y_plain).float().mean()
    after_ten = (seen["after ten images"] == t.y_test).float().mean()
    assert at_birth < 0.3
    assert after_ten < 0.65


def test_the_judge_trusts_no_shape() -> None:
    """Whatever comes back from a student's process is read without an exception."""
    case, _ = cases_of(CAPSTONE)
    for aspect in CAPSTONE.aspects.values():
        if aspect.measure is not None:
            for value in (None, "x", 1.5, torch.zeros(3), torch.zeros(2, 2), torch.zeros(0)):
                aspect.measure(value, case)


def test_what_is_handed_out_holds_no_answer() -> None:
    """Neither the labels of the test images nor the seed from which they follow."""
    for case in cases_of(CAPSTONE, seed=7):
        t = task(case.kept)
        assert case.fresh().kept is None
        for value in case.data.values():
            assert value != case.kept if isinstance(value, int) else value.shape != t.y_test.shape


def graded(points: float) -> Any:
    cell = nbformat.v4.new_code_cell("check_capstone(build_model, configure_training)")
    cell.metadata["nbgrader"] = {"grade": True, "solution": False, "points": 6, "grade_id": "c"}
    cell.metadata["nbgrader"].update(locked=True, schema_version=3, task=False)
    cell.outputs = [
        nbformat.v4.new_output("display_data", {"text/plain": "✓ capstone"}),
        nbformat.v4.new_output("execute_result", {"text/plain": repr(points)}),
    ]
    return cell


def test_nbgrader_takes_the_points(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.jsonl"))
    points = check_capstone(small_network, configure_training)
    assert points == 2.0
    assert capsys.readouterr().out.startswith("✓ capstone — tier 1 of 3: 0.9")
    assert determine_grade(graded(points)) == (2.0, 6)
    assert progress.latest_outcomes() == {"check_capstone": "passed in part"}


def test_twice_the_same() -> None:
    def once() -> str:
        verdict = judge(CAPSTONE, observer(CAPSTONE, (small_network, configure_training)), seed=5)
        assert verdict.grade is not None
        return verdict.grade.praise

    assert once() == once()
    assert STEPS == 330
