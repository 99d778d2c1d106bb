"""The one table of the course: lessons, their points and minutes, their TODOs and checks.

Everything that names a lesson reads it here: the notebooks' headers and points, the navigation,
the README's table, ``course progress`` and the grader.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True)
class Todo:
    """One piece of work: what the student writes, and the check that judges it."""

    number: str
    """Lesson and position, such as ``"1.2"``; it stands in the notebook as ``TODO 1.2``."""
    check: str
    """The name of the check, such as ``"check_relu"``."""
    writes: str
    """The function or class that the student writes, as it reads in a message."""
    points: float
    face: str = ""
    """The public function that judges several TODOs by name, where there is one."""

    @property
    def call(self) -> str:
        """How a check cell begins, up to the student's own functions or classes."""
        if not self.face:
            return f"{self.check}("
        return f'{self.face}("{self.check.removeprefix(self.face + "_")}", '


@dataclass(frozen=True)
class Lesson:
    """One notebook of the course."""

    number: int
    slug: str
    title: str
    minutes: int
    difficulty: str
    importance: str
    needs: str
    todos: tuple[Todo, ...]
    question_points: float
    """Points for what is graded by hand: the thinking question, a report, explanations."""

    @property
    def folder(self) -> str:
        """The lesson's folder and nbgrader's name for the assignment."""
        return f"{self.number:02d}_{self.slug}"

    @property
    def points(self) -> float:
        return sum(todo.points for todo in self.todos) + self.question_points

    @property
    def available(self) -> bool:
        """Whether this copy of the course contains the lesson."""
        return find_spec(f"helpers.checks.{self.slug}") is not None


def _lesson(
    number: int,
    slug: str,
    title: str,
    minutes: int,
    difficulty: str,
    importance: str,
    needs: str,
    todos: list[tuple[str, str, float]],
    question_points: float = 4,
    face: str = "",
) -> Lesson:
    numbered = (
        Todo(f"{number}.{i}", check, writes, points, face)
        for i, (check, writes, points) in enumerate(todos, start=1)
    )
    return Lesson(
        number,
        slug,
        title,
        minutes,
        difficulty,
        importance,
        needs,
        tuple(numbered),
        question_points,
    )


_ALL = (
    _lesson(
        0,
        "start_here",
        "Start here",
        20,
        "easy",
        "essential",
        "Python, and having seen a linear layer trained once.",
        [
            ("check_numerical_gradient", "numerical_gradient", 1),
            ("check_count_parameters", "count_parameters", 1),
        ],
        question_points=2,
    ),
    _lesson(
        1,
        "activation_functions",
        "Activation functions",
        60,
        "easy to medium",
        "essential",
        "Lesson 00: checks, hints and the numerical gradient.",
        [
            ("check_activation_function", "MyReLU, MySigmoid and MyTanh", 2),
            ("check_relu", "MyReLU, strict", 1),
            ("check_sigmoid", "MySigmoid, strict", 2),
            ("check_tanh", "MyTanh, strict", 2),
            ("check_leaky_relu", "MyLeakyReLU", 1),
            ("check_gelu", "MyGELU", 2),
            ("check_silu", "MySiLU", 2),
            ("check_relu_autograd", "ReLUFunction", 2),
            ("check_collapse_linear_layers", "collapse_linear_layers", 2),
        ],
    ),
    _lesson(
        2,
        "vanishing_gradients",
        "Vanishing gradients",
        60,
        "medium",
        "essential",
        "Lesson 01: activation functions and their derivatives.",
        [
            ("check_network", "Network.forward", 3),
            ("check_gradient_magnitude_by_layer", "gradient_magnitude_by_layer", 3),
            ("check_initialization", "xavier_uniform_bound and kaiming_normal_std", 3),
            ("check_residual_block", "ResidualBlock", 3),
            ("check_clip_gradient_norm", "clip_gradient_norm", 4),
        ],
    ),
    _lesson(
        3,
        "dying_relu",
        "Dying ReLU",
        40,
        "medium",
        "useful",
        "Lesson 02: gradients by layer and initialisation.",
        [
            ("check_dead_fraction", "zero_rate and dead_fraction", 3),
            ("check_record_activations", "record_activations", 5),
        ],
    ),
    _lesson(
        4,
        "weight_decay",
        "Weight decay: L1, L2 and AdamW",
        75,
        "medium to hard",
        "essential",
        "Lesson 02: optimisers' steps and gradients.",
        [
            ("check_penalties", "l1_penalty and l2_penalty", 3),
            ("check_sgd_step", "sgd_step", 3),
            ("check_weight_decay_for", "weight_decay_for", 2),
            ("check_parameter_groups", "parameter_groups", 4),
            ("check_adamw_step", "adamw_step", 3),
            ("check_soft_threshold", "soft_threshold", 2),
            ("check_ridge_solution", "ridge_solution", 3),
        ],
    ),
    _lesson(
        5,
        "dropout",
        "Dropout",
        60,
        "medium",
        "essential",
        "Lesson 04: what overfitting is and how it is measured.",
        [
            ("check_dropout_layer", "dropout_layer", 3),
            ("check_numpy_dropout", "NumpyDropout", 4),
            ("check_dropout_module", "MyDropout", 4),
            ("check_mc_dropout", "mc_dropout_predict", 5),
        ],
    ),
    _lesson(
        6,
        "batch_normalization",
        "Batch normalisation",
        75,
        "hard",
        "essential",
        "Lessons 02 and 05: vanishing gradients; training and evaluation mode.",
        [
            ("check_batchnorm_forward", "batchnorm_forward", 3),
            ("check_batchnorm_backward", "batchnorm_backward", 4),
            ("check_batchnorm1d", "MyBatchNorm1d", 4),
            ("check_batchnorm2d", "MyBatchNorm2d", 4),
            ("check_layer_norm", "MyLayerNorm", 4),
            ("check_fold_batchnorm", "fold_batchnorm", 3),
        ],
    ),
    _lesson(
        7,
        "mixup_and_cutout",
        "Mixup, cutout and early stopping",
        50,
        "medium",
        "useful",
        "Lesson 05: regularisation under label noise.",
        [
            ("check_mixup", "mixup", 3),
            ("check_cutout", "cutout", 3),
            ("check_smooth_labels", "smooth_labels", 2),
            ("check_soft_cross_entropy", "soft_cross_entropy", 2),
            ("check_early_stopping", "EarlyStopping", 2),
        ],
    ),
    _lesson(
        8,
        "weight_and_spectral_norm",
        "Weight norm and spectral norm",
        45,
        "medium to hard",
        "optional",
        "Lessons 04 and 06: penalties, and modules with state.",
        [
            ("check_weight_norm_linear", "WeightNormLinear", 3),
            ("check_power_iteration", "power_iteration", 2),
            ("check_spectral_norm_linear", "SpectralNormLinear", 3),
            ("check_max_norm", "apply_max_norm", 2),
        ],
    ),
    _lesson(
        9,
        "capstone",
        "Capstone: a residual network",
        60,
        "hard",
        "useful",
        "Lessons 02 to 08: residual connections, weight decay, BatchNorm, augmentation.",
        [
            ("check_basic_block", "BasicBlock", 4),
            ("check_configure_training", "configure_training", 4),
            ("check_capstone", "build_model, with BasicBlock and configure_training", 6),
        ],
        question_points=6,
    ),
    _lesson(
        10,
        "bug_clinic",
        "The bug clinic",
        60,
        "hard",
        "useful",
        "Lessons 01, 04, 05 and 06: activations, penalties, dropout and BatchNorm.",
        [
            ("check_bug_clinic_tanh", "repaired_tanh", 1),
            ("check_bug_clinic_sigmoid", "repaired_sigmoid", 1),
            ("check_bug_clinic_relu", "repaired_relu", 1),
            ("check_bug_clinic_dropout", "RepairedClassifier", 1),
            ("check_bug_clinic_mask", "repaired_mask", 1),
            ("check_bug_clinic_norms", "repaired_penalty", 1),
            ("check_bug_clinic_decay", "repaired_descent", 1),
            ("check_bug_clinic_outputs", "RepairedRegressor", 1),
            ("check_bug_clinic_losses", "repaired_loss", 1),
            ("check_bug_clinic_deaths", "RepairedCensus", 1),
            ("check_bug_clinic_batchnorm", "repaired_fit", 1),
            ("check_bug_clinic_choice", "repaired_choice", 1),
        ],
        question_points=12,
        face="check_bug_clinic",
    ),
)

LESSONS: tuple[Lesson, ...] = tuple(lesson for lesson in _ALL if lesson.available)
"""The lessons that this copy of the course contains, in order."""


def lesson(key: str | int) -> Lesson:
    """The lesson with this number, slug or folder name.

    >>> lesson("start_here").folder
    '00_start_here'
    """
    for candidate in LESSONS:
        if key in (candidate.number, candidate.slug, candidate.folder):
            return candidate
    known = ", ".join(candidate.folder for candidate in LESSONS)
    raise KeyError(f"There is no lesson {key!r}. The lessons are: {known}.")


def todo_of(check: str) -> Todo:
    """The TODO that a check judges, by the check's name.

    >>> todo_of("check_relu").number
    '1.2'
    """
    for candidate in LESSONS:
        for todo in candidate.todos:
            if todo.check == check:
                return todo
    raise KeyError(f"No lesson has a TODO that is judged by {check!r}.")


def lessons_table(folder: str) -> str:
    """The table of all lessons in Markdown; `folder` is where the lessons' folders lie.

    >>> print(lessons_table("../").splitlines()[2])
    | 00 | [Start here](../00_start_here/start_here.ipynb) | 20 | easy | essential | 4 |
    """
    rows = [
        "| | Lesson | Minutes | Difficulty | Importance | Points |",
        "|--:|---|--:|---|---|--:|",
    ]
    for one in LESSONS:
        where = f"{folder}{one.folder}/{one.slug}.ipynb"
        rows.append(
            f"| {one.number:02d} | [{one.title}]({where}) | {one.minutes} "
            f"| {one.difficulty} | {one.importance} | {one.points:g} |"
        )
    minutes, points = sum(x.minutes for x in LESSONS), sum(x.points for x in LESSONS)
    rows.append(f"| | all | {minutes} | | | {points:g} |")
    return "\n".join(rows)
