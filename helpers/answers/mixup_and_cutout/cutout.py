"""Cutout: right and wrong answers."""

from __future__ import annotations

import torch

from helpers.checking.check import Answers, Misconception


def cutout(images, size, centers):
    """One pixel at a time, from the definition."""
    mask = torch.ones(images.shape, dtype=images.dtype, device=images.device)
    for n, (row, column) in enumerate(centers):
        for i in range(int(row) - size // 2, int(row) - size // 2 + size):
            for j in range(int(column) - size // 2, int(column) - size // 2 + size):
                if 0 <= i < images.shape[2] and 0 <= j < images.shape[3]:
                    mask[n, :, i, j] = 0
    return images * mask


def _covered(images, centers, rows, columns, value=0.0):
    """Set to `value` what the slices that `rows` and `columns` make of a centre select."""
    result = images.clone()
    height, width = images.shape[2:]
    for image, (row, column) in zip(result, centers, strict=True):
        image[:, rows(int(row), height), columns(int(column), width)] = value
    return result


def _from_to(size):
    def select(at, length):
        start = at - size // 2
        return slice(max(start, 0), max(min(start + size, length), 0))

    return select


def by_slices(images, size, centers):
    return _covered(images, centers, _from_to(size), _from_to(size))


def _inside(images, size, centers, start=lambda at, size: at - size // 2):
    """Where the squares lie: (N, H, W)."""
    centers = torch.as_tensor(centers, device=images.device)
    height, width = images.shape[2:]
    top, left = start(centers[:, 0, None], size), start(centers[:, 1, None], size)
    rows = torch.arange(height, device=images.device)
    columns = torch.arange(width, device=images.device)
    in_rows = (rows >= top) & (rows < top + size)
    in_columns = (columns >= left) & (columns < left + size)
    return in_rows[:, :, None] & in_columns[:, None, :]


def by_mask(images, size, centers):
    return images.masked_fill(_inside(images, size, centers)[:, None], 0.0)


def by_where(images, size, centers):
    inside = _inside(images, size, centers)[:, None]
    return torch.where(inside, torch.zeros_like(images), images)


def by_padding(images, size, centers):
    """Squares never meet the border of an image with a wide margin."""
    n, c, height, width = images.shape
    wide = torch.zeros(n, c, height + 2 * size, width + 2 * size, dtype=images.dtype)
    wide = wide.to(images.device)
    wide[:, :, size : size + height, size : size + width] = images
    for i, (row, column) in enumerate(centers):
        top, left = int(row) - size // 2 + size, int(column) - size // 2 + size
        wide[i, :, top : top + size, left : left + size] = 0
    return wide[:, :, size : size + height, size : size + width]


def _swapped(images, size, centers):
    return by_slices(images, size, [(column, row) for row, column in centers])


def _corner(images, size, centers):
    select = lambda at, length: slice(at, at + size)  # noqa: E731
    return _covered(images, centers, select, select)


def _half_each_side(images, size, centers):
    half = size // 2
    select = lambda at, length: slice(max(at - half, 0), at + half)  # noqa: E731
    return _covered(images, centers, select, select)


def _one_more(images, size, centers):
    half = size // 2
    select = lambda at, length: slice(max(at - half, 0), at + half + 1)  # noqa: E731
    return _covered(images, centers, select, select)


def _even_shifted(images, size, centers):
    def start(at, size):
        return at - (size - 1) // 2

    inside = _inside(images, size, centers, start)
    return images.masked_fill(inside[:, None], 0.0)


def _wraps(images, size, centers):
    def select(at, length):
        return slice(at - size // 2, at - size // 2 + size)

    return _covered(images, centers, select, select)


def _wraps_around(images, size, centers):
    def select(at, length):
        return [(at - size // 2 + k) % length for k in range(size)]

    result = images.clone()
    for image, (row, column) in zip(result, centers, strict=True):
        rows, columns = select(int(row), image.shape[1]), select(int(column), image.shape[2])
        for i in rows:
            image[:, i, columns] = 0
    return result


def _moved_inside(images, size, centers):
    def select(at, length):
        start = min(max(at - size // 2, 0), max(length - size, 0))
        return slice(start, start + size)

    return _covered(images, centers, select, select)


def _skips_border(images, size, centers):
    result = images.clone()
    height, width = images.shape[2:]
    for image, (row, column) in zip(result, centers, strict=True):
        top, left = int(row) - size // 2, int(column) - size // 2
        if top >= 0 and left >= 0 and top + size <= height and left + size <= width:
            image[:, top : top + size, left : left + size] = 0
    return result


def _spares_last(images, size, centers):
    def select(at, length):
        start = at - size // 2
        return slice(max(start, 0), min(start + size, length - 1))

    return _covered(images, centers, select, select)


def _height_for_width(images, size, centers):
    height = images.shape[2]
    return _covered(images, centers, _from_to(size), lambda at, length: _from_to(size)(at, height))


def _first_channel(images, size, centers):
    inside = _inside(images, size, centers)
    result = images.clone()
    result[:, 0] = result[:, 0].masked_fill(inside, 0.0)
    return result


def _first_centre(images, size, centers):
    return by_slices(images, size, [centers[0]] * len(images))


def _every_centre(images, size, centers):
    inside = _inside(images, size, centers).any(dim=0)
    return images.masked_fill(inside, 0.0)


def _inverted(images, size, centers):
    return images.masked_fill(~_inside(images, size, centers)[:, None], 0.0)


def _fills_mean(images, size, centers):
    value = float(images.mean()) if images.device.type != "meta" else 0.0
    return images.masked_fill(_inside(images, size, centers)[:, None], value)


def _fills_one(images, size, centers):
    return images.masked_fill(_inside(images, size, centers)[:, None], 1.0)


def _bands(images, size, centers):
    result = images.clone()
    height, width = images.shape[2:]
    for image, (row, column) in zip(result, centers, strict=True):
        image[:, _from_to(size)(int(row), height)] = 0
        image[:, :, _from_to(size)(int(column), width)] = 0
    return result


def _draws_centres(images, size, centers):
    n, _, height, width = images.shape
    rows, columns = torch.randint(height, (n,)).tolist(), torch.randint(width, (n,)).tolist()
    return by_slices(images, size, list(zip(rows, columns, strict=True)))


def _in_place(images, size, centers):
    images[:] = by_slices(images, size, centers)
    return images


def _needs_tensor(images, size, centers):
    if images.device.type == "meta":
        centers = torch.as_tensor(centers)
    rows, columns = centers[:, 0].tolist(), centers[:, 1].tolist()
    return by_slices(images, size, list(zip(rows, columns, strict=True)))


def _cut_off(images, size, centers):
    return by_slices(images.detach(), size, centers)


def _mask_on_cpu(images, size, centers):
    mask = torch.ones(images.shape, dtype=images.dtype)
    return images * by_slices(mask, size, centers)


def _float32(images, size, centers):
    return by_slices(images.float(), size, centers)


ANSWERS = Answers(
    reference=cutout,
    variants={
        "slices": by_slices,
        "a mask from comparisons": by_mask,
        "where": by_where,
        "a wide margin": by_padding,
    },
    misconceptions=(
        Misconception(
            "row-and-column-swapped",
            _swapped,
            "You took the first number of a centre for the column, and it is the row.",
            "A centre is (row, column), in the order of the last two axes of images.",
        ),
        Misconception(
            "corner-for-centre",
            _corner,
            "Your square begins at the centre instead of lying around it.",
            "Begin at row - size // 2, and the same for the column.",
        ),
        Misconception(
            "odd-size-too-small",
            _half_each_side,
            "You cut size // 2 rows on each side, so an odd size loses one row and one column.",
            "Count size rows from the start on: the end is row - size // 2 + size.",
        ),
        Misconception(
            "even-size-too-large",
            _one_more,
            "You cut from row - size // 2 to row + size // 2 with the last one included, which "
            "is one too many for an even size.",
            "Count size rows from the start on: the end is row - size // 2 + size.",
        ),
        Misconception(
            "even-size-shifted",
            _even_shifted,
            "For an even size your square lies one pixel too far down and to the right.",
            "Begin at row - size // 2.",
        ),
        Misconception(
            "negative-start",
            _wraps,
            "Near the upper or left border your slice begins at a negative number, which Python "
            "counts from the end.",
            "Begin at max(row - size // 2, 0).",
        ),
        Misconception(
            "wraps-around",
            _wraps_around,
            "What leaves the image on one side of your square comes in on the other side.",
            "Leave out the rows and columns that lie outside.",
        ),
        Misconception(
            "moved-inside",
            _moved_inside,
            "You moved a square that reaches over the border, so that all of it lies inside.",
            "Keep the centre and cut the square at the border; a smaller hole is meant.",
        ),
        Misconception(
            "skips-border",
            _skips_border,
            "You leave an image as it is when its square reaches over the border.",
            "Cut the square at the border and cover what lies inside.",
        ),
        Misconception(
            "last-row-spared",
            _spares_last,
            "You clip the end of the square to H - 1 and W - 1, so the last row and column stay.",
            "The end of a slice is not included: clip it to H and W.",
        ),
        Misconception(
            "height-for-width",
            _height_for_width,
            "You clip the columns with the height of the image.",
            "Columns are the last axis: clip them with images.shape[3].",
        ),
        Misconception(
            "first-channel",
            _first_channel,
            "You covered the square in the first channel only.",
            "Zero all channels: result[i, :, rows, columns].",
        ),
        Misconception(
            "first-centre",
            _first_centre,
            "You used the first centre for all images.",
            "Image i has the centre centers[i].",
        ),
        Misconception(
            "all-centres",
            _every_centre,
            "You covered the squares of all centres in every image.",
            "Image i has one square only, at centers[i].",
        ),
        Misconception(
            "inverted",
            _inverted,
            "You kept the square and zeroed everything around it.",
            "The square is what is zeroed.",
        ),
        Misconception(
            "fills-with-mean",
            _fills_mean,
            "You filled the square with the mean of the images.",
            "Fill it with 0, which is the mean already where images are standardised.",
        ),
        Misconception(
            "fills-with-one",
            _fills_one,
            "You filled the square with 1.",
            "Fill it with 0.",
        ),
        Misconception(
            "whole-rows",
            _bands,
            "You zeroed whole rows and whole columns, a cross instead of a square.",
            "Select rows and columns in one index: result[i, :, rows, columns].",
        ),
        Misconception(
            "draws-centres",
            _draws_centres,
            "You drew centres of your own, and they are given.",
            "Drawing belongs to the caller; use the argument centers.",
        ),
        Misconception(
            "in-place",
            _in_place,
            "Your code covers the images that it was given.",
            "Begin with result = images.clone().",
        ),
        Misconception(
            "needs-a-tensor",
            _needs_tensor,
            "Your code needs centres in a tensor, and a list of pairs is allowed too.",
            "Loop over centers, or begin with centers = torch.as_tensor(centers).",
        ),
        Misconception(
            "cut-off",
            _cut_off,
            "Your result is cut off from the images, by detach() or .data or no_grad().",
            "Compute with a clone of the images themselves.",
        ),
        Misconception(
            "mask-on-cpu",
            _mask_on_cpu,
            "You made the mask on the CPU, also when the images lie on a GPU.",
            "Make it with torch.ones_like(images), which takes over the device.",
        ),
        Misconception(
            "float32",
            _float32,
            "Your result is always float32.",
            "Keep the dtype of the images.",
        ),
    ),
)
