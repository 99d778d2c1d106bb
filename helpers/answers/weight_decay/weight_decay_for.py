"""The weight decay that equals a penalty: right and wrong answers."""

from __future__ import annotations

from typing import Any

from helpers.checking.check import Answers, Misconception

FACTORS = {"half_squared": 1.0, "squared": 2.0}


def weight_decay_for(lam: float, penalty: str) -> float:
    if penalty not in FACTORS:
        raise ValueError(f"There is no penalty {penalty!r}.")
    return lam * FACTORS[penalty]


def by_cases(lam: float, penalty: str) -> float:
    match penalty:
        case "half_squared":
            return lam
        case "squared":
            return lam + lam
        case _:
            raise ValueError(penalty)


def by_dictionary(lam: float, penalty: str) -> float:
    try:
        return {"half_squared": lam, "squared": 2 * lam}[penalty]
    except KeyError as error:
        raise ValueError("unknown penalty") from error


def _factors(half: float, whole: float) -> Any:
    def function(lam: float, penalty: str) -> float:
        weight_decay_for(lam, penalty)
        return lam * (half if penalty == "half_squared" else whole)

    return function


def _squares(lam: float, penalty: str) -> float:
    return weight_decay_for(lam, penalty) * lam


def _key_error(lam: float, penalty: str) -> float:
    return lam * FACTORS[penalty]


def _returns_none(lam: float, penalty: str) -> Any:
    if penalty in FACTORS:
        return weight_decay_for(lam, penalty)
    return None


def _else(lam: float, penalty: str) -> float:
    return lam if penalty == "half_squared" else 2 * lam


def _friendly(lam: float, penalty: str) -> float:
    return weight_decay_for(lam, str(penalty).strip().lower().replace(" ", "_"))


def _by_last_word(lam: float, penalty: str) -> float:
    if str(penalty).startswith("half"):
        return lam
    return weight_decay_for(lam, penalty)


def _strips(lam: float, penalty: Any) -> float:
    return weight_decay_for(lam, penalty.strip() if isinstance(penalty, str) else penalty)


def by_place(lam: float, penalty: str) -> float:
    """`index` raises the ValueError by itself."""
    return lam * (1 + ["half_squared", "squared"].index(penalty))


def _asserts(lam: float, penalty: str) -> float:
    assert penalty in FACTORS, "unknown penalty"
    return lam * FACTORS[penalty]


def _returns_error(lam: float, penalty: str) -> Any:
    return _returns_none(lam, penalty) if penalty in FACTORS else ValueError(penalty)


ANSWERS = Answers(
    reference=weight_decay_for,
    variants={
        "match": by_cases,
        "a dictionary": by_dictionary,
        "place in a list": by_place,
        "always a float": lambda lam, penalty: float(weight_decay_for(lam, penalty)),
    },
    misconceptions=(
        Misconception(
            "swapped",
            _factors(2.0, 1.0),
            "You doubled λ for the penalty with the ½ and not for the one without.",
            "Differentiate both: ½λw² gives λw, and λw² gives 2λw.",
        ),
        Misconception(
            "always-lambda",
            _factors(1.0, 1.0),
            "You return λ for both penalties.",
            "Differentiate λw²: what comes before w?",
        ),
        Misconception(
            "always-doubled",
            _factors(2.0, 2.0),
            "You return 2λ for both penalties.",
            "Differentiate ½λw²: the 2 cancels the ½.",
        ),
        Misconception(
            "half-kept",
            _factors(0.5, 1.0),
            "Your numbers are the factors of the penalties, and the factors of their gradients are meant.",
            "weight_decay multiplies w in the gradient, so differentiate first.",
        ),
        Misconception(
            "half-and-double",
            _factors(0.5, 2.0),
            "For ½λ‖w‖² you return λ/2: you kept the ½, which the 2 of the square cancels.",
            "Differentiate ½λw².",
        ),
        Misconception(
            "divided",
            _factors(1.0, 0.5),
            "For λ‖w‖² you return λ/2, the wrong way round.",
            "The gradient of λw² is 2λw, so the decay is larger than λ.",
        ),
        Misconception(
            "lambda-squared",
            _squares,
            "You square λ; the square belongs to the weights.",
            "The gradient is linear in λ.",
        ),
        Misconception(
            "key-error",
            _key_error,
            "For an unknown penalty your code raises KeyError.",
            "Test whether the name is known, and raise ValueError with a message otherwise.",
        ),
        Misconception(
            "returns-none",
            _returns_none,
            "For an unknown penalty your code returns None without a word.",
            "End the function with raise ValueError(...).",
        ),
        Misconception(
            "everything-else-is-squared",
            _else,
            "Any other word counts as 'squared' in your code, so a misspelt name goes unnoticed.",
            "Test for both names, and raise ValueError after that.",
        ),
        Misconception(
            "forgives-spelling",
            _friendly,
            "Your code accepts other spellings, such as 'Squared'.",
            "Only the two exact names are allowed.",
        ),
        Misconception(
            "first-letters",
            _by_last_word,
            "Every word that begins with 'half' counts as 'half_squared' in your code.",
            "Compare the whole name with ==.",
        ),
        Misconception(
            "strips-spaces",
            _strips,
            "Your code strips spaces, so ' squared' counts as 'squared'.",
            "Compare the name as it is given with ==.",
        ),
        Misconception(
            "asserts",
            _asserts,
            "For an unknown penalty your code raises AssertionError.",
            "Use raise ValueError(...); assertions can be switched off.",
        ),
        Misconception(
            "returns-error",
            _returns_error,
            "Your code returns the error instead of raising it, so nobody notices.",
            "Write raise ValueError(...), not return.",
        ),
    ),
)
