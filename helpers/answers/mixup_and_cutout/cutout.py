"""Cutout: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor


def reference(images: Tensor, size: int, centers: Any) -> Tensor:
    """One pixel at a time, from the definition."""
    mask = torch.ones(images.shape, dtype=images.dtype, device=images.device)
    for n, (row, column) in enumerate(centers):
        for i in range(int(row) - size // 2, int(row) - size // 2 + size):
            for j in range(int(column) - size // 2, int(column) - size // 2 + size):
                if 0 <= i < images.shape[2] and 0 <= j < images.shape[3]:
                    mask[n, :, i, j] = 0
    return images * mask


def _cut(start: Any, end: Any, length: int) -> Any:
    return slice(max(start, 0), min(end, length))


def _zero(image: Tensor, rows: Any, columns: Any, value: Any) -> None:
    image[:, rows, columns] = value


def covering(
    begin: Any = lambda images: images.clone(),
    chosen: Any = lambda centers, i: [centers[i]],
    number: Any = int,
    order: Any = lambda row, column: (row, column),
    side: Any = lambda size: size,
    start: Any = lambda at, size: at - size // 2,
    end: Any = lambda at, size: at - size // 2 + size,
    lengths: Any = lambda c, h, w: (h, w),
    fits: Any = lambda start, end, length: True,
    clip: Any = _cut,
    value: Any = lambda images, image: 0.0,
    cover: Any = _zero,
    result: Any = lambda covered, images: covered,
) -> Any:
    """Slices of a copy from their parts."""

    def cutout(images: Tensor, size: int, centers: Any) -> Any:
        covered, size = begin(images), side(size)
        shape = lengths(*images.shape[1:])
        for i in range(len(images)):
            for pair in chosen(centers, i):
                at = order(*(number(n) for n in pair))
                spans = [(start(a, size), end(a, size), n) for a, n in zip(at, shape, strict=True)]
                if all(fits(*span) for span in spans):
                    rows, columns = (clip(*span) for span in spans)
                    cover(covered[i], rows, columns, value(images, images[i]))
        return result(covered, images)

    return cutout


by_slices = covering()


def by_mask(images: Tensor, size: int, centers: Any) -> Tensor:
    """Comparisons for all images together."""
    centers = torch.as_tensor(centers, device=images.device)
    height, width = images.shape[2:]
    top, left = centers[:, 0, None] - size // 2, centers[:, 1, None] - size // 2
    rows = torch.arange(height, device=images.device)
    columns = torch.arange(width, device=images.device)
    in_rows = (rows >= top) & (rows < top + size)
    in_columns = (columns >= left) & (columns < left + size)
    inside = in_rows[:, None, :, None] & in_columns[:, None, None, :]
    return torch.where(inside, torch.zeros_like(images), images)


def by_padding(images: Tensor, size: int, centers: Any) -> Tensor:
    """Squares never meet the border of an image with a wide margin."""
    n, c, height, width = images.shape
    wide = images.new_zeros(n, c, height + 2 * size, width + 2 * size)
    wide[:, :, size : size + height, size : size + width] = images
    for i, (row, column) in enumerate(centers):
        top, left = int(row) - size // 2 + size, int(column) - size // 2 + size
        wide[i, :, top : top + size, left : left + size] = 0
    return wide[:, :, size : size + height, size : size + width]


def as_the_authors_print_it(images: Tensor, length: int, centers: Any) -> Tensor:
    """A NumPy mask and np.clip, with the end counted from the start."""
    n, _, h, w = images.shape
    mask = np.ones((n, 1, h, w), np.float32)
    for i in range(n):
        y, x = int(centers[i][0]), int(centers[i][1])
        y1, x1 = np.clip(y - length // 2, 0, h), np.clip(x - length // 2, 0, w)
        y2, x2 = np.clip(y - length // 2 + length, 0, h), np.clip(x - length // 2 + length, 0, w)
        mask[i, :, y1:y2, x1:x2] = 0.0
    return images * torch.from_numpy(mask).to(images).expand_as(images)


def with_rounded_up_end(images: Tensor, size: int, centers: Any) -> Tensor:
    covered = []
    for image, (row, column) in zip(images, centers, strict=True):
        mask = torch.ones_like(image)
        low, high = size // 2, (size + 1) // 2
        top, left = max(0, int(row) - low), max(0, int(column) - low)
        mask[..., top : int(row) + high, left : int(column) + high].fill_(0)
        covered.append(image * mask)
    return torch.stack(covered)


def _modulo(start: Any, end: Any, length: int) -> Any:
    return [k % length for k in range(start, end)]


def _moved(start: Any, end: Any, length: int) -> Any:
    begin = min(max(start, 0), max(length - (end - start), 0))
    return slice(begin, begin + (end - start))


def _whole(image: Tensor, rows: Any, columns: Any, value: Any) -> None:
    image[:, rows] = value
    image[:, :, columns] = value


def _inverse(image: Tensor, rows: Any, columns: Any, value: Any) -> None:
    inside = torch.zeros(image.shape[1:], dtype=torch.bool)
    inside[rows, columns] = True
    image[:, ~inside] = value


def _centre_moved(less: int) -> Any:
    """A centre that is moved inside, before the square is cut."""

    def clip(start: Any, end: Any, length: int) -> Any:
        half = (end - start) // 2
        at = min(max(start + half, half), length - half - less)
        return slice(at - half, at - half + end - start)

    return clip


def _first(image: Tensor, rows: Any, columns: Any, value: Any) -> None:
    image[0, rows, columns] = value


def _modulo_grid(image: Tensor, rows: Any, columns: Any, value: Any) -> None:
    """As `_zero`, for rows and columns as lists too."""
    for row in rows if isinstance(rows, list) else [rows]:
        image[:, row, columns] = value


def _drawn(centers: Any, i: int) -> Any:
    return [torch.randint(4, (2,)).tolist()]


def without_graph(cutout: Any) -> Any:
    return lambda images, size, centers: cutout(images.detach(), size, centers)


def changing_centers(cutout: Any) -> Any:
    def changed(images: Tensor, size: int, centers: Any) -> Any:
        result = cutout(images, size, centers)
        if isinstance(centers, Tensor):
            centers -= size // 2
        else:
            centers[:] = [(row - size // 2, column - size // 2) for row, column in centers]
        return result

    return changed


ANSWERS = Answers(
    recipe=Recipe(covering),
    reference=reference,
    variants={
        "slices": by_slices,
        "a mask from comparisons": by_mask,
        "a wide margin": by_padding,
        "as the authors print it: a NumPy mask": as_the_authors_print_it,
        "one image at a time, with a rounded-up end": with_rounded_up_end,
    },
    slips=(
        # Which square.
        slip(
            "row-and-column-swapped",
            "You took the first number of a centre for the column, and it is the row.",
            "A centre is (row, column), in the order of the last two axes of images.",
            order=lambda row, column: (column, row),
        ),
        slip(
            "row-for-both",
            "You use one of the two numbers of a centre for both axes.",
            "The rows belong to the first number, the columns to the second.",
            {"order": lambda row, column: (row, row)},
            {"order": lambda row, column: (column, column)},
        ),
        slip(
            "corner-for-centre",
            "Your square begins at the centre instead of lying around it.",
            "Begin at row - size // 2, and the same for the column.",
            start=lambda at, size: at,
            end=lambda at, size: at + size,
        ),
        slip(
            "quarter-of-the-square",
            "Your square begins at the centre and ends half a size later.",
            "Begin at row - size // 2, and the same for the column.",
            {"start": lambda at, size: at},
            {"start": lambda at, size: at, "end": lambda at, size: at + size // 2},
            {"start": lambda at, size: at, "end": lambda at, size: at + size // 2 + 1},
        ),
        slip(
            "odd-size-too-small",
            "You cut size // 2 rows on each side, so an odd size loses one row and one column.",
            "Count size rows from the start on: the end is row - size // 2 + size.",
            end=lambda at, size: at + size // 2,
        ),
        slip(
            "even-size-too-large",
            "You cut from row - size // 2 to row + size // 2 with the last one included, which "
            "is one too many for an even size.",
            "Count size rows from the start on: the end is row - size // 2 + size.",
            end=lambda at, size: at + size // 2 + 1,
        ),
        slip(
            "even-size-shifted",
            "For an even size your square lies one pixel too far down and to the right.",
            "Begin at row - size // 2.",
            start=lambda at, size: at - (size - 1) // 2,
            end=lambda at, size: at - (size - 1) // 2 + size,
        ),
        slip(
            "odd-size-shifted",
            "For an odd size your square lies one pixel too far up and to the left.",
            "Half a size is rounded down: size // 2.",
            start=lambda at, size: at - (size + 1) // 2,
            end=lambda at, size: at - (size + 1) // 2 + size,
        ),
        slip(
            "half-rounded-to-even",
            "You round half a size with round(), which goes to the even neighbour: 1.5 becomes 2, "
            "and 2.5 becomes 2 as well.",
            "Half a size is rounded down: size // 2.",
            {
                "start": lambda at, size: at - round(size / 2),
                "end": lambda at, size: at - round(size / 2) + size,
            },
            {
                "start": lambda at, size: at - round(size / 2),
                "end": lambda at, size: at + round(size / 2),
            },
        ),
        slip(
            "half-is-a-float",
            "You divide with /, and the result is a float, with which nothing can be sliced.",
            "Half a size is a whole number: size // 2.",
            {"start": lambda at, size: at - size / 2, "end": lambda at, size: at + size / 2},
            {"start": lambda at, size: at - size / 2, "end": lambda at, size: at - size / 2 + size},
        ),
        slip(
            "one-row-short",
            "Your square ends one row and one column too early.",
            "The end of a slice is not included: it is row - size // 2 + size.",
            end=lambda at, size: at - size // 2 + size - 1,
        ),
        slip(
            "one-row-more",
            "Your square ends one row and one column too late.",
            "The end of a slice is not included: it is row - size // 2 + size.",
            end=lambda at, size: at - size // 2 + size + 1,
        ),
        slip(
            "end-from-centre",
            "You count the size from the centre on, so your square is half a size too large.",
            "Count from the start on: the end is row - size // 2 + size.",
            end=lambda at, size: at + size,
        ),
        slip(
            "size-as-radius",
            "You go a whole size to each side, and half of it is meant.",
            "Begin at row - size // 2, and count size rows from there on.",
            {"start": lambda at, size: at - size, "end": lambda at, size: at + size},
            {"start": lambda at, size: at - size, "end": lambda at, size: at + size + 1},
        ),
        family(
            "fixed-size",
            "Your square has the size {constant}, whatever size is.",
            "Use the argument size.",
            (1, 2, 3, 4, 5, 6, 8, 16),
            lambda c: {"side": lambda size: c},
        ),
        slip(
            "first-centre",
            "You used one centre for all images, the first one or the last one.",
            "Image i has the centre centers[i].",
            {"chosen": lambda centers, i: [centers[0]]},
            {"chosen": lambda centers, i: [centers[-1]]},
        ),
        slip(
            "all-centres",
            "You covered the squares of all centres in every image.",
            "Image i has one square only, at centers[i].",
            chosen=lambda centers, i: centers,
        ),
        slip(
            "one-image-only",
            "You covered a square in one image only, the first one or the last one.",
            "Go through all images; return after the loop, and not inside of it.",
            {"chosen": lambda centers, i: [centers[0]] if i == 0 else []},
            {"chosen": lambda centers, i: [centers[-1]] if i == len(centers) - 1 else []},
        ),
        slip(
            "draws-centres",
            "You drew centres of your own, and they are given.",
            "Drawing belongs to the caller; use the argument centers.",
            chosen=_drawn,
        ),
        slip(
            "needs-a-tensor",
            "Your code needs centres in a tensor, and a list of pairs is allowed too.",
            "Loop over centers, or begin with centers = torch.as_tensor(centers).",
            chosen=lambda centers, i: [(centers[:, 0][i], centers[:, 1][i])],
        ),
        slip(
            "unsigned-centres",
            "You subtract from centres as they come, and numbers of the dtype uint8 cannot become "
            "negative.",
            "Make an int of each number: int(row).",
            number=lambda n: n,
        ),
        # The border.
        slip(
            "negative-start",
            "Near the upper or left border your slice begins at a negative number, which Python "
            "counts from the end.",
            "Begin at max(row - size // 2, 0).",
            clip=lambda start, end, length: slice(start, end),
        ),
        slip(
            "end-after-clipping",
            "You compute the end from a start that is clipped already, so a square at the upper or "
            "left border is too large.",
            "Compute the end before you change the beginning.",
            clip=lambda start, end, length: slice(max(start, 0), max(start, 0) + end - start),
        ),
        slip(
            "wraps-around",
            "What leaves the image on one side of your square comes in on the other side.",
            "Leave out the rows and columns that lie outside.",
            clip=_modulo,
            cover=_modulo_grid,
        ),
        slip(
            "negative-index",
            "Pixels with a negative row or column are covered from the other end of the image, from "
            "which Python counts them.",
            "Cover a pixel only where 0 <= row < H and 0 <= column < W.",
            clip=lambda start, end, length: list(range(start, min(end, length))),
            cover=_modulo_grid,
        ),
        slip(
            "moved-inside",
            "You moved a square that reaches over the border, so that all of it lies inside.",
            "Keep the centre and cut the square at the border; a smaller hole is meant.",
            {"clip": _moved},
            {"clip": _centre_moved(0)},
            {"clip": _centre_moved(1)},
        ),
        slip(
            "skips-border",
            "You leave an image as it is when its square reaches over the border.",
            "Cut the square at the border and cover what lies inside.",
            {"fits": lambda start, end, length: start >= 0 and end <= length},
            {"fits": lambda start, end, length: start >= 0 and end < length},
        ),
        slip(
            "skips-upper-border",
            "You leave an image as it is when its square reaches over the upper or left border.",
            "Cut the square at the border and cover what lies inside.",
            fits=lambda start, end, length: start >= 0,
        ),
        slip(
            "last-row-spared",
            "You clip the end of the square to H - 1 and W - 1, so the last row and column stay.",
            "The end of a slice is not included: clip it to H and W.",
            clip=lambda start, end, length: slice(max(start, 0), min(end, length - 1)),
        ),
        slip(
            "first-row-spared",
            "Your square never covers the first row and the first column of an image.",
            "The first row is row 0: clip the start to 0.",
            clip=lambda start, end, length: slice(max(start, 1), end),
        ),
        slip(
            "lengths-mixed-up",
            "You clip rows and columns at the wrong lengths of the image.",
            "Rows are the axis 2 and columns the axis 3: N, C, H, W = images.shape.",
            {"lengths": lambda c, h, w: (h, h)},
            {"lengths": lambda c, h, w: (w, w)},
            {"lengths": lambda c, h, w: (w, h)},
            {"lengths": lambda c, h, w: (c, h)},
        ),
        # What is done there.
        slip(
            "first-channel",
            "You covered the square in the first channel only.",
            "Zero all channels: result[i, :, rows, columns].",
            cover=_first,
        ),
        slip(
            "channels-taken-for-rows",
            "You index the channels as if they were rows, and the rows as columns.",
            "An image has the axes C, H, W: write a colon for the channels, result[i, :, rows, columns].",
            cover=lambda image, rows, columns, value: image[rows, columns].fill_(value),
        ),
        slip(
            "inverted",
            "You kept the square and zeroed everything around it.",
            "The square is what is zeroed.",
            cover=_inverse,
        ),
        slip(
            "whole-rows",
            "You zeroed whole rows or whole columns instead of a square.",
            "Select rows and columns in one index: result[i, :, rows, columns].",
            {"cover": _whole},
            {"cover": lambda image, rows, columns, value: image[:, rows].fill_(value)},
            {"cover": lambda image, rows, columns, value: image[:, :, columns].fill_(value)},
        ),
        slip(
            "writes-into-a-copy",
            "Nothing is covered: you write into a copy, or into a variable of the loop.",
            "Write into the result itself: result[i, :, rows, columns] = 0.",
            cover=lambda image, rows, columns, value: None,
        ),
        slip(
            "fills-with-mean",
            "You filled the square with the mean of the images.",
            "Fill it with 0, which is the mean already where images are standardised.",
            {"value": lambda images, image: float(images.mean())},
            {"value": lambda images, image: images.mean()},
            {"value": lambda images, image: float(image.mean())},
            {"value": lambda images, image: image.mean()},
        ),
        slip(
            "fills-with-noise",
            "You filled the square with random numbers.",
            "Fill it with 0.",
            {"value": lambda images, image: torch.rand(1).item()},
            {"value": lambda images, image: torch.randn(1).item()},
        ),
        family(
            "fills-with-a-number",
            "You filled the square with {constant}.",
            "Fill it with 0.",
            (1.0, 0.5, -1.0, 127.0, 127.5, 128.0, 255.0),
            lambda c: {"value": lambda images, image: c},
        ),
        # What comes back.
        slip(
            "returns-mask",
            "You return the mask of zeros and ones.",
            "Multiply the images with it, or write zeros into a copy of them.",
            begin=torch.ones_like,
        ),
        slip(
            "everything-zero",
            "Your result is zero outside of the square as well.",
            "Begin with a copy of the images: images.clone().",
            begin=torch.zeros_like,
        ),
        slip(
            "in-place",
            "Your code covers the images that it was given.",
            "Begin with result = images.clone().",
            begin=lambda images: images,
        ),
        slip(
            "in-place-by-data",
            "Your code covers the images that it was given, past autograd, by .data or detach().",
            "Begin with result = images.clone().",
            begin=lambda images: images.detach(),
        ),
        slip(
            "cut-off",
            "Your result is cut off from the images, by detach() or .data or no_grad().",
            "Compute with a clone of the images themselves.",
            around=without_graph,
        ),
        slip(
            "changes-centers",
            "Your code changes the centres that it was given.",
            "Write the corners into new variables.",
            around=changing_centers,
        ),
        slip(
            "float32",
            "Your result is always float32.",
            "Keep the dtype of the images.",
            result=lambda covered, images: covered.float(),
        ),
        slip(
            "only-inside",
            "You return one image, and the whole batch is meant.",
            "Return after the loop all images, of the shape (N, C, H, W).",
            {"result": lambda covered, images: covered[0]},
            {"result": lambda covered, images: covered[-1]},
        ),
        slip(
            "returns-list",
            "You return a list of images, and a tensor is meant.",
            "torch.stack makes one tensor of a list of images.",
            result=lambda covered, images: list(covered),
        ),
        slip(
            "returns-nothing",
            "Your function returns nothing.",
            "End it with `return result`.",
            result=lambda covered, images: None,
        ),
        slip(
            "mask-on-cpu",
            "You made the mask on the CPU, also when the images lie on a GPU.",
            "Make it with torch.ones_like(images), which takes over the device.",
            begin=lambda images: torch.ones(images.shape, dtype=images.dtype),
            result=lambda covered, images: images * covered,
        ),
    ),
)
