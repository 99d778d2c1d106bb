"""What lesson 04 states about its experiments, each number over at least five seeds."""

from __future__ import annotations

from itertools import pairwise
from statistics import mean

import pytest
import torch

from helpers.answers.weight_decay.parameter_groups import parameter_groups
from helpers.answers.weight_decay.penalties import l2_penalty
from helpers.answers.weight_decay.ridge_solution import ridge_solution
from helpers.answers.weight_decay.soft_threshold import by_sign
from helpers.experiments.ridge_and_lasso import (
    Shrinkage,
    SparsePath,
    shrinkage,
    sparse_path,
    two_copies,
)
from helpers.experiments.weight_decay import (
    CONSTANT,
    STARTS,
    NetworkRun,
    RidgePath,
    Sparse,
    TextbookRun,
    descent_meets_ridge,
    network_run,
    penalty_against_decay,
    ridge_path,
    sparse_run,
    textbook_data,
    textbook_run,
)

pytestmark = pytest.mark.claims

SEEDS = range(5)
RIDGE_LAMBDAS = [10.0**k for k in range(-3, 6)]
L1_LAMBDAS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5]
NETWORK_LAMBDAS = (0.0, 0.001, 0.01, 0.03, 0.1, 0.3, 1.0)


@pytest.fixture(scope="module")
def textbook() -> dict[tuple[str, float], list[TextbookRun]]:
    return {
        (start, lam): [textbook_run(start, lam, seed) for seed in SEEDS]
        for start in STARTS
        for lam in (0.0, 3.0)
    }


@pytest.fixture(scope="module")
def paths() -> list[RidgePath]:
    return [ridge_path(ridge_solution, RIDGE_LAMBDAS, seed) for seed in range(10)]


@pytest.fixture(scope="module")
def seen() -> list[Shrinkage]:
    return [shrinkage(ridge_solution, (0.1, 10.0, 1000.0), seed) for seed in range(10)]


@pytest.fixture(scope="module")
def sparse() -> list[Sparse]:
    return [sparse_run(by_sign, seed) for seed in SEEDS]


@pytest.fixture(scope="module")
def sparse_paths() -> list[SparsePath]:
    return [sparse_path(by_sign, L1_LAMBDAS, seed) for seed in SEEDS]


@pytest.fixture(scope="module")
def networks() -> dict[float, list[NetworkRun]]:
    return {
        lam: [network_run(parameter_groups, lam, seed) for seed in SEEDS] for lam in NETWORK_LAMBDAS
    }


class TestTextbookExperiment:
    """λ = 3 seems to win by far, and predicting a constant is as good."""

    @pytest.mark.parametrize(
        ("start", "before", "without", "with_decay"),
        [
            ("N(0, 1)", (85, 115), (75, 105), (0.007, 0.018)),
            ("nn.Linear's", (0.14, 0.21), (0.13, 0.19), (0.007, 0.013)),
            ("zero", (0.009, 0.013), (0.008, 0.012), (0.007, 0.013)),
        ],
    )
    def test_errors(self, textbook, start, before, without, with_decay) -> None:
        for lam, (low, high) in ((0.0, without), (3.0, with_decay)):
            for run in textbook[start, lam]:
                assert before[0] < run.test[0] < before[1]
                assert low < run.test[-1] < high

    @pytest.mark.states(
        "| N(0, 1) | 100 | 89 | 0.0105 |",
        "| those of `nn.Linear` | 0.17 | 0.16 | 0.0095 |",
        "| zero | 0.011 | 0.010 | 0.0095 |",
        "| *predict 0.05 always* | | *0.010* | |",
        "And what remains, 0.0095 to 0.0105, is hardly better than the 0.010 of a constant",
        'the error of a "model" that predicts 0.05 for everything',
    )
    def test_means(self, textbook) -> None:
        def means(start: str, epoch: int) -> float:
            return mean(run.test[epoch] for run in textbook[start, 0.0])

        assert means("N(0, 1)", 0) == pytest.approx(100, abs=1)
        assert means("N(0, 1)", -1) == pytest.approx(89, abs=1)
        assert means("nn.Linear's", 0) == pytest.approx(0.17, abs=0.006)
        assert means("nn.Linear's", -1) == pytest.approx(0.16, abs=0.006)
        assert means("zero", 0) == pytest.approx(0.011, abs=0.0006)
        assert means("zero", -1) == pytest.approx(0.010, abs=0.0006)
        with_decay = {start: mean(run.test[-1] for run in textbook[start, 3.0]) for start in STARTS}
        assert with_decay["N(0, 1)"] == pytest.approx(0.0105, abs=0.0003)
        assert with_decay["nn.Linear's"] == pytest.approx(0.0095, abs=0.0003)
        assert with_decay["zero"] == pytest.approx(0.0095, abs=0.0003)
        constant = mean(run.constant for runs in textbook.values() for run in runs)
        assert constant == pytest.approx(0.010, abs=0.0006)
        assert CONSTANT == 0.05

    @pytest.mark.states(
        "There are 200 features and only 20 training samples",
        "averaged over 2,000 test samples",
        "in the at most 20 directions that these samples span",
        "almost nothing about 200 features can be learned",
    )
    def test_the_size_of_the_data(self) -> None:
        data = textbook_data(0)
        assert data.x_train.shape == (20, 200)
        assert len(data.x_test) == 2_000

    def test_every_unpenalised_fit_is_perfect_on_its_training_data(self, textbook) -> None:
        for start in STARTS:
            assert all(run.train < 1e-6 for run in textbook[start, 0.0])

    def test_the_constant_is_as_good(self, textbook) -> None:
        for runs in textbook.values():
            assert all(0.0085 < run.constant < 0.0115 for run in runs)
        for start in ("nn.Linear's", "zero"):
            ratios = [run.test[-1] / run.constant for run in textbook[start, 3.0]]
            assert all(0.8 < ratio < 1.2 for ratio in ratios)
            assert 0.0085 < mean(run.test[-1] for run in textbook[start, 3.0]) < 0.0105

    def test_in_some_seeds_the_constant_is_better(self, textbook) -> None:
        runs = textbook["nn.Linear's", 3.0]
        assert max(run.test[-1] / run.constant for run in runs) > 1.02

    def test_not_training_at_all_is_about_as_good_as_training_without_a_penalty(
        self, textbook
    ) -> None:
        """Nine tenths of the initial weights lie in directions that the data do not see."""
        for start in ("N(0, 1)", "nn.Linear's"):
            kept = [run.test[-1] / run.test[0] for run in textbook[start, 0.0]]
            assert 0.84 < mean(kept) < 0.97

    def test_from_zero_the_penalty_hardly_matters(self, textbook) -> None:
        pairs = zip(textbook["zero", 0.0], textbook["zero", 3.0], strict=True)
        ratios = [with_decay.test[-1] / without.test[-1] for without, with_decay in pairs]
        assert all(0.8 < ratio < 1.15 for ratio in ratios)


class TestHiddenPixel:
    """A setting in which the penalty learns better."""

    @pytest.mark.states("at most 60 % of the unpenalised fit's")
    def test_best_lambda_beats_both_in_every_seed(self, paths) -> None:
        for path in paths:
            best = path.test[path.chosen]
            assert best < 0.75 * path.constant
            assert best < 0.6 * path.unpenalised

    @pytest.mark.states(
        "On average the errors are about 0.5 with the penalty, 0.97 for the constant and above 1.8 without a penalty."
    )
    def test_numbers(self, paths) -> None:
        assert mean(path.test[path.chosen] for path in paths) == pytest.approx(0.5, abs=0.1)
        assert mean(path.constant for path in paths) == pytest.approx(0.97, abs=0.07)
        assert mean(path.unpenalised for path in paths) > 1.8
        assert all(path.unpenalised > 1.1 for path in paths)

    @pytest.mark.states("(10 every time)")
    def test_lambda_ten_is_chosen(self, paths) -> None:
        assert all(RIDGE_LAMBDAS[path.chosen] == 10.0 for path in paths)

    def test_sweep_goes_from_overfitting_to_underfitting(self, paths) -> None:
        for path in paths:
            assert path.train[0] < 0.01
            assert all(a <= b + 1e-9 for a, b in pairwise(path.train))
            assert path.test[0] > 1.5 * path.test[path.chosen]
            assert path.test[-1] > 1.5 * path.test[path.chosen]
            assert abs(path.test[-1] / path.constant - 1) < 0.02
            norms = [w.norm().item() for w in path.weights]
            assert all(a > b for a, b in pairwise(norms))


class TestDirections:
    """Ridge regression keeps s²/(s² + λ) of the unpenalised fit along each direction."""

    def test_the_formula_holds(self, seen) -> None:
        for one in seen:
            for lam, kept in one.kept.items():
                torch.testing.assert_close(kept, one.factor(lam), rtol=1e-6, atol=1e-6)

    @pytest.mark.states(
        "With $\\lambda = 10$ between 16 and 20 of the 39 directions keep more than half",
        "at most 6 % of the squared differences between the samples",
        "more than 80 % of the squared length of the weights",
    )
    def test_what_is_shrunk_most(self, seen) -> None:
        for one in seen:
            assert len(one.singular) == 39
            small = one.kept[10.0] < 0.5
            assert 16 <= int((~small).sum()) <= 20
            spread, length = one.singular**2, one.unpenalised**2
            assert spread[small].sum() / spread.sum() < 0.06
            assert length[small].sum() / length.sum() > 0.80


@pytest.mark.states(
    "differ by more than 1,",
    "both weights lie between 0.35 and 0.6",
    "the other lies between 0.8 and 0.95",
)
def test_l2_shares_between_copies_and_l1_chooses() -> None:
    chosen = set()
    for seed in SEEDS:
        fits = two_copies(ridge_solution, by_sign, seed)
        assert fits["no penalty"].diff().abs() > 1
        assert all(0.35 < w < 0.6 for w in fits["L2"])
        assert sorted(fits["L1"] == 0) == [False, True]
        assert 0.8 < fits["L1"].sum() < 0.95
        chosen.add(int(fits["L1"].argmax()))
    assert chosen == {0, 1}, "in some seeds the feature, in others its copy"


@pytest.mark.states("they differ by more than 20 %", "by more than 10 % (five seeds)")
def test_gradient_descent_with_weight_decay_meets_ridge() -> None:
    for seed in SEEDS:
        apart = descent_meets_ridge(ridge_solution, seed=seed)
        assert apart["½·mean, λ·n"] < 1e-8
        assert apart["MSELoss, λ·n/2"] < 1e-8
        assert apart["½·mean, λ"] > 0.2
        assert apart["MSELoss, λ·n"] > 0.1


class TestSparse:
    def test_l1_finds_the_support(self, sparse) -> None:
        for run in sparse:
            assert torch.equal(run.l1 != 0, run.true != 0)

    @pytest.mark.states(
        "more than 80 of them by more than 0.05", "between 30 and 80 % of the smallest of the ten"
    )
    def test_l2_does_not(self, sparse) -> None:
        for run in sparse:
            assert bool((run.l2 != 0).all())
            assert int((run.l2.abs() > 0.05).sum()) > 80
            smallest_right = run.l2[run.true != 0].abs().min().item()
            largest_wrong = run.l2[run.true == 0].abs().max().item()
            assert 0.3 < largest_wrong / smallest_right < 0.8

    @pytest.mark.states("are between 0.35 and 0.75 on average")
    def test_l1_shrinks_what_it_keeps(self, sparse) -> None:
        for run in sparse:
            kept = run.l1[run.true != 0].abs().mean().item()
            assert 0.35 < kept < 0.75


class TestPredictOrSelect:
    """The λ that predicts best is too small to select."""

    @pytest.mark.states(
        "The $\\lambda$ that predicts best is 0.02 or 0.05",
        "finds all ten and keeps between 20 and 72 of the 190 others",
    )
    def test_best_for_prediction_keeps_false_features(self, sparse_paths) -> None:
        for path in sparse_paths:
            assert L1_LAMBDAS[path.chosen] in (0.02, 0.05)
            assert path.found[path.chosen] == 10
            assert 20 <= path.others[path.chosen] <= 72 < 190

    @pytest.mark.states("From $\\lambda = 0.2$ on", "at 0.35 the error is more than three times")
    def test_best_for_selection_predicts_worse(self, sparse_paths) -> None:
        for path in sparse_paths:
            for lam, found, others in zip(L1_LAMBDAS, path.found, path.others, strict=True):
                assert found == 10
                assert (others == 0) == (lam >= 0.2)
            assert path.error[L1_LAMBDAS.index(0.35)] > 3 * path.error[path.chosen]


class TestPenaltyAndDecay:
    @pytest.mark.parametrize("optimizer", ["SGD", "SGD with momentum", "Adam"])
    @pytest.mark.states(
        "the two are the same to far below $10^{-6}$, in each of five seeds",
        "`Adam(weight_decay=λ)` is the penalty, to far below $10^{-6}$",
    )
    def test_the_same(self, optimizer) -> None:
        for seed in SEEDS:
            assert penalty_against_decay(l2_penalty, optimizer, seed) < 1e-6

    @pytest.mark.states("some weight differs by more than 0.1, in each of five seeds")
    def test_not_the_same_under_adam(self) -> None:
        for seed in SEEDS:
            assert penalty_against_decay(l2_penalty, "AdamW", seed) > 0.1


class TestNetwork:
    @pytest.mark.states(
        "the training accuracy is above 0.95, on labels that are partly random, and the test accuracy is only about 0.71"
    )
    def test_overfits_without(self, networks) -> None:
        for run in networks[0.0]:
            assert run.train > 0.95
            assert run.test < 0.79
        assert mean(run.test for run in networks[0.0]) == pytest.approx(0.71, abs=0.045)

    @pytest.mark.states(
        "choose (0.03 or 0.1), the test accuracy is higher by more than 5 points in every seed and by about 15 points on average"
    )
    def test_chosen_by_validation_is_better(self, networks) -> None:
        gains = []
        for seed in SEEDS:
            chosen = max(NETWORK_LAMBDAS, key=lambda lam: networks[lam][seed].val)
            assert chosen in (0.03, 0.1)
            gains.append(networks[chosen][seed].test - networks[0.0][seed].test)
        assert min(gains) > 0.05
        assert mean(gains) == pytest.approx(0.15, abs=0.04)

    def test_underfits_with_too_much(self, networks) -> None:
        assert all(run.train < 0.65 and run.test < 0.65 for run in networks[0.3])
        assert all(run.train < 0.25 and run.test < 0.25 for run in networks[1.0])

    @pytest.mark.states(
        "more than 20 % of the weights lie within 0.01 of zero, against less than 10 % (five seeds)"
    )
    def test_weights_shrink(self, networks) -> None:
        def small(run: NetworkRun) -> float:
            return (run.weights.abs() < 0.01).double().mean().item()

        for seed in SEEDS:
            norms = [networks[lam][seed].weights.norm().item() for lam in NETWORK_LAMBDAS]
            assert all(a > b for a, b in pairwise(norms))
            assert networks[0.0][seed].weights.norm() > 2 * networks[0.03][seed].weights.norm()
            assert small(networks[0.0][seed]) < 0.10
            assert small(networks[0.03][seed]) > 0.20


@pytest.mark.states(r"with the values 0.9, 0.999 and $10^{-8}$")
def test_the_usual_settings_of_adam() -> None:
    defaults = torch.optim.AdamW([torch.zeros(1)]).defaults
    assert (defaults["betas"], defaults["eps"]) == ((0.9, 0.999), 1e-8)
